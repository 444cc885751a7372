/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_clock.h - time that passes when the test says so.
 *
 * clock_gettime(2) is replaced in every test, for libevent too, so that the
 * loop's timers can be made due without waiting. Nothing is skipped at first.
 */
#ifndef WISP_TESTS_UTIL_CLOCK_H
#define WISP_TESTS_UTIL_CLOCK_H

#include <stdint.h>

/* From now on the monotonic clock is that much further on. */
void clock_skip_ms(int64_t ms);

/* The monotonic clock. */
int64_t clock_ms(void);

/* Stops it but for clock_skip_ms(), so that a slow machine does not matter. */
void clock_freeze(void);

#endif
