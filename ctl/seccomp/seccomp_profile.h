/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_profile.h - a seccomp profile: linux.seccomp of config.json
 * (config-linux.md, "Seccomp"), or a file in docker's form, which is turned
 * into that.
 *
 * Rules are kept as runtimes see them: several conditions on one argument are
 * alternatives (runc's and crun's behaviour), so such a rule becomes several.
 */
#ifndef WISP_CTL_SECCOMP_PROFILE_H
#define WISP_CTL_SECCOMP_PROFILE_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/json.h"
#include "platform/err.h"

#define SEC_ARCHS 16
#define SEC_CONDS 6
#define SEC_FLAGS 8

struct sec_rule {
	char **names; /* NULL-terminated; the rule's own */
	uint32_t action;
	struct scmp_arg_cmp conds[SEC_CONDS]; /* all must hold */
	unsigned n_conds;
	unsigned number; /* in the profile, from 0 */
};

struct sec_profile {
	uint32_t action; /* the default */
	uint32_t archs[SEC_ARCHS];
	unsigned n_archs;
	char flags[SEC_FLAGS][48];
	unsigned n_flags;
	bool has_listener; /* the profile hands calls to somebody already */
	struct sec_rule *rules;
	size_t n_rules;
};

/* Of an object as config.json has it. -EINVAL says what is wrong. ret needs
 * sec_profile_clear() only on success. */
int sec_profile_parse(yajl_val v, struct sec_profile *ret, struct err *e);

/* The same of a file: linux.seccomp alone, a whole config.json, or docker's
 * form. That has rules for some capabilities, architectures and kernels:
 * config is the config.json that says which capabilities there are; NULL: none
 * are. */
int sec_profile_read(const char *path, yajl_val config, struct sec_profile *ret,
	struct err *e);
/* seccomp_docker.c: whether a rule of docker's form applies, and a profile's
 * "archMap" for our architecture. */
bool sec_docker_applies(yajl_val rule, yajl_val config);
int sec_docker_archs(yajl_val v, struct sec_profile *p, struct err *e);

/* Adds a rule for one name, with no conditions yet. -ENOMEM. */
int sec_profile_add(struct sec_profile *p, const char *name, uint32_t action,
	struct sec_rule **ret);
int sec_rule_add_name(struct sec_rule *r, const char *name);
/* False: it is not there. */
bool sec_rule_remove_name(struct sec_rule *r, const char *name);
bool sec_rule_has(const struct sec_rule *r, const char *name);

/* A copy of all of it. -ENOMEM. */
int sec_profile_copy(const struct sec_profile *p, struct sec_profile *ret);

/* As an object of config.json. listener NULL: none; otherwise metadata goes
 * with it. */
void sec_profile_put(yajl_gen g, const struct sec_profile *p,
	const char *listener, const char *metadata);
/* The rule alone. */
void sec_rule_put(yajl_gen g, const struct sec_rule *r);

/* "SCMP_ACT_ERRNO(EPERM)", ... */
void sec_action_text(uint32_t action, char *buf, size_t n);

/* By their names in config.json; a number is put in by the caller. -ENOENT. */
int sec_action_find(const char *name, uint32_t *ret);
int sec_op_find(const char *name, enum scmp_compare *ret);
bool sec_action_has_errno(uint32_t action); /* it comes with a number */

/* By "SCMP_ARCH_X86_64", ...; 0: it is unknown. */
uint32_t sec_arch_find(const char *name);
/* "X86_64", ... */
const char *sec_arch_name(uint32_t arch);

static inline bool sec_is_errno(uint32_t action)
{
	return (action & 0xffff0000U) == SCMP_ACT_ERRNO(0);
}

void sec_profile_clear(struct sec_profile *p);

#endif
