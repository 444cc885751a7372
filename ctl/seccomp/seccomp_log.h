/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_log.h - read what a shim has told of denials: SEC_LOG of a bundle.
 */
#ifndef WISP_CTL_SECCOMP_LOG_H
#define WISP_CTL_SECCOMP_LOG_H

#include "ctl/seccomp/seccomp_profile.h"
#include "platform/seccomp.h"

/* A line of it; strings are its own. */
struct sec_denial {
	char *name, *arch, *call, *comm, *why;
	int error, nr;
	int64_t pid;
	uint64_t args[SECCOMP_ARGS];
	uint64_t count, total; /* since it was last told; ever */
	bool again;            /* said before, in a file that was too long */
	uint64_t unnamed;      /* no denial: so many were not named at all */
};

/* -EINVAL: it is none. */
int sec_denial_parse(const char *line, struct sec_denial *ret);
void sec_denial_clear(struct sec_denial *d);

/* "EPERM" */
const char *sec_errno_name(int error, char buf[16]);

/* One for each kind, with its last total. *ret is for sec_denials_free(). */
struct sec_denials {
	struct sec_denial *at;
	size_t n;
	uint64_t unnamed;
};
int sec_denials_read(const char *path, struct sec_denials *ret, struct err *e);
void sec_denials_free(struct sec_denials *d);

/* Shows the file as it grows, on stderr. */
struct event_base;
struct sec_follow;
int sec_follow_new(struct event_base *base, const char *bundle, bool json,
	struct sec_follow **ret, struct err *e);
/* What has come since. */
void sec_follow_look(struct sec_follow *f);
void sec_follow_free(struct sec_follow *f);

#endif
