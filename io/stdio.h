/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdio.h - the standard streams of one container process.
 *
 * Between the paths in a request (uri.h) and the descriptors that the OCI
 * runtime hands to the process stand up to three relays, or a terminal and two.
 * The life of it: stdio_open() before the runtime is spawned, the endpoints or
 * the console socket are given to it, stdio_start() once it has finished,
 * stdio_drain() when somebody wants the last byte, stdio_close().
 *
 * Loggers are run by somebody else (shim/logger.h); here they are pipes. The
 * process does not get such a pipe itself, as it does from the reference shim:
 * there it gets SIGPIPE when its logger dies, or hangs if the pipe is still
 * open somewhere. A relay in between reads on, whatever becomes of the logger,
 * and counts what it lost; it costs a splice(2), and no memory.
 */
#ifndef WISP_IO_STDIO_H
#define WISP_IO_STDIO_H

#include "io/policy.h"
#include "platform/stream.h"

struct stdio;

struct stdio_config {
	const char *in, *out, *err; /* paths as in the request; "" or NULL:
				     * the null device */
	bool terminal;              /* err is unused then */
	uint32_t uid, gid;          /* who owns the process's ends of pipes */
	const char *dir;            /* for the console socket and spools; must
				     * stay */
	const char *name;           /* likewise: unique within dir */
	/* Where stdout and stderr go if their paths name a logger: the pipes to
	 * it. Consumed by stdio_open(), also on failure; otherwise NULL. */
	struct stream *to_logger[2];
	struct policy policy; /* of output; spools are files in dir */
	/* The output fd (1 or 2) does something else from now on: fs->state.
	 * From the loop. NULL: nobody is told. */
	void (*told)(int fd, const struct flow_stats *fs, void *arg);
	void *told_arg;
};

/* How long stdio_drain() waits: for a source that is silent but held open by
 * somebody, or a reader who has never come (quiet); and at the most, for a
 * reader who is slow or a source that never falls silent. */
#define STDIO_QUIET_MS 1000
#define STDIO_DRAIN_MS 10000

/* Only checks the paths, without opening anything: -EINVAL. */
int stdio_check(
	const char *in, const char *out, const char *err, struct err *e);

/* Checks every path before anything is opened. config is borrowed during the
 * call. -EINVAL, -ENOENT, ... with the path in the message. */
int stdio_open(struct event_base *base, const struct stdio_config *config,
	struct stdio **ret, struct err *e);

/* What to hand to the runtime as its descriptors 0, 1, 2. Borrowed until
 * stdio_start(); NULL entries are the null device. */
void stdio_endpoints(const struct stdio *s, struct endpoint *ret[3]);

/* The console socket's path, NULL without a terminal. Borrowed until
 * stdio_start(). */
const char *stdio_console_socket(const struct stdio *s);

/* The terminal itself, borrowed, NULL if there is none: where no runtime has to
 * be told of it. */
struct console;
struct console *stdio_console(const struct stdio *s);

/* The runtime has finished and the process has its ends: closes ours of those,
 * receives the terminal, begins to relay. */
int stdio_start(struct stdio *s, struct err *e);

/* The process's stdin gets everything written so far, then its end. May come
 * at any time, and again: before stdio_start() it is remembered. */
void stdio_close_stdin(struct stdio *s);

/* -ENOTTY without a terminal. */
int stdio_resize(struct stdio *s, uint32_t width, uint32_t height);

/*
 * Ends stdin, then waits until the output is at its end and delivered, within
 * the bounds above, and runs done() once, from the loop. The process has ended.
 * A second call replaces the first one's done.
 */
void stdio_drain(struct stdio *s, void (*done)(void *arg), void *arg);

/* True while output waits that somebody may be about to read. */
bool stdio_is_unread(const struct stdio *s);

/* True if a drain gave up on output that somebody still held open, or on
 * bytes that nobody read. */
bool stdio_was_cut(const struct stdio *s);

/* Bytes of output that were dropped, could not be stored where they should be,
 * that a logger did not take, or that waited when a drain gave up. */
uint64_t stdio_lost(const struct stdio *s);

/* What became of descriptor 0, 1 or 2; false if it is no stream of ours. For
 * people who look. */
bool stdio_stats(const struct stdio *s, int fd, struct flow_stats *ret);

/* Closes everything; done() does not run any more. NULL is fine. */
void stdio_close(struct stdio *s);

#endif
