/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/shims_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "ttrpc/status.h"

struct total {
	size_t shims, tasks, orphans;
	struct look_memory memory;
	uint64_t fds, threads;
};

static void sum(const struct shim_look *looks, size_t n, struct total *ret)
{
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->shims = n;
	for (i = 0; i < n; i++) {
		const struct shim_look *l = &looks[i];

		ret->tasks += l->tasks;
		ret->orphans += l->lost != 0;
		ret->memory.resident += l->memory.resident;
		ret->memory.proportional += l->memory.proportional;
		ret->memory.own += l->memory.own;
		ret->fds += l->fds > 0 ? (uint64_t)l->fds : 0;
		ret->threads += l->shim->threads;
	}
}

static void name_lost(unsigned lost, char *buf, size_t n)
{
	snprintf(buf, n, "%s%s%s%s%s", lost & SHIM_LOST_DAEMON ? "daemon" : "",
		(lost & SHIM_LOST_DAEMON) && (lost & ~SHIM_LOST_DAEMON) ? ","
									: "",
		lost & SHIM_LOST_BUNDLE ? "bundle" : "",
		lost & SHIM_LOST_TASK ? "task" : "", lost ? "" : "-");
}

/* ---- text ---- */

static const struct table_column columns[] = {
	{"KIND", false, 0, false},
	{"NAMESPACE", false, 6, false},
	{"CONTAINERS", false, 6, false},
	{"GROUP", false, 6, true},
	{"TASKS", true, 0, false},
	{"PID", true, 0, false},
	{"AGE", true, 0, false},
	{"PSS", true, 0, false},
	{"FDS", true, 0, false},
	{"THR", true, 0, false},
	{"DAEMON", false, 7, false},
	{"LOST", false, 0, false},
};

static void add_ids(struct table *t, const struct scan_shim *s)
{
	char text[TABLE_CELL_MAX];
	size_t i, at = 0;

	*text = '\0';
	for (i = 0; i < s->n && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
			i > 0 ? "," : "", s->containers[i].id);
	table_add(t, "%s", text);
}

static void add_daemon(struct table *t, const struct shim_look *l)
{
	if (!*l->daemon)
		table_add(t, "-");
	else if (*l->daemon_name)
		table_add(t, "%s %" PRId64, l->daemon_name, l->daemon_pid);
	else
		table_add(t, "%.200s", l->daemon);
}

static void add_shim(struct table *t, const struct shim_look *l)
{
	char age[UNITS_MAX], size[UNITS_MAX], lost[32];

	name_lost(l->lost, lost, sizeof(lost));
	table_add(t, "%s", l->kind);
	table_add(t, "%s", l->shim->words.ns);
	add_ids(t, l->shim);
	table_add(t, "%s", l->group);
	if (l->shim->hidden)
		table_add(t, "-");
	else
		table_add(t, "%zu", l->tasks);
	table_add(t, "%" PRId64, l->shim->pid);
	table_add(t, "%s", units_age(l->shim->age_ms, age));
	table_add(t, "%s",
		l->memory.proportional
			? units_size(l->memory.proportional << 10, size)
			: "-");
	if (l->fds < 0)
		table_add(t, "-");
	else
		table_add(t, "%d", l->fds);
	table_add(t, "%u", l->shim->threads);
	add_daemon(t, l);
	table_add(t, "%s", lost);
}

static void show_total(const struct total *t)
{
	char pss[UNITS_MAX], rss[UNITS_MAX];

	printf("%zu shim%s, %zu task%s, PSS %s, RSS %s, %" PRIu64
	       " fds, %" PRIu64 " threads, %zu orphaned\n",
		t->shims, t->shims == 1 ? "" : "s", t->tasks,
		t->tasks == 1 ? "" : "s",
		units_size(t->memory.proportional << 10, pss),
		units_size(t->memory.resident << 10, rss), t->fds, t->threads,
		t->orphans);
}

int shims_show(const struct shim_look *looks, size_t n)
{
	struct table *t;
	struct total all;
	bool hidden = false;
	size_t i;
	int r;

	if (n == 0) {
		puts("no such shim runs on this host");
		return 0;
	}
	t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (!t)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		add_shim(t, &looks[i]);
		hidden |= looks[i].shim->hidden;
	}
	r = table_print(t, table_width(), 0, "\n");
	table_free(t);
	sum(looks, n, &all);
	if (r == 0)
		show_total(&all);
	if (hidden)
		puts("some are another user's: root sees more of them");
	return r;
}

/* ---- JSON ---- */

/* Of any bytes; JSON is UTF-8. */
static void put_text(yajl_gen g, const char *key, const char *bytes)
{
	char text[1024];

	if (!*bytes)
		return;
	ttrpc_status_text(bytes, text, sizeof(text));
	ctl_json_put(g, key, text);
}

static void put_memory(yajl_gen g, const struct look_memory *m)
{
	ctl_json_put_map(g, "memory");
	ctl_json_put_number(g, "proportionalKiB", (long long)m->proportional);
	ctl_json_put_number(g, "residentKiB", (long long)m->resident);
	ctl_json_put_number(g, "ownKiB", (long long)m->own);
	yajl_gen_map_close(g);
}

static void put_daemon(yajl_gen g, const struct shim_look *l)
{
	if (!*l->daemon)
		return;
	ctl_json_put_map(g, "daemon");
	put_text(g, "address", l->daemon);
	if (!l->shim->hidden)
		ctl_json_put_bool(g, "listens", l->daemon_listens);
	if (l->daemon_pid)
		ctl_json_put_number(g, "pid", l->daemon_pid);
	put_text(g, "name", l->daemon_name);
	yajl_gen_map_close(g);
}

static void put_containers(yajl_gen g, const struct scan_shim *s)
{
	size_t i;

	ctl_json_put_array(g, "containers");
	for (i = 0; i < s->n; i++) {
		const struct scan_container *c = &s->containers[i];

		yajl_gen_map_open(g);
		put_text(g, "id", c->id);
		put_text(g, "bundle", c->bundle);
		if (!s->hidden)
			ctl_json_put_bool(g, "bundleGone", !*c->via);
		if (c->pid)
			ctl_json_put_number(g, "pid", c->pid);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_lost(yajl_gen g, unsigned lost)
{
	ctl_json_put_bool(g, "orphaned", lost != 0);
	ctl_json_put_array(g, "lost");
	if (lost & SHIM_LOST_DAEMON)
		ctl_json_text(g, "daemon");
	if (lost & SHIM_LOST_BUNDLE)
		ctl_json_text(g, "bundle");
	if (lost & SHIM_LOST_TASK)
		ctl_json_text(g, "task");
	yajl_gen_array_close(g);
}

static void put_shim(yajl_gen g, const struct shim_look *l)
{
	const struct scan_shim *s = l->shim;

	yajl_gen_map_open(g);
	put_text(g, "kind", l->kind);
	put_text(g, "program", s->words.program);
	ctl_json_put_bool(g, "programReplaced", l->replaced);
	put_text(g, "namespace", s->words.ns);
	put_text(g, "id", s->words.id);
	put_text(g, "group", l->group);
	put_daemon(g, l);
	put_containers(g, s);
	if (!s->hidden)
		ctl_json_put_number(g, "tasks", (long long)l->tasks);
	ctl_json_put_number(g, "pid", s->pid);
	ctl_json_put_number(g, "ageMs", (long long)s->age_ms);
	put_text(g, "address", s->address);
	if (*s->address)
		ctl_json_put_number(g, "apiVersion", s->version);
	if (!s->hidden)
		put_memory(g, &l->memory);
	if (l->fds >= 0)
		ctl_json_put_number(g, "fds", l->fds);
	ctl_json_put_number(g, "threads", s->threads);
	if (!s->hidden)
		put_lost(g, l->lost);
	yajl_gen_map_close(g);
}

int shims_show_json(const struct shim_look *looks, size_t n)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	struct total all;
	char *text;
	size_t i;
	int r;

	if (!g)
		return -ENOMEM;
	yajl_gen_map_open(g);
	ctl_json_put_array(g, "shims");
	for (i = 0; i < n; i++)
		put_shim(g, &looks[i]);
	yajl_gen_array_close(g);
	sum(looks, n, &all);
	ctl_json_put_map(g, "total");
	ctl_json_put_number(g, "shims", (long long)all.shims);
	ctl_json_put_number(g, "tasks", (long long)all.tasks);
	ctl_json_put_number(g, "orphaned", (long long)all.orphans);
	put_memory(g, &all.memory);
	ctl_json_put_number(g, "fds", (long long)all.fds);
	ctl_json_put_number(g, "threads", (long long)all.threads);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	r = ctl_json_take(g, &text);
	if (r < 0)
		return r;
	puts(text);
	free(text);
	return 0;
}
