/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/stress/stress.h"
#include "platform/text.h"

#define SIGNAL_KILL 9
#define TICK_MS 100

static void on_done(const struct err *e, void *arg)
{
	struct stress_actor *a = arg;

	a->err = *e;
	a->open = false;
	a->world->woken = true;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool is_answered(const struct stress_actor *a)
{
	return !a->open;
}

static bool all_are(
	const struct stress_set *set, bool (*is)(const struct stress_actor *a))
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (!set->actors[i]->failed && !is(set->actors[i]))
			return false;
	return true;
}

/* 0, -EINTR, or -ETIME. */
static int wait_for(struct stress_world *w, struct stress_set *set,
	bool (*is)(const struct stress_actor *a), uint32_t ms)
{
	uint64_t end = now_ms() + ms;

	while (!all_are(set, is)) {
		if (now_ms() >= end)
			return -ETIME;
		w->woken = false;
		if (client_run_until(w->client, &w->woken, TICK_MS) == -EINTR)
			return -EINTR;
	}
	return 0;
}

int stress_each(struct stress_world *w, struct stress_set *set,
	int (*begin)(struct stress_actor *a))
{
	size_t i;
	int r;

	if (w->stopped && !w->cleaning)
		return -EINTR;
	for (i = 0; i < set->n; i++) {
		struct stress_actor *a = set->actors[i];

		if (a->failed)
			continue;
		a->err = (struct err){0};
		a->open = true;
		r = begin(a);
		if (r == 0)
			continue;
		a->open = false;
		if (!a->err.code)
			err_sys(&a->err, r, "cannot be asked");
	}
	r = wait_for(w, set, is_answered, STRESS_STEP_MS);
	for (i = 0; r == -ETIME && i < set->n; i++)
		if (set->actors[i]->open) {
			set->actors[i]->open = false;
			err_set(&set->actors[i]->err, -ETIME,
				"no answer in %d s", STRESS_STEP_MS / 1000);
		}
	return r == -EINTR ? r : 0;
}

int stress_must(struct stress_world *w, struct stress_set *set,
	int (*begin)(struct stress_actor *a), const char *what)
{
	size_t i;
	int r = stress_each(w, set, begin);

	for (i = 0; r == 0 && i < set->n; i++) {
		struct stress_actor *a = set->actors[i];

		if (a->failed || !a->err.code)
			continue;
		a->failed = true;
		stress_fault(w, what, "%s", a->err.msg);
	}
	return r;
}

int stress_wait(struct stress_world *w, struct stress_set *set,
	bool (*is)(const struct stress_actor *a), uint32_t ms, const char *what)
{
	size_t i;
	int r = wait_for(w, set, is, ms);

	for (i = 0; r == -ETIME && i < set->n; i++) {
		struct stress_actor *a = set->actors[i];

		if (a->failed || is(a))
			continue;
		a->failed = true;
		stress_fault(w, what, "not in %u s", (unsigned)(ms / 1000));
	}
	return r == -EINTR ? r : 0;
}

void stress_let_end(struct stress_actor *a)
{
	struct stress_set set = {.actors = {a}, .n = 1};

	a->failed = false;
	(void)wait_for(a->world, &set, is_answered, STRESS_STEP_MS);
	a->open = false;
}

static struct stress_box *box_of(struct stress_actor *a)
{
	return (struct stress_box *)a;
}

static const struct stress_box *const_box_of(const struct stress_actor *a)
{
	return (const struct stress_box *)a;
}

static void on_lost(void *arg)
{
	struct stress_box *b = arg;

	b->lost = true;
	b->actor.world->woken = true;
}

/* Addresses are compared and looked for as paths. */
static void know_address(struct stress_box *b)
{
	struct stress_items *all = &b->actor.world->addresses;
	const char *path = strstr(b->record.address, "://");

	path = path ? path + 3 : b->record.address;
	if ((*path == '/' || *path == '\\') && !stress_items_have(all, path))
		stress_items_add(all, path);
}

static int connected(struct stress_box *b)
{
	b->lost = false;
	client_shim_on_lost(b->shim, on_lost, b);
	b->task = client_task_new(b->shim, &b->record.container);
	return b->task ? 0 : -ENOMEM;
}

static void on_shim_started(const struct err *e, void *arg)
{
	struct stress_box *b = arg;
	struct err own = *e;

	if (!own.code) {
		snprintf(b->record.address, sizeof(b->record.address), "%s",
			client_shim_address(b->shim));
		b->record.version = client_shim_version(b->shim);
		know_address(b);
		if (connected(b) < 0)
			err_sys(&own, -ENOMEM, "task");
	}
	on_done(&own, &b->actor);
}

int stress_start_shim(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);

	return client_shim_start(a->world->client, &b->record.container,
		on_shim_started, b, &b->shim, &a->err);
}

int stress_reconnect(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);
	int r = client_shim_connect(a->world->client, STRESS_NAMESPACE,
		b->record.address, b->record.version, &b->shim, &a->err);

	a->open = false;
	return r < 0 ? r : connected(b);
}

void stress_disconnect(struct stress_box *b)
{
	client_task_free(b->task);
	b->task = NULL;
	client_shim_free(b->shim);
	b->shim = NULL;
}

int stress_ask_shim(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);

	return client_shim_ask_info(b->shim, b->id, &b->info, on_done, a);
}

static void on_created(const struct err *e, void *arg)
{
	struct stress_box *b = arg;

	b->record.creating = false;
	on_done(e, &b->actor);
}

int stress_create(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);
	struct client_stdio io = {0};

	if (*b->out[0]) {
		io.out = b->out[0];
		io.err = b->out[1];
	}
	b->made = b->record.creating = true;
	return client_task_create(b->task, &io, on_created, b);
}

int stress_start(struct stress_actor *a)
{
	return client_process_start(
		client_task_init(box_of(a)->task), on_done, a);
}

int stress_kill(struct stress_actor *a)
{
	return client_process_kill(client_task_init(box_of(a)->task),
		SIGNAL_KILL, false, on_done, a);
}

static void on_deleted(const struct err *e, void *arg)
{
	struct stress_box *b = arg;

	b->deleted |= e->code == 0;
	on_done(e, &b->actor);
}

int stress_delete(struct stress_actor *a)
{
	return client_process_delete(
		client_task_init(box_of(a)->task), on_deleted, a);
}

int stress_shutdown(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);

	return client_shim_shutdown(b->shim, b->id, on_done, a);
}

int stress_refresh(struct stress_actor *a)
{
	return client_process_refresh(
		client_task_init(box_of(a)->task), on_done, a);
}

int stress_run_delete(struct stress_actor *a)
{
	struct stress_box *b = box_of(a);

	return client_shim_run_delete(a->world->client, &b->record.container,
		&b->deletion, on_deleted, b, &a->err);
}

bool stress_has_exited(const struct stress_actor *a)
{
	return const_box_of(a)->exits > 0;
}

bool stress_is_lost(const struct stress_actor *a)
{
	return const_box_of(a)->lost || !const_box_of(a)->own;
}

bool stress_is_read(const struct stress_actor *a)
{
	const struct stress_sink *s = const_box_of(a)->sinks;

	return s[0].ended && s[1].ended;
}
