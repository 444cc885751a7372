/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_rewrite.h - a profile whose denials are handed to a listener.
 *
 * What fails with an errno, by a rule or by default, becomes SCMP_ACT_NOTIFY;
 * every other verdict stays as it is. runc takes that neither as a default, nor
 * for write(2), by which it passes the listener on. So what the profile does
 * not mention, or only with conditions, is named one by one. Actions that kill,
 * trap, trace or log stay: a listener could not do as they do.
 *
 * Both profiles are made into filters as the runtime would, and asked about
 * every call with the arguments that matter: a name for which they do not agree
 * is left as it was, and so not explained.
 */
#ifndef WISP_CTL_SECCOMP_REWRITE_H
#define WISP_CTL_SECCOMP_REWRITE_H

#include "ctl/seccomp/seccomp_program.h"

struct sec_rewritten {
	struct sec_profile profile;
	struct sec_program original; /* the filter that answers */
	struct sec_program filter;   /* of profile */
	char **names;                /* all that there are, sorted */
	size_t n_names;
	bool *dropped; /* for each: it stays as it was */
	size_t n_notified;
};

/* n_notified is 0 afterwards if nothing is denied by an errno. */
int sec_rewrite(const struct sec_profile *p, const struct sec_runtime *rt,
	struct sec_rewritten *ret, struct err *e);
void sec_rewritten_clear(struct sec_rewritten *w);

/* How a call of this name fares in some of its arguments. */
struct sec_fate {
	bool notified; /* some of its denials are explained */
	bool silent;   /* some are not */
	bool wrong;    /* the filters do not agree */
};
struct sec_fate sec_rewritten_fate(const struct sec_rewritten *w,
	const struct sec_profile *original, const char *name, uint32_t arch);

#endif
