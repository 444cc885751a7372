/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/top_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "platform/text.h"
#include "ttrpc/status.h"

static const struct table_column columns[] = {
	{"CONTAINER", false, 9, false},
	{"NAMESPACE", false, 4, false},
	{"PID", true, 0, false},
	{"CPU%", true, 0, false},
	{"MEMORY", true, 0, false},
	{"LIMIT", true, 0, false},
	{"READ/S", true, 0, false},
	{"WRITE/S", true, 0, false},
	{"PIDS", true, 0, false},
};

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[] = {
		"cpu", "memory", "pids", "io", "name"};

	return names[sort];
}

/* ---- text ---- */

static void add_size(struct table *t, bool known, uint64_t bytes)
{
	char text[UNITS_MAX];

	table_add(t, "%s", known ? units_size(bytes, text) : "-");
}

static void add_row(struct table *t, const struct top_row *row)
{
	const struct usage *u = &row->now;
	bool rates = row->has_rates;

	table_add(t, "%s", row->id);
	table_add(t, "%s", row->ns);
	if (row->pid)
		table_add(t, "%" PRId64, row->pid);
	else
		table_add(t, "-");
	if (rates && u->has_cpu)
		table_add(t, "%.1f", row->cpu);
	else
		table_add(t, "-");
	add_size(t, u->has_memory, u->working_set);
	add_size(t, u->has_memory && u->memory_limit != USAGE_NO_LIMIT,
		u->memory_limit);
	add_size(t, rates && u->has_io, (uint64_t)row->read);
	add_size(t, rates && u->has_io, (uint64_t)row->written);
	if (u->has_pids)
		table_add(t, "%" PRIu64, u->pids);
	else
		table_add(t, "-");
}

static void put_head(const struct top *t, enum top_sort sort, unsigned width,
	const char *end)
{
	char text[200], memory[UNITS_MAX], clock[16];
	uint64_t sum = 0, pids = 0;
	time_t now = time(NULL);
	double cpu = 0;
	struct tm tm;
	size_t i;

	for (i = 0; i < t->n; i++) {
		sum += t->rows[i].now.working_set;
		pids += t->rows[i].now.pids;
		cpu += t->rows[i].has_rates ? t->rows[i].cpu : 0;
	}
	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text),
		"%s  %zu task%s, cpu %.1f%%, memory %s, %" PRIu64
		" pids, by %s%s",
		clock, t->n, t->n == 1 ? "" : "s", cpu, units_size(sum, memory),
		pids, top_sort_name(sort),
		width > 0 ? "   c m p i: sort  q: quit" : "");
	printf("%.*s%s", width > 0 ? (int)width : (int)sizeof(text), text, end);
}

int top_show(const struct top *t, enum top_sort sort, unsigned width,
	size_t lines, const char *end)
{
	struct table *table =
		table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;
	int r;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < t->n; i++)
		add_row(table, &t->rows[i]);
	put_head(t, sort, width, end);
	r = table_print(table, width, lines, end);
	table_free(table);
	return r;
}

/* ---- JSON ---- */

/* Of any bytes; JSON is UTF-8. */
static void put_text(yajl_gen g, const char *key, const char *bytes)
{
	char text[512];

	ttrpc_status_text(bytes, text, sizeof(text));
	ctl_json_put(g, key, text);
}

static void put_rate(yajl_gen g, const char *key, double v)
{
	ctl_json_key(g, key);
	yajl_gen_double(g, v);
}

static void put_usage(yajl_gen g, const struct top_row *row)
{
	const struct usage *u = &row->now;

	if (u->has_cpu) {
		ctl_json_put_map(g, "cpu");
		if (row->has_rates)
			put_rate(g, "percent", row->cpu);
		ctl_json_put_number(g, "usageNs", (long long)u->cpu_ns);
		yajl_gen_map_close(g);
	}
	if (u->has_memory) {
		ctl_json_put_map(g, "memory");
		ctl_json_put_number(g, "usage", (long long)u->memory);
		ctl_json_put_number(g, "workingSet", (long long)u->working_set);
		if (u->memory_limit != USAGE_NO_LIMIT)
			ctl_json_put_number(
				g, "limit", (long long)u->memory_limit);
		yajl_gen_map_close(g);
	}
	if (u->has_io) {
		ctl_json_put_map(g, "io");
		ctl_json_put_number(g, "readBytes", (long long)u->read);
		ctl_json_put_number(g, "writtenBytes", (long long)u->written);
		if (row->has_rates) {
			put_rate(g, "readPerSecond", row->read);
			put_rate(g, "writtenPerSecond", row->written);
		}
		yajl_gen_map_close(g);
	}
	if (u->has_pids) {
		ctl_json_put_map(g, "pids");
		ctl_json_put_number(g, "current", (long long)u->pids);
		if (u->pids_limit != USAGE_NO_LIMIT)
			ctl_json_put_number(
				g, "limit", (long long)u->pids_limit);
		yajl_gen_map_close(g);
	}
}

static void put_row(yajl_gen g, const struct top_row *row)
{
	yajl_gen_map_open(g);
	put_text(g, "id", row->id);
	put_text(g, "namespace", row->ns);
	put_text(g, "shim", row->program);
	ctl_json_put_number(g, "shimPid", row->shim_pid);
	if (row->pid)
		ctl_json_put_number(g, "pid", row->pid);
	put_usage(g, row);
	yajl_gen_map_close(g);
}

int top_show_json(const struct top *t)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char now[TEXT_TIME_MAX], *text;
	struct timespec at;
	size_t i;
	int r;

	if (!g)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME, &at);
	text_time(&at, now);
	yajl_gen_map_open(g);
	ctl_json_put(g, "time", now);
	ctl_json_put_array(g, "tasks");
	for (i = 0; i < t->n; i++)
		put_row(g, &t->rows[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	r = ctl_json_take(g, &text);
	if (r < 0)
		return r;
	puts(text);
	free(text);
	return 0;
}
