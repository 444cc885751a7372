/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_handles.h - what this process has open.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_HANDLES_H
#define WISP_TESTS_WINDOWS_UTIL_HANDLES_H

#include <stdint.h>

/* Exact, under Wine too: all handles of the system, counted by pid. */
unsigned count_handles_of(int64_t pid);
unsigned count_handles(void); /* of this process */

#endif
