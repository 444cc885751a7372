/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_names.h - the names of system calls, and what is known of them.
 */
#ifndef WISP_CTL_SECCOMP_NAMES_H
#define WISP_CTL_SECCOMP_NAMES_H

#include "ctl/seccomp/seccomp_profile.h"

/* All that libseccomp knows on the profile's architectures and ours, sorted.
 * -ENOMEM. */
int sec_names_list(const struct sec_profile *p, char ***ret, size_t *ret_n);

/* Its place in such a list; n: it is not there. */
size_t sec_names_find(char *const *names, size_t n, const char *name);

/* A letter for each argument: s text, d number, o mode, x flags, p address, f
 * descriptor; "?": not known. */
const char *sec_name_args(const char *name);

/* What a container can do with it, if that is more than a container should;
 * else NULL. */
const char *sec_name_caution(const char *name);

#endif
