/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_oom.h - memory that runs out when the test says so.
 *
 * Works in tests whose .c file has the text "__wrap_" in it: the Makefile links
 * those with --wrap=malloc,calloc,realloc. strdup(3) and strndup(3) count too,
 * and libevent's allocations after oom_begin().
 *
 *     OOM_SWEEP(n) {
 *             ... scenario, from oom_at(n) to oom_off() ...
 *     }
 *
 * Check's own allocations are counted as well, and it ends the test when one
 * fails: no ck_assert (nor here(), wait_for(), ...) may be in between.
 */
#ifndef WISP_TESTS_UTIL_OOM_H
#define WISP_TESTS_UTIL_OOM_H

#include <stdbool.h>

/* Before any event_base is made. */
void oom_begin(void);

/* The nth allocation from now on fails, once. */
void oom_at(unsigned n);

/* Every allocation fails. */
void oom_all(void);

/* None fails any more. Returns whether one has since oom_at(). */
bool oom_off(void);

/* How many allocations there have been since oom_at() or oom_count_begin(). */
void oom_count_begin(void);
unsigned oom_count(void);

/* Runs its body with n = 1, 2, ... until nothing failed in one run. */
#define OOM_SWEEP(n) for (unsigned n = 1; n == 1 || oom_hit_last(); n++)

bool oom_hit_last(void);

#endif
