/* SPDX-License-Identifier: Apache-2.0 */
#include "io/relay.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/relay_parts.h"
#include "platform/auto.h"
#include "platform/spool.h"

/* A reader who has not opened the FIFO yet is looked for at growing intervals.
 */
#define LINGER_MIN_MS 2
#define LINGER_MAX_MS 1000

/* A full disk is tried again at growing intervals. */
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 1000

/* A reader who takes nothing for so long has stalled. */
#define STALL_MS 100

/* How often one turn goes round before the rest of the loop has its own. */
#define TURNS 8

static const struct relay_options blocking = {.policy = {.kind = POLICY_BLOCK}};

static void relay_pump(struct relay *r);
static void relay_ready(struct stream *s, unsigned what, void *arg);

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void relay_stall_begin(struct relay *r)
{
	if (r->stall_began_ms)
		return;
	r->stall_began_ms = now_ms();
	r->stalls++;
}

static void stall_end(struct relay *r)
{
	if (!r->stall_began_ms)
		return;
	r->stalled_ms += now_ms() - r->stall_began_ms;
	r->stall_began_ms = 0;
}

static bool is_stalled(const struct relay *r)
{
	return r->stall_began_ms && now_ms() - r->stall_began_ms > STALL_MS;
}

bool relay_disk_is_full(ssize_t n)
{
	return n == -ENOSPC || n == -EDQUOT;
}

void relay_tell(struct relay *r, enum flow_state now)
{
	if (r->flow == now)
		return;
	r->flow = now;
	if (r->options->told)
		r->options->told(r, now, r->options->arg);
}

void relay_rest(struct relay *r)
{
	static const struct timeval soon = {.tv_usec = 100000};

	if (r->from)
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

void relay_retry(struct relay *r)
{
	struct timeval tv;

	if (event_pending(r->turn, EV_TIMEOUT, NULL))
		return;
	r->retry_ms = r->retry_ms ? 2 * r->retry_ms : RETRY_MIN_MS;
	if (r->retry_ms > RETRY_MAX_MS)
		r->retry_ms = RETRY_MAX_MS;
	tv.tv_sec = r->retry_ms / 1000;
	tv.tv_usec = r->retry_ms % 1000 * 1000;
	if (event_add(r->turn, &tv) < 0)
		event_active(r->turn, EV_TIMEOUT, 0);
}

static void relay_wait_for_disk(struct relay *r)
{
	relay_stall_begin(r);
	r->blocked = r->disk_full = true;
	relay_tell(r, FLOW_WAITS);
	stream_watch(r->from, 0);
	stream_watch(r->to, 0);
	relay_retry(r);
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
	r->lost += spool_used(r->spool);
	spool_close(ptr_take(&r->spool));
	stall_end(r);
	stream_close(r->from);
	stream_close(r->to);
	r->from = r->to = NULL;
	r->ended = true;
	r->blocked = false;
	event_active(r->turn, EV_TIMEOUT, 0);
}

void relay_delivered(struct relay *r)
{
	event_del(r->turn);
	stream_watch(r->to, 0);
	stream_close(r->from);
	r->from = NULL;
	r->blocked = false;
	if (!relay_linger(r))
		relay_end(r);
}

int relay_break(struct relay *r)
{
	struct stream *null;

	if (!r->outlives || r->broken || stream_open_null(r->base, &null) < 0) {
		relay_end(r);
		return 0;
	}
	relay_write_off(r);
	stall_end(r);
	stream_close(r->to);
	r->to = null;
	stream_set_cb(null, relay_ready, r);
	r->broken = true;
	return 1;
}

void relay_count(struct relay *r, ssize_t n)
{
	*(r->broken ? &r->lost : &r->bytes) += (uint64_t)n;
	stall_end(r);
	r->retry_ms = 0;
	if (r->disk_full) {
		r->disk_full = false;
		if (r->flow == FLOW_WAITS)
			relay_tell(r, FLOW_FREE);
	}
}

/* 1: go on, 0: wait or ended. */
static int relay_move(struct relay *r)
{
	ssize_t n = stream_move(r->from, r->to, RELAY_MOVE_MAX);

	if (n > 0) {
		relay_count(r, n);
		return 1;
	}
	switch (n) {
	case -ENOBUFS:
		relay_stall_begin(r);
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
		relay_stall_begin(r);
		relay_wait(r, true);
		return 0;
	}
	if (n == -EPIPE)
		return relay_break(r);
	if (relay_disk_is_full(n)) {
		relay_wait_for_disk(r);
		return 0;
	}
	if (n < 0) { /* EIO: it won't get better, the writer must not hang */
		r->lost += r->len;
		r->len = 0;
		return 1;
	}
	relay_count(r, n);
	r->off += (size_t)n;
	r->len -= (size_t)n;
	return 1;
}

ssize_t relay_read(struct relay *r)
{
	ssize_t n;

	if (!r->buf)
		r->buf = malloc(RELAY_COPY_MAX);
	if (!r->buf)
		return -ENOMEM;
	n = stream_read(r->from, r->buf, RELAY_COPY_MAX);
	if (n > 0) {
		r->off = 0;
		r->len = (size_t)n;
	}
	return n;
}

static int relay_copy(struct relay *r)
{
	ssize_t n;

	if (r->len > 0)
		return relay_write(r);
	n = relay_read(r);
	if (n == -ENOMEM) {
		relay_rest(r);
		return 0;
	}
	if (n > 0)
		return relay_write(r);
	if (n == -EAGAIN && !r->finishing)
		relay_wait(r, false);
	else
		relay_delivered(r);
	return 0;
}

bool relay_has_spooled(const struct relay *r)
{
	return spool_used(r->spool) > 0;
}

static void relay_pump(struct relay *r)
{
	int i;

	if (r->options->policy.kind != POLICY_BLOCK) {
		relay_spill(r);
		return;
	}
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
	r->options = &blocking;
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

void relay_set_options(struct relay *r, const struct relay_options *options)
{
	r->options = options;
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
	bool in_source = r->from && stream_pending(r->from) > 0;

	if (r->ended || r->broken)
		return false;
	if (r->options->policy.kind != POLICY_BLOCK && is_stalled(r))
		return in_source;
	if (relay_has_spooled(r))
		return true;
	if (!r->from)
		return stream_linger(r->to) == STREAM_BEING_READ;
	return r->len > 0 || in_source || stream_unread(r->to) > 0;
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

/* FIONREAD speaks of files, too, where it means nothing here. */
static uint64_t unread_in(const struct relay *r)
{
	if (!r->to || r->broken)
		return 0;
	return r->outlives ? stream_pending(r->to) : stream_unread(r->to);
}

void relay_stats(const struct relay *r, struct flow_stats *ret)
{
	uint64_t spooled = spool_used(r->spool);

	*ret = (struct flow_stats){
		.in = r->bytes + r->lost + spooled + r->len,
		.out = relay_bytes(r),
		.lost = r->lost,
		.spooled = spooled,
		.waiting = r->len + (r->from ? stream_pending(r->from) : 0),
		.unread = unread_in(r),
		.stalls = r->stalls,
		.stalled_ms = r->stalled_ms,
		.state = r->flow,
		.disk_full = r->disk_full,
		.ended = r->ended,
	};
	if (r->stall_began_ms)
		ret->stalled_ms += now_ms() - r->stall_began_ms;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	spool_close(r->spool);
	event_free(r->turn);
	stream_close(r->from);
	stream_close(r->to);
	free(r->buf);
	free(r);
}
