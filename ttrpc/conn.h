/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - frames over one stream, in bounded memory, never blocking.
 *
 * A connection takes the peer's bytes as they come, one frame at a time: it
 * reads exactly what the frame at hand still lacks, so an idle connection
 * holds no buffer at all. What is sent is written at once; only what the
 * stream does not take is queued, and the queue is freed as it empties.
 *
 * Callbacks run from the loop, never inside conn_send() or any other call made
 * here, and every one of them may call anything here, conn_free() included.
 * After closed() has run, all that is left to do is conn_free().
 */
#ifndef WISP_TTRPC_CONN_H
#define WISP_TTRPC_CONN_H

#include <stddef.h>

#include "platform/stream.h"
#include "ttrpc/frame.h"
#include "ttrpc/message.h"

struct conn;

/* Bytes of memory in the write queue. Above HIGH the connection is congested;
 * one maximal message more still fits, and a bit for short refusals. */
enum {
	CONN_QUEUE_HIGH = 8 << 20,
	CONN_QUEUE_MAX = CONN_QUEUE_HIGH + FRAME_DATA_MAX + (64 << 10),
	CONN_QUEUE_RESERVE = 256 << 10,
};

struct conn_ops {
	/* A whole frame; data is borrowed, NULL if the length is 0. */
	void (*frame)(const struct frame *f, const uint8_t *data, void *arg);

	/* A frame went by without its data, which was too long (-EMSGSIZE) or
	 * for which there was no memory (-ENOMEM). */
	void (*skipped)(const struct frame *f, int error, void *arg);

	/* The peer sends no more, but it still reads: end it with
	 * conn_finish(). NULL: it is over then, as if by closed(0). */
	void (*eof)(void *arg);

	/* No longer congested. May be NULL. */
	void (*writable)(void *arg);

	/* Over, once: 0 the peer left between two frames or conn_finish() is
	 * done, -EPROTO malformed or left within a frame, else what the
	 * stream said. */
	void (*closed)(int error, void *arg);
};

enum {
	/* Do not read while congested: for the side that answers. The side
	 * that asks must always read, or both could wait for each other. */
	CONN_THROTTLE = 1,
};

/* Consumes stream, also on failure. ops and arg are borrowed. -ENOMEM. */
int conn_new(struct event_base *base, struct stream *stream, unsigned flags,
	const struct conn_ops *ops, void *arg, struct conn **ret);

/* Closes at once, without callback. NULL is fine. */
void conn_free(struct conn *c);

/*
 * Sends one frame; its length is taken from the message. -EMSGSIZE over 4 MiB,
 * -ENOBUFS the queue is full, -ENOMEM: nothing was sent, the connection is as
 * good as before. -EPIPE: it is broken or closing.
 *
 * A message of up to CONN_SMALL bytes needs no memory while the queue is empty
 * and the stream takes it. If `important`, it may use CONN_QUEUE_RESERVE too.
 */
enum { CONN_SMALL = 2304 };

int conn_send(struct conn *c, const struct frame *f, const struct envelope *m,
	bool important);

/* Closes once all is written. */
void conn_finish(struct conn *c);

/* Breaks the connection: closed(error) will run from the loop. */
void conn_fail(struct conn *c, int error);

/* Whether more than CONN_QUEUE_HIGH is queued, and whether nothing is. */
bool conn_is_congested(const struct conn *c);
bool conn_is_flushed(const struct conn *c);

#endif
