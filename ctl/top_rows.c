/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/top_rows.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/inspect.h"
#include "ctl/locate.h"

#define CALL_MS 1000

/* ---- which task is which process ---- */

static int64_t ask_client(struct client *c, const struct ctl_shim *where)
{
	struct client_state state = {0};
	struct client_shim *shim;
	struct client_await *aw;
	struct err e;
	int r;

	if (ctl_locate_connect(c, where, &shim, &e) < 0)
		return 0;
	aw = client_await_new(c, CALL_MS);
	r = client_await(aw,
		client_ask_state(
			shim, where->id, "", &state, client_await_done, aw),
		&e);
	client_shim_forget_calls(shim);
	client_shim_free(shim);
	return r == 0 && state.status != CLIENT_STOPPED ? state.pid : 0;
}

/* 0: it does not say. */
static int64_t ask(const struct scan_shim *s, const struct scan_container *c)
{
	struct event_base *base = event_base_new();
	struct client *client;
	struct ctl_shim where;
	int64_t pid = 0;
	struct err e;

	if (!base)
		return 0;
	ctl_locate_take(s, c, &where);
	if (client_new(base, &client, &e) == 0) {
		pid = ask_client(client, &where);
		client_free(client);
	}
	event_base_free(base);
	return pid;
}

static int64_t find_pid(struct top_row *row, const struct scan_shim *s,
	const struct scan_container *c)
{
	if (c->pid || c->made || s->is_wisp || strstr(s->words.program, "runc"))
		return c->pid;
	if (!row->asked)
		row->told_pid = ask(s, c);
	row->asked = true;
	if (row->told_pid && kill((pid_t)row->told_pid, 0) < 0 &&
		errno == ESRCH)
		row->told_pid = 0;
	return row->told_pid;
}

/* ---- rows ---- */

static bool is_wanted(const struct top *t, const char *id)
{
	size_t i;

	for (i = 0; i < t->n_ids; i++)
		if (strncmp(id, t->ids[i], strlen(t->ids[i])) == 0)
			return true;
	return t->n_ids == 0;
}

static struct top_row *find_row(struct top *t, const struct scan_shim *s,
	const struct scan_container *c)
{
	struct top_row *row;
	size_t i;

	for (i = 0; i < t->n; i++) {
		row = &t->rows[i];
		if (row->shim_pid == s->pid && strcmp(row->id, c->id) == 0 &&
			strcmp(row->ns, s->words.ns) == 0)
			return row;
	}
	row = realloc(t->rows, (t->n + 1) * sizeof(*row));
	if (!row)
		return NULL;
	t->rows = row;
	row = &t->rows[t->n++];
	memset(row, 0, sizeof(*row));
	snprintf(row->ns, sizeof(row->ns), "%s", s->words.ns);
	snprintf(row->id, sizeof(row->id), "%s", c->id);
	snprintf(row->program, sizeof(row->program), "%s",
		s->is_wisp ? "wisp" : s->words.program);
	row->shim_pid = s->pid;
	return row;
}

static void set_pid(struct top_row *row, int64_t pid)
{
	struct err e;

	/* while it is made, it is in the shim's own group */
	if (row->pid == pid && (row->cgroup || !pid))
		return;
	cgroup_close(row->cgroup);
	row->cgroup = NULL;
	row->has_rates = false;
	row->at_ns = 0;
	row->pid = pid;
	if (pid && cgroup_open(pid, &row->cgroup, &e) < 0)
		row->cgroup = NULL;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now > before ? (double)(now - before) / seconds : 0;
}

static void read_row(struct top_row *row)
{
	struct usage before = row->now;
	uint64_t at_ns = row->at_ns;
	struct timespec ts;
	double seconds;

	if (!row->cgroup)
		return;
	usage_read(row->cgroup, &row->now);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	row->at_ns = (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
	row->has_rates = at_ns > 0 && row->at_ns > at_ns;
	if (!row->has_rates)
		return;
	seconds = (double)(row->at_ns - at_ns) / 1e9;
	row->cpu = rate(row->now.cpu_ns, before.cpu_ns, seconds) / 1e7;
	row->read = rate(row->now.read, before.read, seconds);
	row->written = rate(row->now.written, before.written, seconds);
}

static int look_at(struct top *t, const struct scan_shim *s,
	const struct scan_container *c)
{
	/* these leave an init.pid for each task that there is */
	bool leaves = c->made || s->is_wisp || strstr(s->words.program, "runc");
	struct top_row *row;

	if (!*c->via || !is_wanted(t, c->id) || (leaves && !c->pid))
		return 0;
	row = find_row(t, s, c);
	if (!row)
		return -ENOMEM;
	row->seen = true;
	set_pid(row, find_pid(row, s, c));
	read_row(row);
	return 0;
}

static void drop_gone(struct top *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		if (t->rows[i].seen)
			t->rows[n++] = t->rows[i];
		else
			cgroup_close(t->rows[i].cgroup);
	}
	t->n = n;
}

int top_look(struct top *t, struct err *e)
{
	struct scan all;
	int r = scan_shims(t->ns, &all, e);
	size_t i, j;

	if (r < 0)
		return r;
	for (i = 0; i < t->n; i++)
		t->rows[i].seen = false;
	for (i = 0; r == 0 && i < all.n; i++)
		for (j = 0; r == 0 && j < all.shims[i].n; j++)
			r = look_at(
				t, &all.shims[i], &all.shims[i].containers[j]);
	drop_gone(t);
	scan_clear(&all);
	return r < 0 ? err_sys(e, r, "top") : 0;
}

void top_clear(struct top *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		cgroup_close(t->rows[i].cgroup);
	free(t->rows);
	t->rows = NULL;
	t->n = 0;
}

/* ---- sorting ---- */

static int by_name(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	int r = strcmp(x->ns, y->ns);

	return r ? r : strcmp(x->id, y->id);
}

static int most(double x, double y, const void *a, const void *b)
{
	return x != y ? (x > y ? -1 : 1) : by_name(a, b);
}

static int by_cpu(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return most(x->cpu, y->cpu, a, b);
}

static int by_memory(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return most(
		(double)x->now.working_set, (double)y->now.working_set, a, b);
}

static int by_pids(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return most((double)x->now.pids, (double)y->now.pids, a, b);
}

static int by_io(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return most(x->read + x->written, y->read + y->written, a, b);
}

void top_sort(struct top *t, enum top_sort by)
{
	static int (*const sorts[])(const void *, const void *) = {
		[TOP_CPU] = by_cpu,
		[TOP_MEMORY] = by_memory,
		[TOP_PIDS] = by_pids,
		[TOP_IO] = by_io,
		[TOP_NAME] = by_name,
	};

	if (t->n > 0) /* else rows may be NULL */
		qsort(t->rows, t->n, sizeof(*t->rows), sorts[by]);
}
