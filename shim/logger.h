/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logger.h - the programs that take a process's output: binary://.
 *
 * A path of the form binary:///path?k=v (io/uri.h) asks for a program that is
 * run with the arguments k v and
 *
 *   3  the end of stdout to read from      0, 1, 2  the null device
 *   4  the end of stderr                   CONTAINER_ID, CONTAINER_NAMESPACE:
 *   5  the ready pipe, to close            all of its environment
 *
 * as containerd's docs/logging.md has it. On Windows these three are pipes that
 * it dials: CONTAINER_STDOUT, CONTAINER_STDERR and CONTAINER_WAIT have their
 * names. It is ready when it closes 5; with
 * binary-v2:// it must write a byte there first, so that one which has died is
 * not taken for one that is ready. stdout and stderr with the same URI have
 * one logger; otherwise what a logger does not get (3 or 4) is at its end from
 * the beginning.
 *
 * This is the loggers' life as processes; what they are sent goes through
 * io/stdio.h. Nothing here waits: loggers_start(), loggers_take(), then
 * loggers_await() with an answer that comes later; loggers_end(), likewise,
 * when the pipes are closed. Callbacks run once, from the loop.
 *
 * A logger outlives a shim that is killed: it sees the end of its pipes then,
 * and has the last lines to write.
 */
#ifndef WISP_SHIM_LOGGER_H
#define WISP_SHIM_LOGGER_H

#include "platform/stream.h"

struct event_base;
struct loggers;
struct reaper;

/* How long a logger may take to be ready. */
#define LOGGER_READY_MS 10000

/* How it is ended: its pipes are at their end, which is enough for most; after
 * this time it gets SIGTERM (the reference shim sends it at once, and so cuts
 * off those that do not catch it); and then SIGKILL. */
#define LOGGER_EOF_MS 2000
#define LOGGER_TERM_MS 12000

/* Borrowed, and must outlive the loggers. */
struct loggers_config {
	struct event_base *base;
	struct reaper *reaper;
	const char *ns, *id; /* of the container */
};

typedef void (*loggers_cb)(int r, const struct err *e, void *arg);

/* Starts what the paths ask for: up to two programs. *ret is NULL if they ask
 * for none. -EINVAL for a bad URI, -ENOENT, ... with the path of a program that
 * cannot be run. */
int loggers_start(const struct loggers_config *config, const char *out,
	const char *err, struct loggers **ret, struct err *e);

/* The pipes for struct stdio_config's to_logger: now the caller's. */
void loggers_take(struct loggers *l, struct stream *ret[2]);

/* The one with this number, for people who look; false: there are no more. pid
 * 0: it has ended. */
bool loggers_look(const struct loggers *l, unsigned number,
	const char **ret_path, int64_t *ret_pid, bool *ret_ready);

/* ready() is told 0 when all are ready, or why one is not: -EREMOTEIO, it ended
 * without its byte; -ETIMEDOUT. */
void loggers_await(struct loggers *l, loggers_cb ready, void *arg);

/* The wait is over: ready() is told -ECANCELED, unless it has been told. */
void loggers_cancel(struct loggers *l);

/* Ends them as above; at once if they never were ready. ended() runs when the
 * last one has. The pipes have been closed (stdio_close()). Allocates
 * nothing. */
void loggers_end(struct loggers *l, void (*ended)(void *arg), void *arg);

/* Kills what is left (SIGKILL); no callback comes any more. NULL is fine. May
 * be called from a callback. */
void loggers_free(struct loggers *l);

#endif
