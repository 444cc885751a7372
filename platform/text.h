/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - how logs, dumps and statuses write what is not text by itself.
 */
#ifndef WISP_PLATFORM_TEXT_H
#define WISP_PLATFORM_TEXT_H

#include <stddef.h>
#include <time.h>

/* How many bytes the UTF-8 character at s has (RFC 3629, section 4), 0 if what
 * is there is none. left, not 0, is how many bytes there are; it may be more
 * if a NUL comes before, which is a character of one byte. */
size_t text_utf8(const char *text, size_t left);

/* Control characters, quotes and backslashes become '?': what a stranger wrote
 * can be shown on a terminal, between quotes. */
void text_make_printable(char *text);

/* A time of CLOCK_REALTIME as RFC 3339 has it, in UTC, with nanoseconds:
 * "2026-11-21T23:24:41.000000001Z". */
#define TEXT_TIME_MAX 48
void text_time(const struct timespec *at, char buf[TEXT_TIME_MAX]);

#endif
