/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_ctl.h - the real wispctl.exe, run as people run it: with pipes for
 * stdin, stdout and stderr.
 *
 * It is looked for beside the shim that WISP_SHIM names. Its containers live
 * below the test's own folder.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_CTL_H
#define WISP_TESTS_WINDOWS_UTIL_CTL_H

#include "platform/process.h"
#include "tests/windows/util_loop.h"

struct ctl {
	int64_t pid;
	struct stream *in; /* NULL: NUL, or it was closed */
	struct ctl_text {
		struct stream *from; /* NULL: at its end */
		char *text;          /* with a NUL after it */
		size_t n, room;
	} out, err;
};

/* The loop and the exits of all of them, around a test. The end checks that
 * nothing is left below the root. */
void ctl_setup(void);
void ctl_teardown(void);
struct event_base *ctl_base(void);

/* Where they are. */
const char *ctl_root(void);

/* Starts `wispctl VERB --root ROOT WORDS... -- CHILD...`; child NULL: no more
 * words, else this program, doing as util_loop.h says. */
void ctl_begin(struct ctl *c, const char *verb, const char *const *words,
	const char *const *child, bool with_stdin);

/* Reads what it writes until it contains the text; false if it never does. */
bool ctl_says(struct ctl_text *t, const char *text);

/* Writes to its stdin, while it is read, too. */
void ctl_type(struct ctl *c, const char *data, size_t n);

/* All it writes, and its exit status. stdin is closed first. */
uint32_t ctl_end(struct ctl *c);

/* Frees the texts. */
void ctl_clear(struct ctl *c);

/* The pid of the shim of a container that runs. */
int64_t ctl_shim_pid(const char *id);

#endif
