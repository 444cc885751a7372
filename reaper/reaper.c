/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper/reaper.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* Room that is always there, so that small bursts never allocate. */
#define PARK_ROOM 32

struct claim {
	struct claim *next;
	reaper_cb cb;
	void *arg;
	struct process_exit exit; /* exit.pid is set from the start */
};

struct reaper {
	struct exit_source *source;
	struct event
		*deliver; /* exits that were there when they were claimed */
	struct claim *claims;
	struct claim *due, **due_tail; /* done, in order of collection */
	unsigned n_claims;
	unsigned holds;
	struct process_exit *parked;
	size_t n_parked, room;
	bool delivering;
};

static struct claim **claim_find(struct reaper *r, int64_t pid)
{
	struct claim **c = &r->claims;

	while (*c && (*c)->exit.pid != pid)
		c = &(*c)->next;
	return c;
}

static void claim_finish(
	struct reaper *r, struct claim **c, const struct process_exit *x)
{
	struct claim *done = *c;

	*c = done->next;
	done->next = NULL;
	done->exit = *x;
	*r->due_tail = done;
	r->due_tail = &done->next;
}

/* A wave of orphans beyond the room: if there is no memory they stay with the
 * kernel as zombies until something is settled. */
static bool park_has_room(struct reaper *r)
{
	struct process_exit *more;

	if (r->n_parked < r->room)
		return true;
	more = realloc(r->parked, 2 * r->room * sizeof(*more));
	if (!more)
		return false;
	r->parked = more;
	r->room *= 2;
	return true;
}

/* No room for more that nobody has claimed: those stay with the kernel, and
 * the claimed ones are asked for one by one. */
static void collect_claimed(struct reaper *r)
{
	struct process_exit x;
	struct claim **c = &r->claims;

	while (*c) {
		if (exit_source_next_of(r->source, (*c)->exit.pid, &x))
			claim_finish(r, c, &x);
		else
			c = &(*c)->next;
	}
}

static void reaper_collect(struct reaper *r)
{
	struct process_exit x;
	struct claim **c;

	while ((r->holds == 0 || park_has_room(r)) &&
		exit_source_next(r->source, &x)) {
		c = claim_find(r, x.pid);
		if (*c)
			claim_finish(r, c, &x);
		else if (r->holds > 0)
			r->parked[r->n_parked++] = x;
	}
	if (r->holds > 0 && !park_has_room(r))
		collect_claimed(r);
}

static void reaper_deliver(struct reaper *r)
{
	struct claim *c;

	if (r->delivering)
		return;
	r->delivering = true;
	while ((c = r->due)) {
		r->due = c->next;
		if (!r->due)
			r->due_tail = &r->due;
		r->n_claims--;
		if (c->cb)
			c->cb(&c->exit, c->arg);
		free(c);
	}
	r->delivering = false;
}

static void reaper_ready(void *arg)
{
	struct reaper *r = arg;

	reaper_collect(r);
	reaper_deliver(r);
}

static void reaper_deliver_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reaper_ready(arg);
}

int reaper_new(struct event_base *base, struct reaper **ret, struct err *e)
{
	struct reaper *r = calloc(1, sizeof(*r));
	int x = -ENOMEM;

	if (!r)
		return err_set(e, -ENOMEM, "no memory for the reaper");
	r->due_tail = &r->due;
	r->room = PARK_ROOM;
	r->parked = malloc(r->room * sizeof(*r->parked));
	r->deliver = event_new(base, -1, 0, reaper_deliver_event, r);
	if (r->parked && r->deliver)
		x = exit_source_new(base, reaper_ready, r, &r->source, e);
	else
		err_set(e, x, "no memory for the reaper");
	if (x < 0) {
		reaper_free(r);
		return x;
	}
	*ret = r;
	return 0;
}

static void claims_free(struct claim *c)
{
	while (c) {
		struct claim *next = c->next;

		free(c);
		c = next;
	}
}

void reaper_free(struct reaper *r)
{
	if (!r)
		return;
	exit_source_free(r->source);
	if (r->deliver)
		event_free(r->deliver);
	claims_free(r->claims);
	claims_free(r->due);
	free(r->parked);
	free(r);
}

static struct claim *claim_new(reaper_cb cb, void *arg)
{
	struct claim *c = calloc(1, sizeof(*c));

	if (c) {
		c->cb = cb;
		c->arg = arg;
	}
	return c;
}

static void claim_add(struct reaper *r, struct claim *c, int64_t pid)
{
	c->exit.pid = pid;
	c->next = r->claims;
	r->claims = c;
	r->n_claims++;
}

int reaper_spawn(struct reaper *r, const struct process_spec *spec,
	reaper_cb cb, void *arg, int64_t *ret_pid, struct err *e)
{
	struct claim *c = claim_new(cb, arg);
	int64_t pid;
	int x;

	if (!c)
		return err_set(
			e, -ENOMEM, "no memory to run '%s'", spec->argv[0]);
	x = process_spawn(spec, &pid, e);
	if (x < 0) {
		free(c);
		return x;
	}
	claim_add(r, c, pid);
	*ret_pid = pid;
	return 0;
}

/* A pid may have been parked twice, once for each process that had it: the
 * last one is meant, and none if it is alive again. */
static struct process_exit *parked_find(struct reaper *r, int64_t pid)
{
	size_t i = r->n_parked;

	while (i-- > 0)
		if (r->parked[i].pid == pid)
			return &r->parked[i];
	return NULL;
}

int reaper_claim(struct reaper *r, int64_t pid, reaper_cb cb, void *arg)
{
	struct process_exit *x;
	struct claim *c;

	reaper_collect(r);
	if (r->due)
		event_active(r->deliver, EV_TIMEOUT, 0);
	if (*claim_find(r, pid))
		return -EEXIST;
	x = parked_find(r, pid);
	if (process_is_ours(pid) >= 0)
		x = NULL;
	else if (!x)
		return -ECHILD;
	c = claim_new(cb, arg);
	if (!c)
		return -ENOMEM;
	claim_add(r, c, pid);
	if (x) {
		claim_finish(r, &r->claims, x);
		r->n_parked--;
		memmove(x, x + 1,
			(size_t)(r->parked + r->n_parked - x) * sizeof(*x));
		event_active(r->deliver, EV_TIMEOUT, 0);
	}
	return 0;
}

void reaper_forget(struct reaper *r, int64_t pid)
{
	struct claim **c = claim_find(r, pid), *due;

	if (*c) {
		struct claim *gone = *c;

		*c = gone->next;
		r->n_claims--;
		free(gone);
		return;
	}
	for (due = r->due; due; due = due->next)
		if (due->exit.pid == pid)
			due->cb = NULL;
}

void reaper_hold(struct reaper *r)
{
	r->holds++;
}

void reaper_release(struct reaper *r)
{
	if (--r->holds > 0)
		return;
	r->n_parked = 0;
	if (r->room > PARK_ROOM) {
		struct process_exit *less =
			realloc(r->parked, PARK_ROOM * sizeof(*less));

		if (less) {
			r->parked = less;
			r->room = PARK_ROOM;
		}
	}
	/* zombies may have been left with the kernel for want of room */
	event_active(r->deliver, EV_TIMEOUT, 0);
}

unsigned reaper_claimed(const struct reaper *r)
{
	return r->n_claims;
}

unsigned reaper_parked(const struct reaper *r)
{
	return (unsigned)r->n_parked;
}

bool reaper_is_claimed(const struct reaper *r, int64_t pid)
{
	const struct claim *c = r->claims;

	while (c && c->exit.pid != pid)
		c = c->next;
	return c;
}
