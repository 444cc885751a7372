/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_calls.h - what doubles of the system's functions were called with, in
 * order, and which of these calls is to fail.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_CALLS_H
#define WISP_TESTS_WINDOWS_UTIL_CALLS_H

#include <stdbool.h>
#include <stdio.h>

/* Forgets all; the Nth call from now on fails, counted from 1; 0: none. */
void calls_reset(unsigned fail);

/* One call: a line of text. false: it is to fail. */
bool called(const char *fmt, ...)
	__attribute__((format(__MINGW_PRINTF_FORMAT, 1, 2)));

/* The lines so far. */
const char *calls(void);

/* Whether the call that was to fail has come. */
bool calls_failed(void);

#endif
