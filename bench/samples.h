/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.h - numbers measured again and again, and what is said of them.
 */
#ifndef WISP_BENCH_SAMPLES_H
#define WISP_BENCH_SAMPLES_H

#include <stddef.h>

struct bench_samples {
	double *values;
	size_t n, size;
};

/* A value that there is no memory for is left out. */
void bench_samples_add(struct bench_samples *s, double value);
void bench_samples_clear(struct bench_samples *s);

/* percent 50 is the median. 0 without samples. Sorts. */
double bench_samples_at(struct bench_samples *s, double percent);
double bench_samples_mean(const struct bench_samples *s);
double bench_samples_max(const struct bench_samples *s);

/* Milliseconds on a clock that only goes forward. */
double bench_now_ms(void);

#endif
