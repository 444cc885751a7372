/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - a byte stream that never blocks, and the ends a child inherits.
 *
 * A stream is one end of something that carries bytes: a pipe, a FIFO, a
 * socket, a terminal, a regular file. It is used in the readiness style: ask
 * to be told, then read or write as much as goes. On Linux it is a descriptor
 * in the event loop; on Windows it is a pipe with a bounded buffer that
 * overlapped I/O fills and empties behind the caller's back, which is why no
 * descriptor or handle can be had from it.
 *
 * Ownership: whoever made a stream closes it with stream_close(); a stream
 * must be closed before its event_base is freed. Callbacks run from the loop,
 * never inside a call made here, and a callback may close its own stream.
 *
 * An endpoint is an end that this process does not use itself but hands to a
 * child (struct process_spec). It is closed with endpoint_close() once the
 * child has it.
 */
#ifndef WISP_PLATFORM_STREAM_H
#define WISP_PLATFORM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/err.h"

struct event_base;
struct stream;
struct endpoint;

enum { STREAM_READ = 1, STREAM_WRITE = 2 };

/* what: the STREAM_ bits that are ready now. A stream at its end, or broken,
 * counts as ready for whatever is watched: the next call tells which. */
typedef void (*stream_cb)(struct stream *s, unsigned what, void *arg);

/* Says whom to call. cb may be NULL while nothing is watched. */
void stream_set_cb(struct stream *s, stream_cb cb, void *arg);

/* Watches for the STREAM_ bits in what, and for nothing else, until told
 * otherwise (level-triggered). 0 stops watching. After -ENOMEM nothing is
 * watched. */
int stream_watch(struct stream *s, unsigned what);

/* Up to n bytes: > 0 read, 0 at the end, -EAGAIN nothing there now, else
 * -errno. A terminal whose other side is gone is at its end (not -EIO). */
ssize_t stream_read(struct stream *s, void *buf, size_t n);

/* Up to n bytes: > 0 accepted, -EAGAIN no room now, -EPIPE nobody can ever
 * read it, else -errno. With n 0 it only asks: 0 for a peer that has closed its
 * sending side alone, where the system can tell. */
ssize_t stream_write(struct stream *s, const void *buf, size_t n);

/* Moves up to n bytes from one stream to another without passing them through
 * this process's memory, where the system can (splice(2): one of both is a
 * pipe). > 0 moved, 0 from is at its end, -EAGAIN from is empty, -ENOBUFS to
 * is full, -EOPNOTSUPP this pair can't (copy instead), else -errno; -EPIPE
 * speaks of `to`. */
ssize_t stream_move(struct stream *from, struct stream *to, size_t n);

/*
 * For a FIFO that has been written for the last time: whether the bytes in it
 * have been taken, or are left with or without somebody who has it open to read
 * them. After the first call it can only be closed, which without a reader
 * loses what is left. Other streams: STREAM_TAKEN.
 */
enum stream_rest { STREAM_TAKEN, STREAM_LEFT_ALONE, STREAM_BEING_READ };
enum stream_rest stream_linger(struct stream *s);

/* Bytes in a FIFO with a name, of which we hold both ends; 0 for others. */
size_t stream_unread(struct stream *s);

/* Whether there are bytes in a pipe to a child (the stream is our end) that it
 * has not taken out, and still can: it holds its end. Linux: FIONREAD speaks
 * of the pipe, whichever end is asked (pipe(7)). */
bool stream_is_unread(struct stream *s);

/* Bytes that wait to be read, for people who look; 0 where it can't be told. */
size_t stream_pending(struct stream *s);

/* Closes now; no callback comes after this. NULL is fine. */
void stream_close(struct stream *s);

/* A pipe: ours to read (or write), the other end for a child. */
int stream_pipe_from_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs);
int stream_pipe_to_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs);

/*
 * The same for one that is to have more ends than three. On Linux it is handed
 * this one like any other, and the name means nothing. On Windows, where only
 * three can be handed over by number, the end is a pipe that the child finds by
 * itself: endpoint_name() is what to tell it ("\\.\pipe\<name>"), NULL on
 * Linux. Until it has dialed, ours is neither readable nor writable.
 */
int stream_pipe_by_name(struct event_base *base, const char *name,
	bool to_child, struct stream **ret_ours, struct endpoint **ret_theirs);
const char *endpoint_name(const struct endpoint *ep);

/*
 * Opens the FIFO (Windows: named pipe) of a stdio path that another process
 * made. Never blocks, whether or not anybody has the other end open. Both
 * ends are held, so neither does our reading see an end when writers go away,
 * nor our writing break when readers do (fifo(7)): what is in the FIFO stays
 * for the next reader. -EINVAL if path is no FIFO.
 */
int stream_open_fifo(struct event_base *base, const char *path,
	struct stream **ret, struct err *e);

/* How long, from now on, such a pipe is dialed again when whoever made it has
 * gone while something was to be written: after that it is an error. 0, as at
 * first: for as long as it takes. On Linux a FIFO needs no dialing. */
void stream_dial_for(unsigned seconds);

/* Opens a regular file for appending; parent directories are made (0711), the
 * file too (0644). Always ready for writing. */
int stream_open_log(struct event_base *base, const char *path,
	struct stream **ret, struct err *e);

/* Swallows what is written, has nothing to read. */
int stream_open_null(struct event_base *base, struct stream **ret);

/* Connects to a listener's address (listener.h). Does not wait: -EAGAIN means
 * that the peer's queue is full now, -ECONNREFUSED or -ENOENT that nobody
 * listens. */
int stream_connect(struct event_base *base, const char *address,
	struct stream **ret, struct err *e);

/* The null device, open both ways. */
int endpoint_null(struct endpoint **ret);

/* A regular file, made (0600) if need be, opened for appending. */
int endpoint_append(const char *path, struct endpoint **ret);

/* Hands a child's end to the uid and gid that will use it (fchown(2)); a
 * no-op on Windows. */
int endpoint_chown(struct endpoint *ep, uint32_t uid, uint32_t gid);

/* NULL is fine. */
void endpoint_close(struct endpoint *ep);

#endif
