/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/stats.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "platform/text.h"

static const struct table_column columns[] = {
	{.heading = "ID", .keep = 12},
	{.heading = "CPU%", .right = true},
	{.heading = "MEMORY", .right = true},
	{.heading = "LIMIT", .right = true},
	{.heading = "MEM%", .right = true},
	{.heading = "PIDS", .right = true},
	{.heading = "READ", .right = true},
	{.heading = "WRITTEN", .right = true},
	{.heading = "OOM", .right = true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Cached files that are not in use could go at once. */
static uint64_t used(const struct client_stats *s)
{
	return s->memory > s->memory_inactive_file
		       ? s->memory - s->memory_inactive_file
		       : 0;
}

static void add_memory(struct table *t, const struct client_stats *s)
{
	char buf[UNITS_MAX];

	table_add(t, "%s", units_size(used(s), buf));
	if (s->memory_limit == CLIENT_NO_LIMIT) {
		table_add(t, "-");
		table_add(t, "-");
		return;
	}
	table_add(t, "%s", units_size(s->memory_limit, buf));
	if (s->memory_limit > 0)
		table_add(t, "%.1f",
			100.0 * (double)used(s) / (double)s->memory_limit);
	else
		table_add(t, "-");
}

static void add_pids(struct table *t, const struct client_stats *s)
{
	if (s->pids_limit == CLIENT_NO_LIMIT)
		table_add(t, "%llu", (unsigned long long)s->pids);
	else
		table_add(t, "%llu/%llu", (unsigned long long)s->pids,
			(unsigned long long)s->pids_limit);
}

static void add_row(struct table *t, const struct ctl_stats_row *row)
{
	const struct client_stats *s = &row->now;
	char buf[UNITS_MAX];
	size_t i;

	table_add(t, "%s",
		*row->target.where.id ? row->target.where.id : row->id);
	if (row->err.code < 0) {
		for (i = 1; i < N_COLUMNS; i++)
			table_add(t, "-");
		return;
	}
	if (row->has_percent)
		table_add(t, "%.1f", row->percent);
	else
		table_add(t, "-");
	add_memory(t, s);
	add_pids(t, s);
	table_add(t, "%s", units_size(s->read_bytes, buf));
	table_add(t, "%s", units_size(s->write_bytes, buf));
	table_add(t, "%llu", (unsigned long long)s->oom_kills);
}

int ctl_stats_show(
	const struct ctl_stats *s, unsigned width, size_t rows, const char *eol)
{
	struct table *t = table_new(columns, N_COLUMNS);
	size_t i;
	int r;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < s->n; i++)
		add_row(t, &s->rows[i]);
	r = table_print(t, width, rows, eol);
	table_free(t);
	return r;
}

static void put(yajl_gen g, const char *key, uint64_t n)
{
	char digits[24];

	ctl_json_key(g, key);
	yajl_gen_number(g, digits,
		(size_t)snprintf(
			digits, sizeof(digits), "%llu", (unsigned long long)n));
}

/* Left out where there is none. */
static void put_limit(yajl_gen g, const char *key, uint64_t n)
{
	if (n != CLIENT_NO_LIMIT)
		put(g, key, n);
}

static void put_cpu(yajl_gen g, const struct ctl_stats_row *row)
{
	const struct client_stats *s = &row->now;

	ctl_json_put_map(g, "cpu");
	if (row->has_percent) {
		ctl_json_key(g, "percent");
		yajl_gen_double(g, row->percent);
	}
	put(g, "usageNs", s->cpu_ns);
	put(g, "userNs", s->cpu_user_ns);
	put(g, "systemNs", s->cpu_kernel_ns);
	put(g, "periods", s->periods);
	put(g, "throttledPeriods", s->throttled_periods);
	put(g, "throttledNs", s->throttled_ns);
	yajl_gen_map_close(g);
}

static void put_memory(yajl_gen g, const struct client_stats *s)
{
	ctl_json_put_map(g, "memory");
	put(g, "usage", s->memory);
	put(g, "inactiveFile", s->memory_inactive_file);
	put(g, "max", s->memory_max);
	put_limit(g, "limit", s->memory_limit);
	put(g, "swap", s->swap);
	put_limit(g, "swapLimit", s->swap_limit);
	yajl_gen_map_close(g);
}

static void put_stats(yajl_gen g, const struct ctl_stats_row *row)
{
	const struct client_stats *s = &row->now;

	put(g, "cgroupVersion", s->cgroup);
	put_cpu(g, row);
	put_memory(g, s);
	ctl_json_put_map(g, "pids");
	put(g, "current", s->pids);
	put_limit(g, "limit", s->pids_limit);
	yajl_gen_map_close(g);
	ctl_json_put_map(g, "io");
	put(g, "readBytes", s->read_bytes);
	put(g, "readOps", s->read_ops);
	put(g, "writeBytes", s->write_bytes);
	put(g, "writeOps", s->write_ops);
	yajl_gen_map_close(g);
	put(g, "oomKills", s->oom_kills);
}

int ctl_stats_show_json(const struct ctl_stats *s)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char when[TEXT_TIME_MAX], *text;
	struct timespec now;
	size_t i;

	if (!g)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME, &now);
	text_time(&now, when);
	yajl_gen_map_open(g);
	ctl_json_put(g, "time", when);
	ctl_json_put_array(g, "containers");
	for (i = 0; i < s->n; i++) {
		const struct ctl_stats_row *row = &s->rows[i];
		const struct ctl_shim *w = &row->target.where;

		yajl_gen_map_open(g);
		ctl_json_put_bytes(g, "id", *w->id ? w->id : row->id);
		ctl_json_put_bytes(g, "namespace", w->ns);
		if (row->err.code < 0)
			ctl_json_put_bytes(g, "error", row->err.msg);
		else
			put_stats(g, row);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	if (ctl_json_take(g, &text) < 0)
		return -ENOMEM;
	puts(text);
	free(text);
	return 0;
}
