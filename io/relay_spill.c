/* SPDX-License-Identifier: Apache-2.0 */
/* The policies `drop` and `spool`: output that has no room does not wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/relay_parts.h"
#include "platform/auto.h"
#include "platform/spool.h"

/* How often one turn goes round, in steps that are smaller than relay.c's. */
#define SPILL_TURNS 64

static void spill_refused(struct relay *r, ssize_t why)
{
	r->full = true;
	r->disk_full = relay_disk_is_full(why);
	relay_stall_begin(r);
}

static void spill_wait(struct relay *r)
{
	int a = 0, b;

	r->blocked = r->len > 0 || relay_has_spooled(r);
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
	if (n == -EAGAIN || relay_disk_is_full(n))
		spill_refused(r, n);
	else if (n < 0)
		r->lost += spool_skip(r->spool);
	else
		relay_count(r, n);
	if (!relay_has_spooled(r)) {
		spool_close(ptr_take(&r->spool));
		relay_tell(r, FLOW_FREE);
	}
	return 1;
}

static void held_drop(struct relay *r)
{
	bool whole = r->buf[r->off + r->len - 1] == '\n';

	r->lost += r->len;
	r->len = 0;
	r->skip = r->mid_line || !whole;
	relay_tell(r, FLOW_DROPS);
}

/* n of the bytes that are held were passed on. */
static void held_taken(struct relay *r, size_t n, enum flow_state now)
{
	r->off += n;
	r->len -= n;
	r->mid_line = r->buf[r->off - 1] != '\n';
	r->skip = false;
	r->skipped = 0;
	relay_tell(r, now);
}

/* Goes on where a line begins; a line whose beginning was passed on ends there.
 * What has no lines goes on anywhere. */
static void held_skip(struct relay *r)
{
	const char *at = r->buf + r->off, *end = memchr(at, '\n', r->len);
	size_t n = end ? (size_t)(end - at) + !r->mid_line : r->len;

	if (!end && r->skipped + n >= RELAY_COPY_MAX)
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
	if (!relay_has_spooled(r))
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
	relay_tell(r, FLOW_WAITS);
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
	if (r->full || relay_has_spooled(r))
		return spill_over(r);
	n = stream_write(r->to, r->buf + r->off, r->len);
	if (n == -EPIPE)
		return relay_break(r);
	if (n == -EAGAIN || relay_disk_is_full(n)) {
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
	ssize_t n = stream_move(r->from, r->to, RELAY_MOVE_MAX);

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

	if (!r->from && !relay_has_spooled(r)) {
		relay_delivered(r);
		return 0;
	}
	if (!r->from) {
		spill_wait(r);
		return 0;
	}
	if (straight && !r->full && !relay_has_spooled(r))
		return spill_move(r);
	n = relay_read(r);
	if (n == -ENOMEM) {
		relay_rest(r);
		return 0;
	}
	if (n == -EAGAIN && !r->finishing) {
		spill_wait(r);
		return 0;
	}
	return n > 0 ? 1 : spill_source_ended(r);
}

/* Reading and delivering take turns, so that neither waits for the other. A
 * turn does not end with bytes in hand, unless they must wait. */
void relay_spill(struct relay *r)
{
	int i, on = 1;

	r->full = false;
	for (i = 0; (i < SPILL_TURNS || r->len > 0) && on; i++) {
		if (i % 2 == 0 && relay_has_spooled(r) && !r->full)
			on = spill_spooled(r);
		else if (r->len > 0)
			on = spill_held(r);
		else
			on = spill_read(r);
	}
	if (on)
		spill_wait(r);
}
