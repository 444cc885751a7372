/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_box.h - the arguments that a set of rules does not match.
 *
 * A rule with conditions matches a box: of each argument a range, or the values
 * with certain bits. What no rule matches is again a union of boxes, and a rule
 * can be made for each of these: that is how "allowed if ..., otherwise the
 * default" is said without a default.
 */
#ifndef WISP_CTL_SECCOMP_BOX_H
#define WISP_CTL_SECCOMP_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/seccomp/seccomp_profile.h"

#define SEC_BOXES 256

struct sec_set {
	bool masked; /* the x with (x & a) == b; else those from a to b */
	uint64_t a, b;
};

struct sec_box {
	struct sec_set at[SEC_CONDS];
};

/* What none of the n rules matches, as up to SEC_BOXES boxes, which may
 * overlap. -E2BIG: it takes more. */
int sec_box_complement(const struct sec_rule *const *rules, size_t n,
	struct sec_box *ret, size_t *ret_n);

/* Adds rules for a name that match the box; several if a range with two ends is
 * in it, as a runtime takes one condition for an argument. -E2BIG, -ENOMEM. */
int sec_box_add_rules(struct sec_profile *p, const char *name, uint32_t action,
	const struct sec_box *box);

#endif
