/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.h - what is measured of a shim, and how.
 *
 * Everything is measured of both shims in turn, round by round, so that the
 * machine's moods hit them alike.
 */
#ifndef WISP_BENCH_MEASURE_H
#define WISP_BENCH_MEASURE_H

#include "bench/samples.h"
#include "bench/world.h"

#define BENCH_SHIMS 2
#define BENCH_IDLE_MAX 200

struct bench_options {
	const char *shim, *peer;        /* peer NULL: measure one shim alone */
	const char *runtime;            /* NULL: runc, else crun */
	const char *json;               /* NULL: no file */
	unsigned rounds, states, execs; /* the latter two: per round */
	unsigned mib, streams;          /* a stream's size, and how many */
	unsigned idle_shims, idle_s;    /* up to BENCH_IDLE_MAX of each kind */
	bool check;                     /* a missed target is a failure */
};

struct bench_shim {
	const char *path;
	struct bench_samples start, create, task_start, kill, delete, sum;
	/* what of these is the shim's own, round by round */
	struct bench_samples start_over_program, sum_over_bare;
	struct bench_samples exec, state_us;
	struct bench_samples mb_per_s, cpu_s_per_gb;
	struct bench_samples rss_kib, pss_kib, private_kib, wakeups, threads;
};

struct bench_results {
	struct bench_shim shims[BENCH_SHIMS];
	unsigned n_shims;
	struct bench_samples program; /* exec of /bin/true */
	struct bench_samples
		bare; /* create, start, delete: the runtime alone */
};

/* Each fills in its part of the results. -EINTR when the user has had enough.
 */
int bench_measure_latency(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e);
int bench_measure_streams(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e);
int bench_measure_idle(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e);

/* What is going on, on stderr if that is a terminal. */
void bench_progress(const char *what, unsigned done, unsigned all);

#endif
