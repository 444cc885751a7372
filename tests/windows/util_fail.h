/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_fail.h - a shim whose Nth call of the system fails when the test says
 * so.
 *
 * containerd-shim-wisp-fail.exe is the shim with tests/windows/fail.c in front
 * of it, which counts the calls that it makes through its import table. Both
 * share the memory below, whose name is in WISP_FAIL.
 *
 *     fail_open();
 *     shim_begin(...);                   the failing shim
 *     for (n = 1; n == 1 || hit; n++) {
 *             fail_at(FAIL_CALLS, n, 1, FAIL_SERVER);
 *             ... a call ...
 *             hit = fail_off();
 *     }
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_FAIL_H
#define WISP_TESTS_WINDOWS_UTIL_FAIL_H

#include <stdbool.h>

/* Whose calls count: `start` makes a second process, which serves. */
enum fail_process { FAIL_FIRST, FAIL_SERVER };

struct fail_control {
	volatile long nth;   /* 0: none fails */
	volatile long times; /* so many in a row */
	volatile long process;
	volatile long count, failed;
	volatile long long where; /* who called, as the linker has it */
	char only[40];            /* the function, or functions, that count */
	char what[40];            /* the function that failed last */
};

/* From now on the environment is a short one, and WISP_SHIM is the failing one.
 * Before any test, in main(). */
bool fail_open(void);
void fail_close(void);

extern struct fail_control *fail;

/* The nth call from now on of a function, or of many, fails; and all that
 * follow it, if there are more times. */
#define FAIL_MEMORY "memory" /* malloc() and the like */
#define FAIL_CALLS "calls"   /* all else */
void fail_at(const char *only, unsigned n, unsigned times,
	enum fail_process process);

/* None fails any more. Whether one has. */
bool fail_off(void);

/* Of the environment. */
unsigned fail_number(const char *variable, unsigned otherwise);

#endif
