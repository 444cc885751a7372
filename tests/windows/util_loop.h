/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_loop.h - pipes of the test's own, and this program as a child.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_LOOP_H
#define WISP_TESTS_WINDOWS_UTIL_LOOP_H

#include "platform/stream.h"
#include "platform/windows/win.h"

/* Reads until n bytes have come, or the end; how many. Turns the loop. */
size_t read_some(
	struct event_base *base, struct stream *s, char *buf, size_t n);

/* Writes all of it; false if it can't be. */
bool write_some(
	struct event_base *base, struct stream *s, const char *buf, size_t n);

/* The end of a stream has come. */
bool at_end(struct event_base *base, struct stream *s);

/*
 * When this program is run with the argument "child", what follows says what to
 * do: "exit N", "echo" (stdin to stdout), "burst N" (bytes),
 * "both N" (on stdout and stderr), "sum" (of stdin), "args ..." (each
 * one with a NUL after it), "sleep",
 * "hello" (says so, then sleeps), "spawn" (a child that sleeps, then ends),
 * "env NAME", "cwd", "conout",
 * "leave" (a child that heeds no console event, then ends with 3),
 * "freeze" (a child that is suspended, then ends with 3),
 * "logger X FILE". Called first in main(); returns if there is no
 * such argument.
 */
void child_main(void);

/* The path of this program, as UTF-8. */
const char *own_path(void);

#endif
