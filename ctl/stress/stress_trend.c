/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress_trend.h"

#include <math.h>

#define WARM_UP_MIN 2
#define ROUNDS_MIN 8 /* to judge memory by, after the warm-up */
#define CERTAIN 3    /* standard errors */
#define GROWTH_MIN_KIB 32
#define GROWTH_MIN_SHARE 0.01

void stress_fit(const double *y, size_t n, struct stress_line *ret)
{
	double x_mean = n ? (double)(n - 1) / 2 : 0, xx = 0, xy = 0, rest = 0;
	size_t i;

	*ret = (struct stress_line){0};
	for (i = 0; i < n; i++)
		ret->mean += y[i] / (double)n;
	for (i = 0; i < n; i++) {
		xx += ((double)i - x_mean) * ((double)i - x_mean);
		xy += ((double)i - x_mean) * (y[i] - ret->mean);
	}
	if (n < 3)
		return;
	ret->slope = xy / xx;
	for (i = 0; i < n; i++) {
		double off =
			y[i] - ret->mean - ret->slope * ((double)i - x_mean);

		rest += off * off;
	}
	ret->error = sqrt(rest / (double)(n - 2) / xx);
}

static bool is_certain(const struct stress_line *l)
{
	return l->slope > CERTAIN * l->error;
}

void stress_judge_memory(const double *y, size_t n, struct stress_memory *ret)
{
	struct stress_line late;
	size_t rest;
	double growth;

	*ret = (struct stress_memory){.verdict = STRESS_TOO_FEW};
	ret->warm_up = n / 4 > WARM_UP_MIN ? n / 4 : WARM_UP_MIN;
	if (ret->warm_up > n)
		ret->warm_up = n;
	rest = n - ret->warm_up;
	stress_fit(y + ret->warm_up, rest, &ret->line);
	if (rest < ROUNDS_MIN)
		return;
	ret->verdict = STRESS_FLAT;
	growth = ret->line.slope * (double)(rest - 1);
	stress_fit(y + n - rest / 2, rest / 2, &late);
	if (is_certain(&ret->line) && growth > GROWTH_MIN_KIB &&
		growth > GROWTH_MIN_SHARE * ret->line.mean &&
		late.slope > late.error && late.slope > ret->line.slope / 2)
		ret->verdict = STRESS_GROWS;
}

void stress_judge_count(const unsigned *y, size_t n, unsigned before,
	bool strict, struct stress_count *ret)
{
	unsigned most = before, rises = 0;
	size_t i;

	*ret = (struct stress_count){0};
	if (n == 0 || y[n - 1] <= before)
		return;
	for (i = 0; i < n; i++) {
		if (y[i] <= before)
			ret->since = i + 1;
		if (y[i] > most) {
			most = y[i];
			rises++;
		}
	}
	ret->more = y[n - 1] - before;
	ret->per_round = (double)ret->more / (double)(n - ret->since);
	ret->leaks = strict || rises > 1 || n < 3;
}
