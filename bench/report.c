/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ctl/json.h"
#include "platform/file.h"

/* What we promise: issue 2, "README and speed". */
#define START_OVER_PROGRAM_MS 2
#define SUM_OVER_BARE_MS 3
#define PSS_KIB 200
#define PRIVATE_KIB 120
#define STREAM_RATIO 2

static struct bench_row *add_row(
	struct bench_report *r, const char *name, const char *unit)
{
	struct bench_row *row = &r->rows[r->n_rows++];

	*row = (struct bench_row){.name = name, .unit = unit};
	return row;
}

static void set_limit(struct bench_row *row, double limit)
{
	row->target = BENCH_AT_MOST;
	row->limit = limit;
}

/* The percentile of one kind of sample, of every shim. */
static struct bench_row *add_samples(struct bench_report *r,
	struct bench_results *x, size_t offset, double percent,
	const char *name, const char *unit)
{
	struct bench_row *row = add_row(r, name, unit);
	unsigned i;

	for (i = 0; i < x->n_shims; i++)
		row->value[i] = bench_samples_at(
			(void *)((char *)&x->shims[i] + offset), percent);
	return row;
}

#define ADD(r, x, field, percent, name, unit) \
	add_samples(                          \
		r, x, offsetof(struct bench_shim, field), percent, name, unit)

static void set_difference(struct bench_row *row, double limit)
{
	row->no_ratio = true;
	set_limit(row, limit);
}

static void add_latency(struct bench_report *r, struct bench_results *x)
{
	ADD(r, x, start, 50, "start", "ms");
	set_difference(ADD(r, x, start_over_program, 50,
			       "  over exec of /bin/true", "ms"),
		START_OVER_PROGRAM_MS);
	ADD(r, x, create, 50, "create", "ms");
	ADD(r, x, task_start, 50, "start of the task", "ms");
	ADD(r, x, kill, 50, "kill to exit event", "ms");
	ADD(r, x, delete, 50, "delete", "ms");
	ADD(r, x, sum, 50, "create + start + delete", "ms");
	set_difference(
		ADD(r, x, sum_over_bare, 50, "  over the bare runtime", "ms"),
		SUM_OVER_BARE_MS);
	ADD(r, x, exec, 50, "exec, whole", "ms");
	ADD(r, x, state_us, 50, "State, p50", "us");
	ADD(r, x, state_us, 99, "State, p99", "us");
}

static void add_streams(struct bench_report *r, struct bench_results *x)
{
	struct bench_row *row;

	row = ADD(r, x, mb_per_s, 50, "stdin to stdout", "MB/s");
	row->more_is_better = true;
	row->target = BENCH_RATIO_AT_LEAST;
	row->limit = STREAM_RATIO;
	ADD(r, x, cpu_s_per_gb, 50, "  CPU of the shim", "s/GB");
}

static void add_idle(struct bench_report *r, struct bench_results *x)
{
	struct bench_row *row;

	ADD(r, x, rss_kib, 50, "idle: RSS", "KiB");
	set_limit(ADD(r, x, pss_kib, 50, "idle: PSS", "KiB"), PSS_KIB);
	set_limit(ADD(r, x, private_kib, 50, "idle: private", "KiB"),
		PRIVATE_KIB);
	ADD(r, x, threads, 50, "idle: threads", "");
	row = ADD(r, x, wakeups, 50, "idle: wakeups", "");
	row->no_ratio = true;
	set_limit(row, 0);
}

static void describe_machine(struct bench_report *r)
{
	struct utsname u;

	uname(&u);
	snprintf(r->machine, sizeof(r->machine), "%s %s, %ld CPUs", u.sysname,
		u.release, sysconf(_SC_NPROCESSORS_ONLN));
}

void bench_report_make(struct bench_report *ret, struct bench_results *x,
	const struct bench_options *o, const char *runtime)
{
	unsigned i;

	*ret = (struct bench_report){.n_shims = x->n_shims};
	describe_machine(ret);
	snprintf(ret->runtime, sizeof(ret->runtime), "%s", runtime);
	for (i = 0; i < x->n_shims; i++)
		ret->paths[i] = x->shims[i].path;
	ret->program_ms = bench_samples_at(&x->program, 50);
	ret->bare_ms = bench_samples_at(&x->bare, 50);
	if (o->rounds)
		add_latency(ret, x);
	if (o->streams)
		add_streams(ret, x);
	if (o->idle_shims)
		add_idle(ret, x);
}

double bench_row_ratio(const struct bench_row *row)
{
	double mine = row->value[0], other = row->value[1];

	if (row->no_ratio || mine <= 0 || other <= 0)
		return 0;
	return row->more_is_better ? mine / other : other / mine;
}

bool bench_row_missed(const struct bench_row *row, unsigned n_shims)
{
	if (row->target == BENCH_AT_MOST)
		return row->value[0] > row->limit;
	if (row->target == BENCH_RATIO_AT_LEAST && n_shims > 1)
		return bench_row_ratio(row) < row->limit;
	return false;
}

unsigned bench_report_missed(const struct bench_report *r)
{
	unsigned i, n = 0;

	for (i = 0; i < r->n_rows; i++)
		n += bench_row_missed(&r->rows[i], r->n_shims);
	return n;
}

static void print_value(double value, const char *unit)
{
	char text[32];
	double size = value < 0 ? -value : value;
	int digits = size >= 100 || value == (double)(long)value ? 0
		     : size >= 10                                ? 1
								 : 2;

	snprintf(text, sizeof(text), "%.*f %s", digits, value, unit);
	printf("  %14s", text);
}

static void print_row(const struct bench_report *r, const struct bench_row *row)
{
	double ratio = r->n_shims > 1 ? bench_row_ratio(row) : 0;
	char text[32] = "";
	unsigned i;

	printf("%-26s", row->name);
	for (i = 0; i < r->n_shims; i++)
		print_value(row->value[i], row->unit);
	if (ratio > 0)
		snprintf(text, sizeof(text), "%.1fx", ratio);
	if (r->n_shims > 1)
		printf("  %8s", text);
	text[0] = '\0';
	if (row->target == BENCH_AT_MOST)
		snprintf(text, sizeof(text), "<= %g %s", row->limit, row->unit);
	else if (row->target == BENCH_RATIO_AT_LEAST)
		snprintf(text, sizeof(text), ">= %gx", row->limit);
	if (*text)
		printf("  %-10s %s", text,
			bench_row_missed(row, r->n_shims) ? "MISSED" : "met");
	putchar('\n');
}

void bench_report_print(const struct bench_report *r)
{
	unsigned i;

	printf("%s; %s\n", r->machine, r->runtime);
	if (r->bare_ms > 0)
		printf("exec of /bin/true %.2f ms; bare create + start + "
		       "delete %.1f ms\n",
			r->program_ms, r->bare_ms);
	for (i = 0; i < r->n_shims; i++)
		printf("%c: %s\n", 'A' + (int)i, r->paths[i]);
	printf("\n%-26s", "");
	for (i = 0; i < r->n_shims; i++)
		printf("  %14.14s", i == 0 ? "A" : "B");
	printf(r->n_shims > 1 ? "  %8s  target\n" : "%s  target\n",
		r->n_shims > 1 ? "A better" : "");
	for (i = 0; i < r->n_rows; i++)
		print_row(r, &r->rows[i]);
}

static void put_double(yajl_gen g, const char *key, double value)
{
	char text[48];

	snprintf(text, sizeof(text), "%.6g", value);
	ctl_json_key(g, key);
	yajl_gen_number(g, text, strlen(text));
}

static void put_row(
	yajl_gen g, const struct bench_report *r, const struct bench_row *row)
{
	double ratio = bench_row_ratio(row);

	yajl_gen_map_open(g);
	ctl_json_put(g, "name", row->name + strspn(row->name, " "));
	ctl_json_put(g, "unit", row->unit);
	put_double(g, "shim", row->value[0]);
	if (r->n_shims > 1)
		put_double(g, "peer", row->value[1]);
	if (r->n_shims > 1 && ratio > 0)
		put_double(g, "times_better", ratio);
	if (row->target == BENCH_AT_MOST)
		put_double(g, "at_most", row->limit);
	if (row->target == BENCH_RATIO_AT_LEAST)
		put_double(g, "times_better_at_least", row->limit);
	if (row->target != BENCH_NO_TARGET)
		ctl_json_put_bool(g, "met", !bench_row_missed(row, r->n_shims));
	yajl_gen_map_close(g);
}

int bench_report_write_json(
	const struct bench_report *r, const char *path, struct err *e)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char *text;
	unsigned i;
	int rc;

	if (!g)
		return err_sys(e, -ENOMEM, "write '%s'", path);
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put(g, "machine", r->machine);
	ctl_json_put(g, "runtime", r->runtime);
	ctl_json_put(g, "shim", r->paths[0]);
	if (r->n_shims > 1)
		ctl_json_put(g, "peer", r->paths[1]);
	put_double(g, "exec_of_true_ms", r->program_ms);
	put_double(g, "bare_create_start_delete_ms", r->bare_ms);
	ctl_json_put_array(g, "rows");
	for (i = 0; i < r->n_rows; i++)
		put_row(g, r, &r->rows[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	rc = ctl_json_take(g, &text);
	if (rc == 0) {
		rc = file_write(path, text, strlen(text));
		free(text);
	}
	return rc < 0 ? err_sys(e, rc, "write '%s'", path) : 0;
}
