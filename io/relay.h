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
 * A destination without room stops it all the same if it is a disk that is
 * full: it is tried again until there is room. What else a destination refuses
 * without being broken (EIO) is lost, and reading goes on.
 *
 * All of that is the policy `block` (policy.h), which a relay has unless it is
 * told another. Under `drop` everything passes through the buffer, so that
 * whole lines can be dropped; under `spool` only what does not go straight on.
 */
#ifndef WISP_IO_RELAY_H
#define WISP_IO_RELAY_H

#include "io/policy.h"
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

/* Called right after relay_start(). Borrowed for the relay's life. */
struct relay_options {
	struct policy policy;
	const char *dir; /* for the file of a spool */
	/* The bytes do something else from now on; from the loop. NULL: nobody
	 * is told. The relay must not be freed in here. */
	void (*told)(struct relay *r, enum flow_state now, void *arg);
	void *arg;
};
void relay_set_options(struct relay *r, const struct relay_options *options);

/* Ends the relay as soon as the source is empty, for a source that never comes
 * to an end by itself: what was written before this call is delivered. */
void relay_finish(struct relay *r);

/* From now on a reader who has the FIFO open is trusted to take what is in it:
 * the end does not wait for that any more. */
void relay_trust_reader(struct relay *r);

/* True while there are bytes that a reader, as far as it is known, is still to
 * take: in the source, here, or in the FIFO. Where the policy is not `block`, a
 * reader who has taken nothing for a while counts for nobody. */
bool relay_is_unread(struct relay *r);

/* True while bytes are known to wait for room in the destination. */
bool relay_is_blocked(const struct relay *r);

/* Delivered: accepted by the destination, and after relay_outlive() taken out
 * of the pipe. */
uint64_t relay_bytes(const struct relay *r);
/* Dropped, refused by the destination, or left unread in it. */
uint64_t relay_lost(const struct relay *r);

/* For people who look. */
void relay_stats(const struct relay *r, struct flow_stats *ret);

/* Closes both streams, if they still are open, and frees; done() does not run
 * any more. NULL is fine. May be called from done(). */
void relay_free(struct relay *r);

#endif
