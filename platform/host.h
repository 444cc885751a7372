/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - what a shim process is to its host.
 */
#ifndef WISP_PLATFORM_HOST_H
#define WISP_PLATFORM_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "platform/err.h"

struct event_base;

/* Closes every descriptor but stdin, stdout and stderr that this process was
 * started with: whoever started it may have let some slip. First thing in
 * main(). */
void host_close_inherited(void);

/* main()'s arguments, as UTF-8: on Linux they are what they are. They stay
 * until the process ends. -ENOMEM; -EINVAL: one is no text. */
int host_arguments(int *argc, char ***argv, struct err *e);

/*
 * Splits `start` in two. In the process that was called, it waits until the
 * other one says host_ready() and returns 1, or fails with the message that
 * the other one gave. In the other one, the long-lived process, which is a
 * process group leader with stdin, stdout and stderr on the null device, it
 * returns 0.
 */
int host_split(struct err *e);

/* Tells the process that was called: NULL, all is well; otherwise why not. In
 * that process itself, and the second time, it does nothing. */
void host_ready(const struct err *e);

/* Makes this process the one that orphans below it come to (prctl(2),
 * PR_SET_CHILD_SUBREAPER), names it, and keeps freed memory from lingering. */
int host_become_shim(struct err *e);

/* Lets this process share a core's threads with nobody but those that it
 * starts (prctl(2), PR_SCHED_CORE). -EINVAL: the kernel has no core scheduling,
 * -ENODEV: the CPU no such threads. */
int host_schedule_core(void);

/* Whether this process may do what an ordinary user must not: it is root's, or
 * an elevated administrator's. */
bool host_is_root(void);

/* One above the parent's OOM score, so that a daemon outlives its shims; called
 * in `start`. -EACCES where the kernel refuses: not worth failing for. */
int host_set_oom_score(void);

/* Gives back to the system what free() kept: after a burst, before idling. */
void host_trim_memory(void);

/* From the loop: terminate() when somebody wants this process to end (SIGTERM
 * or SIGINT), dump() when somebody wants to know what it does (SIGUSR1). */
struct host_signals;
int host_signals_new(struct event_base *base, void (*terminate)(void *arg),
	void (*dump)(void *arg), void *arg, struct host_signals **ret,
	struct err *e);
void host_signals_free(struct host_signals *h);

/* All of stdin, up to max bytes, into fresh memory; nothing if it is a
 * terminal. -ETIMEDOUT if it does not come to its end in time. */
int host_read_stdin(size_t max, int timeout_ms, uint8_t **ret, size_t *ret_n,
	struct err *e);

/* 0 or -errno; waits for the reader. */
int host_write_stdout(const void *data, size_t n);

/*
 * Opens the log that a daemon reads, or does not: in the bundle, which is the
 * working directory, the FIFO "log"; on Windows a pipe that is named after
 * namespace and container, whose newest client gets the lines.
 * host_log_write() never waits: 0, or -EAGAIN when the line was dropped for
 * want of room, or of a reader.
 */
int host_log_open(const char *ns, const char *id);
int host_log_write(const char *line, size_t n);

/*
 * A folder of this user's own for what lives as long as containers do, made if
 * need be: /run/containerd/name; for those who must not write there,
 * $XDG_RUNTIME_DIR/containerd/name, unless that is longer than longest, or else
 * /tmp/containerd-name-UID. (As
 * containerd's defaultSocketDir(), core/runtime/v2/shim_unix.go.) It is the
 * same one each time. -errno tells what is wrong with the last of them: it may
 * be somebody else's.
 */
int host_own_dir(
	const char *name, size_t longest, char *buf, size_t n, struct err *e);

#endif
