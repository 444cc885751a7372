/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/samples.h"

#include "bench/report.h"
#include "util_test.h"

START_TEST(test_percentiles)
{
	struct bench_samples s = {0};
	int i;

	ck_assert_double_eq(bench_samples_at(&s, 50), 0);
	ck_assert_double_eq(bench_samples_mean(&s), 0);
	for (i = 100; i >= 0; i--)
		bench_samples_add(&s, i);
	ck_assert_double_eq_tol(bench_samples_at(&s, 0), 0, 1e-9);
	ck_assert_double_eq_tol(bench_samples_at(&s, 50), 50, 1e-9);
	ck_assert_double_eq_tol(bench_samples_at(&s, 99), 99, 1e-9);
	ck_assert_double_eq_tol(bench_samples_at(&s, 100), 100, 1e-9);
	ck_assert_double_eq_tol(bench_samples_mean(&s), 50, 1e-9);
	ck_assert_double_eq_tol(bench_samples_max(&s), 100, 1e-9);
	bench_samples_clear(&s);
	bench_samples_add(&s, 1);
	bench_samples_add(&s, 2);
	ck_assert_double_eq_tol(bench_samples_at(&s, 50), 1.5, 1e-9);
	bench_samples_clear(&s);
}
END_TEST

START_TEST(test_targets)
{
	struct bench_row most = {
		.value = {3, 30}, .target = BENCH_AT_MOST, .limit = 3};
	struct bench_row ratio = {.value = {30, 10},
		.more_is_better = true,
		.target = BENCH_RATIO_AT_LEAST,
		.limit = 3};

	ck_assert_double_eq_tol(bench_row_ratio(&most), 10, 1e-9);
	ck_assert(!bench_row_missed(&most, 2));
	most.value[0] = 3.1;
	ck_assert(bench_row_missed(&most, 2));
	ck_assert_double_eq_tol(bench_row_ratio(&ratio), 3, 1e-9);
	ck_assert(!bench_row_missed(&ratio, 2));
	ratio.value[0] = 29;
	ck_assert(bench_row_missed(&ratio, 2));
	ck_assert(!bench_row_missed(&ratio, 1)); /* nobody to compare with */
	ratio.value[0] = 0;
	ck_assert_double_eq(bench_row_ratio(&ratio), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_percentiles, test_targets, NULL};

	return suite_run("bench samples", tests);
}
