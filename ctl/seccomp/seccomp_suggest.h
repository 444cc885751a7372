/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_suggest.h - the smallest change of a profile that allows what it has
 * denied: what `wispctl seccomp suggest` does.
 */
#ifndef WISP_CTL_SECCOMP_SUGGEST_H
#define WISP_CTL_SECCOMP_SUGGEST_H

#include "ctl/seccomp/seccomp_log.h"
#include "ctl/seccomp/seccomp_profile.h"

struct sec_suggest {
	const char *what;    /* a container's id, or a file */
	const char *profile; /* a file; NULL: the container's */
	const char *ns;      /* NULL: any */
	const char *root;    /* of wispctl; NULL: the default */
	bool json;
};

/* Prints it on stdout. */
int sec_suggest(const struct sec_suggest *s, struct err *e);

/* What is to be changed in a profile. */
struct sec_change {
	struct sec_profile profile; /* as it would be */
	size_t first_added;         /* its rules from here on are new */
	struct sec_removal {
		unsigned rule; /* number in the profile */
		char *name;    /* borrowed from the denials */
	} * removals;
	size_t n_removals;
	bool *allowed; /* for each denial: the profile would allow it */
};

int sec_change_make(const struct sec_profile *p, const struct sec_denials *d,
	struct sec_change *ret, struct err *e);
void sec_change_clear(struct sec_change *c);

/* seccomp_suggest_show.c */
int sec_suggest_show(const struct sec_change *c, const struct sec_denials *d,
	bool json, struct err *e);

#endif
