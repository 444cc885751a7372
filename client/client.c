/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "client/program.h"
#include "ttrpc/list.h"

struct client {
	struct event_base *base; /* borrowed */
	struct client_programs *programs;
	struct list awaits; /* given up, and not called back yet */
	bool interrupted;
};

/* Lives until it was waited for and called back: whoever gives up must not
 * leave a pointer into his stack behind. */
struct client_await {
	struct list link;
	struct client *client;
	uint32_t timeout_ms;
	bool done, given_up;
	struct err err;
};

int client_new(struct event_base *base, struct client **ret, struct err *e)
{
	struct client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_sys(e, -ENOMEM, "client");
	c->base = base;
	list_init(&c->awaits);
	r = client_programs_new(base, &c->programs, e);
	if (r < 0) {
		client_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void client_free(struct client *c)
{
	struct list *node;

	if (!c)
		return;
	client_programs_free(c->programs);
	while ((node = list_pop(&c->awaits)))
		free(list_entry(node, struct client_await, link));
	free(c);
}

struct event_base *client_base(const struct client *c)
{
	return c->base;
}

struct client_programs *client_programs_of(struct client *c)
{
	return c->programs;
}

struct client_await *client_await_new(struct client *c, uint32_t timeout_ms)
{
	struct client_await *aw = calloc(1, sizeof(*aw));

	if (!aw)
		return NULL;
	list_init(&aw->link);
	aw->client = c;
	aw->timeout_ms = timeout_ms;
	return aw;
}

static void await_free(struct client_await *aw)
{
	list_del(&aw->link);
	free(aw);
}

void client_await_done(const struct err *e, void *arg)
{
	struct client_await *aw = arg;

	if (!aw)
		return;
	aw->err = *e;
	aw->done = true;
	if (aw->given_up)
		await_free(aw);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	bool *over = arg;

	(void)fd;
	(void)what;
	*over = true;
}

static int run_until(struct client *c, const bool *flag, const bool *over)
{
	while (!*flag) {
		if (c->interrupted)
			return -EINTR;
		if (*over)
			return -ETIME;
		if (event_base_loop(c->base, EVLOOP_ONCE) != 0)
			return -EDEADLK; /* nothing can ever happen */
	}
	return 0;
}

int client_run_until(struct client *c, const bool *flag, uint32_t timeout_ms)
{
	struct timeval tv = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	bool over = false;
	struct event *timer;
	int r;

	if (!timeout_ms)
		return run_until(c, flag, &over);
	timer = evtimer_new(c->base, on_time, &over);
	if (!timer)
		return -ENOMEM;
	r = event_add(timer, &tv) < 0 ? -ENOMEM : run_until(c, flag, &over);
	event_free(timer);
	return r;
}

/* The call's own result, or why it is not waited for any longer. */
static int await_result(struct client_await *aw, struct err *e)
{
	int r = client_run_until(aw->client, &aw->done, aw->timeout_ms);

	if (r == -ETIME)
		return err_set(e, r, "no answer after %u ms", aw->timeout_ms);
	if (r < 0)
		return err_set(e, r, "interrupted");
	if (aw->err.code && e)
		*e = aw->err;
	return aw->err.code;
}

int client_await(struct client_await *aw, int begun, struct err *e)
{
	int r = begun;

	if (r == 0 && !aw)
		r = -ENOMEM;
	if (r < 0 && (!e || e->code != r))
		err_sys(e, r, "cannot ask the shim");
	if (r == 0)
		r = await_result(aw, e);
	if (!aw)
		return r;
	if (begun == 0 && !aw->done) {
		aw->given_up = true;
		list_add_tail(&aw->client->awaits, &aw->link);
	} else {
		await_free(aw);
	}
	return r;
}

void client_interrupt(struct client *c, bool on)
{
	c->interrupted = on;
	if (on)
		event_base_loopbreak(c->base);
}
