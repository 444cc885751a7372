/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - the results as a table, and as JSON.
 */
#ifndef WISP_BENCH_REPORT_H
#define WISP_BENCH_REPORT_H

#include "bench/measure.h"

enum bench_target { BENCH_NO_TARGET, BENCH_AT_MOST, BENCH_RATIO_AT_LEAST };

struct bench_row {
	const char *name, *unit;
	double value[BENCH_SHIMS];
	bool more_is_better;
	bool no_ratio; /* a difference, or what may be 0 */
	enum bench_target target;
	double limit;
};

#define BENCH_ROWS_MAX 24

struct bench_report {
	struct bench_row rows[BENCH_ROWS_MAX];
	unsigned n_rows, n_shims;
	char machine[256], runtime[128];
	double program_ms, bare_ms; /* what the differences are to */
	const char *paths[BENCH_SHIMS];
};

/* runtime is a name to show. */
void bench_report_make(struct bench_report *ret, struct bench_results *x,
	const struct bench_options *o, const char *runtime);

/* On stdout. */
void bench_report_print(const struct bench_report *r);
int bench_report_write_json(
	const struct bench_report *r, const char *path, struct err *e);

/* How many times better the first is than the second; 0 if it can't be told.
 */
double bench_row_ratio(const struct bench_row *row);
/* Whether a row has a target, and has met it. */
bool bench_row_missed(const struct bench_row *row, unsigned n_shims);
unsigned bench_report_missed(const struct bench_report *r);

#endif
