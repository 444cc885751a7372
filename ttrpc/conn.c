/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* How often one connection may read before the others get their turn. */
enum { READ_TURN = 64 };

struct chunk {
	struct chunk *next;
	size_t size, done;
	uint8_t data[];
};

struct conn {
	struct stream *stream;      /* NULL once closed */
	struct event *over;         /* runs closed() from the loop */
	const struct conn_ops *ops; /* borrowed */
	void *arg;                  /* borrowed */

	uint8_t header[FRAME_HEADER_SIZE];
	size_t header_got;
	struct frame frame; /* valid once the header is complete */
	uint8_t *data;      /* NULL unless a frame is partly there */
	size_t data_got;
	int skip; /* why the data is passed over, or 0 */

	struct chunk *first, **last;
	size_t queued; /* bytes of memory */

	int error;
	bool throttle;
	bool eof;       /* the peer sends no more */
	bool finishing; /* neither do we, once the queue is empty */
	bool broken;
	bool freed;
	bool busy; /* below a stream callback: free later */
};

static size_t chunk_memory(const struct chunk *k)
{
	return sizeof(*k) + k->size;
}

static void conn_drop_queue(struct conn *c)
{
	while (c->first) {
		struct chunk *k = c->first;

		c->first = k->next;
		free(k);
	}
	c->last = &c->first;
	c->queued = 0;
}

static void conn_drop_frame(struct conn *c)
{
	free(c->data);
	c->data = NULL;
	c->header_got = 0;
	c->data_got = 0;
	c->skip = 0;
}

void conn_fail(struct conn *c, int error)
{
	if (c->broken)
		return;
	c->broken = true;
	c->error = error;
	conn_drop_queue(c);
	conn_drop_frame(c);
	stream_close(c->stream);
	c->stream = NULL;
	event_active(c->over, EV_TIMEOUT, 0);
}

static void conn_over(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->ops->closed(c->error, c->arg);
}

bool conn_is_congested(const struct conn *c)
{
	return c->queued > CONN_QUEUE_HIGH;
}

bool conn_is_flushed(const struct conn *c)
{
	return !c->first;
}

static bool conn_may_read(const struct conn *c)
{
	return !c->broken && !c->eof && !c->finishing &&
	       !(c->throttle && conn_is_congested(c));
}

static void conn_watch(struct conn *c)
{
	unsigned want = 0;
	int r;

	if (c->broken)
		return;
	if (conn_may_read(c))
		want |= STREAM_READ;
	if (c->first)
		want |= STREAM_WRITE;
	r = stream_watch(c->stream, want);
	if (r < 0)
		conn_fail(c, r);
}

/* ---- sending ---- */

static int conn_write(struct conn *c, struct chunk *k)
{
	ssize_t n;

	while (k->done < k->size) {
		n = stream_write(
			c->stream, k->data + k->done, k->size - k->done);
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return (int)n;
		k->done += (size_t)n;
	}
	return 0;
}

/* Writes what goes. */
static void conn_flush(struct conn *c)
{
	bool congested = conn_is_congested(c);

	while (c->first) {
		struct chunk *k = c->first;
		int r = conn_write(c, k);

		if (r < 0) {
			conn_fail(c, r);
			return;
		}
		if (k->done < k->size)
			break;
		c->first = k->next;
		if (!c->first)
			c->last = &c->first;
		c->queued -= chunk_memory(k);
		free(k);
	}
	if (c->finishing && !c->first)
		conn_fail(c, 0);
	else if (congested && !conn_is_congested(c) && c->ops->writable)
		c->ops->writable(c->arg);
}

static void chunk_init(struct chunk *k, size_t size)
{
	k->next = NULL;
	k->size = size;
	k->done = 0;
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *k = malloc(sizeof(*k) + size);

	if (k)
		chunk_init(k, size);
	return k;
}

static void conn_queue_consume(struct conn *c, struct chunk *k)
{
	*c->last = k;
	c->last = &k->next;
	c->queued += chunk_memory(k);
}

/* Writes what goes of a chunk, and moves on what does not. */
static int conn_push(struct conn *c, const struct chunk *k)
{
	struct chunk *rest;

	rest = chunk_new(k->size - k->done);
	if (!rest)
		return -ENOMEM;
	memcpy(rest->data, k->data + k->done, rest->size);
	conn_queue_consume(c, rest);
	return 0;
}

/* Where a small message is packed: nothing is allocated if it goes at once. */
union small_chunk {
	struct chunk k;
	uint8_t room[sizeof(struct chunk) + FRAME_HEADER_SIZE + CONN_SMALL];
};

/* Sends a chunk that may be queued as it is, or (small) only copied. */
static int conn_put(struct conn *c, struct chunk *k, bool small)
{
	int r = 0;

	if (!c->first)
		r = conn_write(c, k);
	if (r < 0) {
		conn_fail(c, r);
		r = -EPIPE;
	} else if (k->done < k->size && small) {
		r = conn_push(c, k);
		if (r < 0 && k->done > 0) {
			conn_fail(c, r);
			r = -EPIPE;
		}
	} else if (k->done < k->size) {
		conn_queue_consume(c, k);
		return 0;
	}
	if (!small)
		free(k);
	return r;
}

int conn_send(struct conn *c, const struct frame *f, const struct envelope *m,
	bool important)
{
	size_t max = CONN_QUEUE_MAX + (important ? CONN_QUEUE_RESERVE : 0);
	size_t size = envelope_size(m), whole = FRAME_HEADER_SIZE + size;
	struct frame header = *f;
	bool small = size <= CONN_SMALL;
	union small_chunk room;
	struct chunk *k = &room.k;
	int r;

	if (c->broken || c->finishing)
		return -EPIPE;
	if (size > FRAME_DATA_MAX)
		return -EMSGSIZE;
	if (c->queued + sizeof(*k) + whole > max)
		return -ENOBUFS;
	if (small)
		chunk_init(k, whole);
	else
		k = chunk_new(whole);
	if (!k)
		return -ENOMEM;
	header.length = (uint32_t)size;
	frame_encode(&header, k->data);
	envelope_pack(m, k->data + FRAME_HEADER_SIZE);
	r = conn_put(c, k, small);
	if (!c->busy)
		conn_watch(c);
	return r;
}

void conn_finish(struct conn *c)
{
	c->finishing = true;
	if (!c->first)
		conn_fail(c, 0);
	else if (!c->busy)
		conn_watch(c);
}

/* ---- receiving ---- */

/* The frame at hand is complete: forget it, then tell. */
static void conn_deliver(struct conn *c)
{
	struct frame f = c->frame;
	uint8_t *data = c->data;
	int skip = c->skip;

	c->data = NULL;
	conn_drop_frame(c);
	if (skip)
		c->ops->skipped(&f, skip, c->arg);
	else
		c->ops->frame(&f, data, c->arg);
	free(data);
}

static void conn_begin_frame(struct conn *c)
{
	frame_decode(c->header, &c->frame);
	if (frame_is_malformed(&c->frame)) {
		conn_fail(c, -EPROTO);
		return;
	}
	if (c->frame.length > FRAME_DATA_MAX) {
		c->skip = -EMSGSIZE;
		return;
	}
	if (c->frame.length == 0)
		return;
	c->data = malloc(c->frame.length);
	if (!c->data)
		c->skip = -ENOMEM;
}

static ssize_t conn_read_header(struct conn *c)
{
	ssize_t n = stream_read(c->stream, c->header + c->header_got,
		FRAME_HEADER_SIZE - c->header_got);

	if (n > 0)
		c->header_got += (size_t)n;
	if (c->header_got == FRAME_HEADER_SIZE)
		conn_begin_frame(c);
	return n;
}

static ssize_t conn_read_data(struct conn *c)
{
	uint8_t waste[4096];
	size_t want = c->frame.length - c->data_got;
	uint8_t *to = c->skip ? waste : c->data + c->data_got;
	ssize_t n;

	if (c->skip && want > sizeof(waste))
		want = sizeof(waste);
	n = stream_read(c->stream, to, want);
	if (n > 0)
		c->data_got += (size_t)n;
	return n;
}

/* The peer sends no more. A write of nothing tells whether it still reads:
 * EPIPE if it is gone altogether. */
static void conn_at_eof(struct conn *c)
{
	if (c->header_got > 0)
		conn_fail(c, -EPROTO);
	else if (!c->ops->eof || stream_write(c->stream, "", 0) == -EPIPE)
		conn_fail(c, 0);
	else {
		c->eof = true;
		c->ops->eof(c->arg);
	}
}

/* One read. False when there is nothing more. */
static bool conn_read_some(struct conn *c)
{
	bool in_data = c->header_got == FRAME_HEADER_SIZE;
	ssize_t n = in_data ? conn_read_data(c) : conn_read_header(c);

	if (n == -EAGAIN)
		return false;
	if (n < 0)
		conn_fail(c, (int)n);
	else if (n == 0)
		conn_at_eof(c);
	if (n <= 0 || c->broken)
		return false;
	if (c->header_got == FRAME_HEADER_SIZE &&
		c->data_got == c->frame.length)
		conn_deliver(c);
	return true;
}

static void conn_read(struct conn *c)
{
	int turn = 0;

	while (turn++ < READ_TURN && conn_may_read(c)) {
		if (!conn_read_some(c))
			break;
	}
}

static void conn_ready(struct stream *s, unsigned what, void *arg)
{
	struct conn *c = arg;

	(void)s;
	c->busy = true;
	if (what & STREAM_WRITE && !c->broken)
		conn_flush(c);
	if (what & STREAM_READ)
		conn_read(c);
	c->busy = false;
	if (c->freed)
		free(c);
	else
		conn_watch(c);
}

/* ---- life ---- */

int conn_new(struct event_base *base, struct stream *stream, unsigned flags,
	const struct conn_ops *ops, void *arg, struct conn **ret)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		stream_close(stream);
		return -ENOMEM;
	}
	c->stream = stream;
	c->ops = ops;
	c->arg = arg;
	c->last = &c->first;
	c->throttle = flags & CONN_THROTTLE;
	c->over = event_new(base, -1, 0, conn_over, c);
	if (!c->over)
		goto fail;
	stream_set_cb(stream, conn_ready, c);
	r = stream_watch(stream, STREAM_READ);
	if (r < 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	conn_free(c);
	return -ENOMEM;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_drop_queue(c);
	conn_drop_frame(c);
	stream_close(c->stream);
	c->stream = NULL;
	if (c->over)
		event_free(c->over);
	c->broken = true; /* whoever is below us on the stack stops */
	c->freed = true;
	if (!c->busy)
		free(c);
}
