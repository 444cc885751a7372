/* SPDX-License-Identifier: Apache-2.0 */
#include "io/relay.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* What a move may take at once: a pipe's whole capacity, if it has been made
 * larger. */
#define MOVE_MAX (1024 * 1024)
#define COPY_MAX 4096

/* A reader who has not opened the FIFO yet is looked for at growing intervals.
 */
#define LINGER_MIN_MS 2
#define LINGER_MAX_MS 1000

/* How often one turn goes round before the rest of the loop has its own. */
#define TURNS 8

struct relay {
	struct event_base *base; /* borrowed */
	struct stream *from, *to;
	struct event *turn; /* runs the pump, or done(), from the loop */
	relay_cb done;
	void *arg;
	bool trusting;  /* a reader is enough, he need not have read */
	bool finishing; /* an empty source is the end */
	bool ended;
	unsigned linger_ms; /* > 0: all is written, a reader is missing */
	bool copying;       /* this pair of streams can't be moved between */
	bool blocked;
	bool outlives;   /* goes on when the destination is broken */
	bool broken;     /* which it is: `to` is the null device now */
	char *buf;       /* COPY_MAX bytes, while copying */
	size_t off, len; /* what of buf is still to be written */
	uint64_t bytes, lost;
};

static void relay_pump(struct relay *r);
static void relay_ready(struct stream *s, unsigned what, void *arg);

/* No memory: look again soon, and do not spin until then. */
static void relay_rest(struct relay *r)
{
	static const struct timeval soon = {.tv_usec = 100000};

	stream_watch(r->from, 0);
	stream_watch(r->to, 0);
	event_add(r->turn, &soon);
}

static void relay_wait(struct relay *r, bool for_room)
{
	int a, b;

	r->blocked = for_room;
	a = stream_watch(r->from, for_room ? 0 : STREAM_READ);
	b = stream_watch(r->to, for_room ? STREAM_WRITE : 0);
	if (a < 0 || b < 0)
		relay_rest(r);
}

static bool must_linger(struct relay *r)
{
	enum stream_rest rest = stream_linger(r->to);

	return rest == STREAM_LEFT_ALONE ||
	       (rest == STREAM_BEING_READ && !r->trusting);
}

static bool somebody_is_to_read(struct relay *r)
{
	if (r->broken || !r->outlives)
		return must_linger(r);
	r->blocked = stream_is_unread(r->to);
	return r->blocked;
}

static bool relay_linger(struct relay *r)
{
	struct timeval tv;

	if (!somebody_is_to_read(r))
		return false;
	r->linger_ms = r->linger_ms ? 2 * r->linger_ms : LINGER_MIN_MS;
	if (r->linger_ms > LINGER_MAX_MS)
		r->linger_ms = LINGER_MAX_MS;
	tv.tv_sec = r->linger_ms / 1000;
	tv.tv_usec = r->linger_ms % 1000 * 1000;
	return event_add(r->turn, &tv) == 0;
}

/* What nobody took out of the pipe was not delivered after all. */
static void relay_write_off(struct relay *r)
{
	uint64_t n =
		r->outlives && !r->broken && r->to ? stream_pending(r->to) : 0;

	r->bytes -= n;
	r->lost += n;
}

/* The destination is broken, or has all that there was. */
static void relay_end(struct relay *r)
{
	relay_write_off(r);
	stream_close(r->from);
	stream_close(r->to);
	r->from = r->to = NULL;
	r->ended = true;
	r->blocked = false;
	event_active(r->turn, EV_TIMEOUT, 0);
}

/* The source is at its end. */
static void relay_delivered(struct relay *r)
{
	stream_watch(r->to, 0);
	stream_close(r->from);
	r->from = NULL;
	r->blocked = false;
	if (!relay_linger(r))
		relay_end(r);
}

/* Nobody can ever read it. 1: go on, 0: ended. */
static int relay_break(struct relay *r)
{
	struct stream *null;

	if (!r->outlives || r->broken || stream_open_null(r->base, &null) < 0) {
		relay_end(r);
		return 0;
	}
	relay_write_off(r);
	stream_close(r->to);
	r->to = null;
	stream_set_cb(null, relay_ready, r);
	r->broken = true;
	return 1;
}

static void relay_count(struct relay *r, ssize_t n)
{
	*(r->broken ? &r->lost : &r->bytes) += (uint64_t)n;
}

/* 1: go on, 0: wait or ended. */
static int relay_move(struct relay *r)
{
	ssize_t n = stream_move(r->from, r->to, MOVE_MAX);

	if (n > 0) {
		relay_count(r, n);
		return 1;
	}
	switch (n) {
	case -ENOBUFS:
		relay_wait(r, true);
		return 0;
	case -EPIPE:
		return relay_break(r);
	case -EAGAIN:
		if (!r->finishing) {
			relay_wait(r, false);
			return 0;
		}
		/* fall through */
	case 0:
		relay_delivered(r);
		return 0;
	default: /* this pair can't, or a full disk: see what gets lost */
		r->copying = true;
		return 1;
	}
}

static int relay_write(struct relay *r)
{
	ssize_t n = stream_write(r->to, r->buf + r->off, r->len);

	if (n == -EAGAIN) {
		relay_wait(r, true);
		return 0;
	}
	if (n == -EPIPE)
		return relay_break(r);
	if (n < 0) { /* ENOSPC, EDQUOT, EIO: the writer must not hang */
		r->lost += r->len;
		r->len = 0;
		return 1;
	}
	relay_count(r, n);
	r->off += (size_t)n;
	r->len -= (size_t)n;
	return 1;
}

static int relay_copy(struct relay *r)
{
	ssize_t n;

	if (r->len > 0)
		return relay_write(r);
	if (!r->buf)
		r->buf = malloc(COPY_MAX);
	if (!r->buf) {
		relay_rest(r);
		return 0;
	}
	n = stream_read(r->from, r->buf, COPY_MAX);
	if (n > 0) {
		r->off = 0;
		r->len = (size_t)n;
		return relay_write(r);
	}
	if (n == -EAGAIN && !r->finishing)
		relay_wait(r, false);
	else
		relay_delivered(r);
	return 0;
}

static void relay_pump(struct relay *r)
{
	int i;

	for (i = 0; i < TURNS; i++)
		if (!(r->copying ? relay_copy(r) : relay_move(r)))
			return;
	relay_wait(r, r->len > 0);
}

static void relay_ready(struct stream *s, unsigned what, void *arg)
{
	(void)s;
	(void)what;
	relay_pump(arg);
}

static void relay_turn(evutil_socket_t fd, short what, void *arg)
{
	struct relay *r = arg;

	(void)fd;
	(void)what;
	if (r->linger_ms > 0 && !r->ended) {
		if (!relay_linger(r))
			relay_end(r);
	} else if (!r->ended) {
		relay_pump(r);
	} else if (r->done) {
		r->done(r, r->arg);
	}
}

int relay_start(struct event_base *base, struct stream *from, struct stream *to,
	relay_cb done, void *arg, struct relay **ret)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r)
		r->turn = event_new(base, -1, 0, relay_turn, r);
	if (!r || !r->turn) {
		free(r);
		stream_close(from);
		stream_close(to);
		return -ENOMEM;
	}
	r->base = base;
	r->from = from;
	r->to = to;
	r->done = done;
	r->arg = arg;
	stream_set_cb(from, relay_ready, r);
	stream_set_cb(to, relay_ready, r);
	event_active(r->turn, EV_TIMEOUT, 0);
	*ret = r;
	return 0;
}

void relay_outlive(struct relay *r)
{
	r->outlives = true;
}

void relay_finish(struct relay *r)
{
	if (r->finishing)
		return;
	r->finishing = true;
	if (!r->ended && r->linger_ms == 0)
		event_active(r->turn, EV_TIMEOUT, 0);
}

void relay_trust_reader(struct relay *r)
{
	r->trusting = true;
	if (r->linger_ms > 0 && !r->ended)
		event_active(r->turn, EV_TIMEOUT, 0);
}

bool relay_is_unread(struct relay *r)
{
	if (r->ended || r->broken)
		return false;
	if (!r->from)
		return stream_linger(r->to) == STREAM_BEING_READ;
	return r->len > 0 || stream_pending(r->from) > 0 ||
	       stream_unread(r->to) > 0;
}

bool relay_is_blocked(const struct relay *r)
{
	return r->blocked;
}

uint64_t relay_bytes(const struct relay *r)
{
	if (!r->outlives || r->broken || !r->to)
		return r->bytes;
	return r->bytes - stream_pending(r->to);
}

uint64_t relay_lost(const struct relay *r)
{
	return r->lost;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	event_free(r->turn);
	stream_close(r->from);
	stream_close(r->to);
	free(r->buf);
	free(r);
}
