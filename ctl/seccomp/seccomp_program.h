/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_program.h - the filter that an OCI runtime makes of a profile.
 *
 * runc and crun both leave it to libseccomp: rules with the default action are
 * left out, names that are not known are, too. runc (from 1.0.0-rc93 on; its
 * libcontainer/seccomp/patchbpf) puts something in front: calls with a number
 * above all that the profile names fail with ENOSYS, so that a C library falls
 * back to an older call.
 */
#ifndef WISP_CTL_SECCOMP_PROGRAM_H
#define WISP_CTL_SECCOMP_PROGRAM_H

#include "ctl/seccomp/seccomp_profile.h"
#include "platform/seccomp.h"

struct sec_program {
	struct seccomp_filter *filter;
	char *data; /* the same, as it is written */
	size_t n;
};

/* What is known of the runtime that the filter is for. */
struct sec_runtime {
	bool new_is_enosys; /* runc's habit */
};

/* -EINVAL: libseccomp refuses; *ret_name is the rule's name then, borrowed from
 * p, or NULL. -E2BIG: more instructions than the kernel takes. */
int sec_program_make(const struct sec_profile *p, const struct sec_runtime *rt,
	struct sec_program *ret, const char **ret_name, struct err *e);
void sec_program_clear(struct sec_program *p);

/* As filters see it: architecture of linux/audit.h, number. False: it has none
 * there. */
bool sec_call_of(const char *name, uint32_t arch, struct seccomp_call *ret);

/* The number above which runc answers ENOSYS; 0: there is none. */
int sec_last_of(const struct sec_profile *p, const struct sec_runtime *rt,
	uint32_t arch);

/* The profile's architectures, and our own. Returns how many. */
unsigned sec_archs_of(const struct sec_profile *p, uint32_t ret[SEC_ARCHS + 1]);

#endif
