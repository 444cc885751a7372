/* SPDX-License-Identifier: Apache-2.0 */
#include "io/relay.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/auto.h"
#include "platform/spool.h"

/* What a move may take at once: a pipe's whole capacity, if it has been made
 * larger. */
#define MOVE_MAX (1024 * 1024)
#define COPY_MAX 4096

/* A reader who has not opened the FIFO yet is looked for at growing intervals.
 */
#define LINGER_MIN_MS 2
#define LINGER_MAX_MS 1000

/* A full disk is tried again at growing intervals. */
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 1000

/* A reader who takes nothing for so long has stalled. */
#define STALL_MS 100

/* How often one turn goes round before the rest of the loop has its own; a turn
 * of a policy's has smaller steps. */
#define TURNS 8
#define SPILL_TURNS 64

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
	bool disk_full;  /* which is why the destination has no room */
	char *buf;       /* COPY_MAX bytes, while copying */
	size_t off, len; /* what of buf is still to be written */
	uint64_t bytes, lost;
	uint64_t stalled_ms, stall_began_ms; /* 0: it has room */
	unsigned stalls, retry_ms;
	enum flow_state flow;                /* as it was told */
	const struct relay_options *options; /* borrowed */
	/* with another policy than `block` */
	struct spool *spool; /* NULL: nothing is spooled */
	bool full;           /* the destination has no room, as of this turn */
	bool mid_line;       /* what was passed on last has begun a line */
	bool skip;           /* what comes next is the rest of a dropped line */
	size_t skipped;      /* how much of it there was */
};

static const struct relay_options blocking = {.policy = {.kind = POLICY_BLOCK}};

static void relay_pump(struct relay *r);
static void relay_ready(struct stream *s, unsigned what, void *arg);

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void stall_begin(struct relay *r)
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

static bool is_disk_full(ssize_t n)
{
	return n == -ENOSPC || n == -EDQUOT;
}

static void tell(struct relay *r, enum flow_state now)
{
	if (r->flow == now)
		return;
	r->flow = now;
	if (r->options->told)
		r->options->told(r, now, r->options->arg);
}

/* No memory: look again soon, and do not spin until then. */
static void relay_rest(struct relay *r)
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

/* No event says when a disk has room again. */
static void relay_retry(struct relay *r)
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
	stall_begin(r);
	r->blocked = r->disk_full = true;
	tell(r, FLOW_WAITS);
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

/* The source is at its end. */
static void relay_delivered(struct relay *r)
{
	event_del(r->turn);
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
	stall_end(r);
	stream_close(r->to);
	r->to = null;
	stream_set_cb(null, relay_ready, r);
	r->broken = true;
	return 1;
}

static void relay_count(struct relay *r, ssize_t n)
{
	*(r->broken ? &r->lost : &r->bytes) += (uint64_t)n;
	stall_end(r);
	r->retry_ms = 0;
	if (r->disk_full) {
		r->disk_full = false;
		if (r->flow == FLOW_WAITS)
			tell(r, FLOW_FREE);
	}
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
		stall_begin(r);
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
		stall_begin(r);
		relay_wait(r, true);
		return 0;
	}
	if (n == -EPIPE)
		return relay_break(r);
	if (is_disk_full(n)) {
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

/* ---- the policies that do not wait ---- */

static bool has_spooled(const struct relay *r)
{
	return spool_used(r->spool) > 0;
}

static void spill_refused(struct relay *r, ssize_t why)
{
	r->full = true;
	r->disk_full = is_disk_full(why);
	stall_begin(r);
}

static void spill_wait(struct relay *r)
{
	int a = 0, b;

	r->blocked = r->len > 0 || has_spooled(r);
	if (r->len == 0)
		free(ptr_take(&r->buf));
	if (r->from)
		a = stream_watch(r->from, r->len == 0 ? STREAM_READ : 0);
	b = stream_watch(r->to, r->blocked && !r->disk_full ? STREAM_WRITE : 0);
	if (a < 0 || b < 0)
		relay_rest(r);
	else if (r->blocked && r->disk_full)
		relay_retry(r);
}

/* The oldest bytes. 1: go on, 0: ended. */
static int spill_spooled(struct relay *r)
{
	ssize_t n = spool_get(r->spool, r->to);

	if (n == -EPIPE)
		return relay_break(r);
	if (n == -EAGAIN || is_disk_full(n))
		spill_refused(r, n);
	else if (n < 0)
		r->lost += spool_skip(r->spool);
	else
		relay_count(r, n);
	if (!has_spooled(r)) {
		spool_close(ptr_take(&r->spool));
		tell(r, FLOW_FREE);
	}
	return 1;
}

static void held_drop(struct relay *r)
{
	bool whole = r->buf[r->off + r->len - 1] == '\n';

	r->lost += r->len;
	r->len = 0;
	r->skip = r->mid_line || !whole;
	tell(r, FLOW_DROPS);
}

/* n of the bytes that are held were passed on. */
static void held_taken(struct relay *r, size_t n, enum flow_state now)
{
	r->off += n;
	r->len -= n;
	r->mid_line = r->buf[r->off - 1] != '\n';
	r->skip = false;
	r->skipped = 0;
	tell(r, now);
}

/* Goes on where a line begins; a line whose beginning was passed on ends there.
 * What has no lines goes on anywhere. */
static void held_skip(struct relay *r)
{
	const char *at = r->buf + r->off, *end = memchr(at, '\n', r->len);
	size_t n = end ? (size_t)(end - at) + !r->mid_line : r->len;

	if (!end && r->skipped + n >= COPY_MAX)
		end = at, n = 0;
	r->lost += n;
	r->skipped += n;
	r->off += n;
	r->len -= n;
	r->skip = !end;
}

static ssize_t held_spool(struct relay *r)
{
	const struct policy *p = &r->options->policy;
	ssize_t n = 0;

	if (p->kind != POLICY_SPOOL)
		return -ENOBUFS;
	if (!r->spool)
		n = spool_open(r->options->dir, p->spool_size, &r->spool);
	if (n == 0)
		n = spool_put(r->spool, r->buf + r->off, r->len);
	if (!has_spooled(r))
		spool_close(ptr_take(&r->spool));
	return n;
}

/* There is no room for what is held. 1: go on, 0: wait. */
static int spill_over(struct relay *r)
{
	const struct policy *p = &r->options->policy;
	ssize_t n = held_spool(r);

	if (n > 0) {
		held_taken(r, (size_t)n, FLOW_SPOOLS);
		return 1;
	}
	if (p->kind == POLICY_DROP || p->then_drop) {
		held_drop(r);
		return 1;
	}
	tell(r, FLOW_WAITS);
	spill_wait(r);
	if (n != -ENOBUFS)
		relay_retry(r);
	return 0;
}

static int spill_held(struct relay *r)
{
	ssize_t n;

	if (r->skip)
		held_skip(r);
	if (r->len == 0)
		return 1;
	if (r->full || has_spooled(r))
		return spill_over(r);
	n = stream_write(r->to, r->buf + r->off, r->len);
	if (n == -EPIPE)
		return relay_break(r);
	if (n == -EAGAIN || is_disk_full(n)) {
		spill_refused(r, n);
	} else if (n < 0) {
		held_drop(r);
	} else {
		relay_count(r, n);
		held_taken(r, (size_t)n, FLOW_FREE);
	}
	return 1;
}

static int spill_source_ended(struct relay *r)
{
	stream_close(ptr_take(&r->from));
	return 1;
}

/* As much as goes straight on. */
static int spill_move(struct relay *r)
{
	ssize_t n = stream_move(r->from, r->to, MOVE_MAX);

	if (n == -EPIPE)
		return relay_break(r);
	if (n == -EAGAIN && !r->finishing) {
		spill_wait(r);
		return 0;
	}
	if (n == 0 || n == -EAGAIN)
		return spill_source_ended(r);
	if (n == -ENOBUFS) {
		spill_refused(r, n);
	} else if (n < 0) {
		r->copying = true;
	} else {
		r->mid_line = true; /* as far as we know */
		relay_count(r, n);
	}
	return 1;
}

static int spill_read(struct relay *r)
{
	bool straight = r->options->policy.kind == POLICY_SPOOL && !r->copying;
	ssize_t n;

	if (!r->from && !has_spooled(r)) {
		relay_delivered(r);
		return 0;
	}
	if (!r->from) {
		spill_wait(r);
		return 0;
	}
	if (straight && !r->full && !has_spooled(r))
		return spill_move(r);
	if (!r->buf)
		r->buf = malloc(COPY_MAX);
	if (!r->buf) {
		relay_rest(r);
		return 0;
	}
	n = stream_read(r->from, r->buf, COPY_MAX);
	if (n == -EAGAIN && !r->finishing) {
		spill_wait(r);
		return 0;
	}
	if (n <= 0)
		return spill_source_ended(r);
	r->off = 0;
	r->len = (size_t)n;
	return 1;
}

/* Reading and delivering take turns, so that neither waits for the other. A
 * turn does not end with bytes in hand, unless they must wait. */
static void spill_pump(struct relay *r)
{
	int i, on = 1;

	r->full = false;
	for (i = 0; (i < SPILL_TURNS || r->len > 0) && on; i++) {
		if (i % 2 == 0 && has_spooled(r) && !r->full)
			on = spill_spooled(r);
		else if (r->len > 0)
			on = spill_held(r);
		else
			on = spill_read(r);
	}
	if (on)
		spill_wait(r);
}

static void relay_pump(struct relay *r)
{
	int i;

	if (r->options->policy.kind != POLICY_BLOCK) {
		spill_pump(r);
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
	if (has_spooled(r))
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
