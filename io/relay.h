/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.h - move bytes one way with bounded memory.
 *
 * A relay reads from one stream and writes to another, only ever as much as
 * the other has room for: a full destination stops the reading, which stops
 * the writer at the far end. Where the system can move bytes between the two
 * without copying (stream_move) no byte passes through this process; otherwise
 * one small buffer holds what is on its way.
 *
 * It ends when the source is at its end and everything has been written, and
 * taken if it is a FIFO (stream_linger); or when the destination breaks. Then
 * both streams are closed and done() runs, once, from the loop, never inside a
 * function of this header.
 *
 * A destination that refuses bytes without being broken (a full disk) loses
 * them, and reading goes on: the writer at the far end must not hang for it.
 */
#ifndef WISP_IO_RELAY_H
#define WISP_IO_RELAY_H

#include "platform/stream.h"

struct relay;

typedef void (*relay_cb)(struct relay *r, void *arg);

/* Consumes both streams, also on failure (-ENOMEM). */
int relay_start(struct event_base *base, struct stream *from, struct stream *to,
	relay_cb done, void *arg, struct relay **ret);

/*
 * The destination is a pipe to a program that may die, and the writer at the
 * far end must not: once nobody can read the pipe any more, the relay reads on
 * and loses what it reads. And the end waits until the program has taken what
 * is in the pipe, so that it may be told to end right after. Called right after
 * relay_start().
 */
void relay_outlive(struct relay *r);

/* Ends the relay as soon as the source is empty, for a source that never comes
 * to an end by itself: what was written before this call is delivered. */
void relay_finish(struct relay *r);

/* From now on a reader who has the FIFO open is trusted to take what is in it:
 * the end does not wait for that any more. */
void relay_trust_reader(struct relay *r);

/* True while there are bytes that a reader, as far as it is known, is still to
 * take: in the source, here, or in the FIFO. */
bool relay_is_unread(struct relay *r);

/* True while bytes are known to wait for room in the destination. */
bool relay_is_blocked(const struct relay *r);

/* Delivered: accepted by the destination, and after relay_outlive() taken out
 * of the pipe. */
uint64_t relay_bytes(const struct relay *r);
/* Refused by the destination, or left unread in it. */
uint64_t relay_lost(const struct relay *r);

/* Closes both streams, if they still are open, and frees; done() does not run
 * any more. NULL is fine. May be called from done(). */
void relay_free(struct relay *r);

#endif
