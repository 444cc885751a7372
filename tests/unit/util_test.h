/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_test.h - what most unit tests need: a main, a folder, a loop.
 *
 * Every test runs in a process and an empty working directory of its own, which
 * is removed in the end whatever happened. A test fails if it leaves a
 * descriptor open or a child behind.
 */
#ifndef WISP_TESTS_UTIL_TEST_H
#define WISP_TESTS_UTIL_TEST_H

#include <check.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Longer than anything takes on the slowest machine. */
enum { TEST_WAIT_MS = 30000 };

/* Runs the tests, up to a NULL, and prints Check's summary. Returns what main()
 * should. */
int suite_run(const char *name, const TTest *const *tests);

/* The absolute path of a name in the test's own folder, in one of a few static
 * buffers. */
const char *here(const char *name);

/* The test fails if these do not work. */
void put_file(const char *path, const void *data, size_t n);
void put_text(const char *path, const char *text);
/* A file of up to n - 1 bytes with a NUL after it; how many there were. */
size_t get_file(const char *path, char *buf, size_t n);
bool file_exists(const char *path);

/* Descriptors of this process that are open. */
unsigned count_fds(void);

/* No child inherits those above 2 that are open now: some are Check's. */
void cloexec_all(void);

/* Not subject to util_clock.h. */
int64_t real_ms(void);
void nap(void); /* a fraction of a millisecond */

/* Runs the loop once, without waiting. */
void loop_turn(struct event_base *base);

/* Until nothing happens any more, as far as one can tell. */
void loop_settle(struct event_base *base);

/* Whether the loop sleeps: nothing wakes it for a while. */
bool loop_is_idle(struct event_base *base);

/* Runs the loop (NULL: just waits) until cond holds; false if it never does. */
#define wait_for(base, cond)                                        \
	({                                                          \
		int64_t end_ms_ = real_ms() + TEST_WAIT_MS;         \
		bool holds_;                                        \
		while (!(holds_ = (cond)) && real_ms() < end_ms_) { \
			if (base)                                   \
				loop_turn(base);                    \
			nap();                                      \
		}                                                   \
		holds_;                                             \
	})

/* A test that needs what an ordinary user must not do ends here without it. */
bool is_root(void);

/* Waits for a child that the test forked; its exit status, or 128+signal. */
int reap(pid_t pid);

#endif
