/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_config.h - config.json with another seccomp profile, and small help
 * for those who read or write one.
 */
#ifndef WISP_CTL_SECCOMP_CONFIG_H
#define WISP_CTL_SECCOMP_CONFIG_H

#include "ctl/seccomp/seccomp_profile.h"

/* linux.seccomp, borrowed; NULL: there is none. */
yajl_val sec_config_profile(yajl_val root);

struct sec_config_changes {
	const struct sec_profile *profile; /* linux.seccomp; NULL: as it is */
	const char *listener, *metadata;   /* of the profile; or NULL */
	const char *annotation;            /* gets the value "true"; or NULL */
};

/* All of it as it is, but for the changes; what is not there is added. For
 * free(). -ENOMEM, -ELOOP. */
int sec_config_make(
	yajl_val root, const struct sec_config_changes *changes, char **ret);

/* The first line that `PROGRAM --version` prints, without its end. */
int sec_first_line_of(const char *program, char *buf, size_t n);

/* A copy of text, for free(). 0 or -ENOMEM. */
int sec_note(char **ret, const char *text);

#endif
