/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/samples.h"

#include <stdlib.h>
#include <time.h>

void bench_samples_add(struct bench_samples *s, double value)
{
	if (s->n == s->size) {
		size_t size = s->size ? s->size * 2 : 64;
		double *values = realloc(s->values, size * sizeof(*values));

		if (!values)
			return;
		s->values = values;
		s->size = size;
	}
	s->values[s->n++] = value;
}

void bench_samples_clear(struct bench_samples *s)
{
	free(s->values);
	*s = (struct bench_samples){0};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_samples_at(struct bench_samples *s, double percent)
{
	double at;
	size_t i;

	if (!s->n)
		return 0;
	qsort(s->values, s->n, sizeof(*s->values), compare);
	at = percent / 100 * (double)(s->n - 1);
	i = (size_t)at;
	if (i + 1 >= s->n)
		return s->values[s->n - 1];
	return s->values[i] +
	       (at - (double)i) * (s->values[i + 1] - s->values[i]);
}

double bench_samples_mean(const struct bench_samples *s)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		sum += s->values[i];
	return s->n ? sum / (double)s->n : 0;
}

double bench_samples_max(const struct bench_samples *s)
{
	double max = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		max = s->values[i] > max ? s->values[i] : max;
	return max;
}

double bench_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}
