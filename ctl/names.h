/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the words that specs are made of, and the nearest to a wrong one.
 *
 * Lists end with NULL. Sources: the JSON schema of runtime-spec 1.2, and what
 * runc 1.3 and crun 1.21 know.
 */
#ifndef WISP_CTL_NAMES_H
#define WISP_CTL_NAMES_H

#include <stdbool.h>

extern const char *const names_capabilities[];
extern const char *const names_rlimits[];
extern const char *const names_namespaces[];
extern const char *const names_propagation[];
extern const char *const names_mount_options[]; /* of any file system */
extern const char *const names_seccomp_actions[];
extern const char *const names_seccomp_archs[];
extern const char *const names_seccomp_flags[];
extern const char *const names_seccomp_operators[];
extern const char *const names_io_classes[];
extern const char *const names_sched_policies[];
extern const char *const names_sched_flags[];
extern const char *const names_personalities[];
extern const char *const names_numa_modes[];
extern const char *const names_numa_flags[];
extern const char *const names_windows_devices[]; /* id types */

bool names_has(const char *const *list, const char *name);

/* The member of the list that somebody may have meant, or NULL. Differences
 * in upper and lower case count little. */
const char *names_nearest(const char *const *list, const char *name);

/* How far apart two names are: letters added, missing, changed or swapped.
 * More than limit is limit + 1. */
unsigned names_distance(const char *a, const char *b, unsigned limit);

/* How far a name of that length may be from the one that was meant. */
unsigned names_limit(const char *name);

#endif
