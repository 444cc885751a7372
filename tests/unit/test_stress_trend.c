/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress_trend.h"

#include <stdint.h>

#include "util_test.h"

#define N 200

/* Noise that is the same each time, from -1 to 1. */
static double noise(void)
{
	static uint32_t x = 12345;

	x = x * 1664525u + 1013904223u;
	return (double)(x >> 8) / (1 << 23) - 1;
}

START_TEST(test_fit)
{
	double y[N];
	struct stress_line l;
	int i;

	stress_fit(NULL, 0, &l);
	ck_assert_double_eq(l.slope, 0);
	for (i = 0; i < N; i++)
		y[i] = 1000 + 2.5 * i;
	stress_fit(y, N, &l);
	ck_assert_double_eq_tol(l.slope, 2.5, 1e-9);
	ck_assert_double_eq_tol(l.error, 0, 1e-6);
	ck_assert_double_eq_tol(l.mean, 1000 + 2.5 * (N - 1) / 2, 1e-6);
	stress_fit(y, 2, &l); /* two points say nothing */
	ck_assert_double_eq(l.slope, 0);
	/* 0 1 0 1: slope 0.2, residuals' squares sum up to 0.8 */
	y[0] = y[2] = 0;
	y[1] = y[3] = 1;
	stress_fit(y, 4, &l);
	ck_assert_double_eq_tol(l.slope, 0.2, 1e-9);
	ck_assert_double_eq_tol(l.error, 0.282843, 1e-5);
}
END_TEST

START_TEST(test_memory_that_is_flat)
{
	double y[N];
	struct stress_memory m;
	int i, k;

	for (k = 0; k < 200; k++) {
		for (i = 0; i < N; i++)
			y[i] = 1300 + 100 * noise();
		stress_judge_memory(y, N, &m);
		ck_assert_int_eq(m.verdict, STRESS_FLAT);
	}
	ck_assert_uint_eq(m.warm_up, N / 4);
	for (i = 0; i < N; i++)
		y[i] = 1300;
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_FLAT);
}
END_TEST

START_TEST(test_memory_that_grows)
{
	double y[N];
	struct stress_memory m;
	int i;

	for (i = 0; i < N; i++) /* 1 KiB per round, in pages */
		y[i] = 1300 + 4 * (i / 4) + 8 * noise();
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_GROWS);
	ck_assert_double_eq_tol(m.line.slope, 1, 0.05);
	for (i = 0; i < N; i++) /* too little to be sure of: 7 KiB in all */
		y[i] = 1300 + 0.05 * i;
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_FLAT);
}
END_TEST

/* Caches fill up, and garbage is collected. */
START_TEST(test_memory_that_levels_off)
{
	double y[N];
	struct stress_memory m;
	int i;

	for (i = 0; i < N; i++)
		y[i] = i < 120 ? 10000 + 20 * i : 12400 + 10 * noise();
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_FLAT);
	ck_assert_double_gt(m.line.slope, 1);
	for (i = 0; i < N; i++) /* a tooth every 20 rounds */
		y[i] = 10000 + 100 * (i % 20);
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_FLAT);
	for (i = 0; i < N; i++)
		y[i] = 10000 - 5 * i;
	stress_judge_memory(y, N, &m);
	ck_assert_int_eq(m.verdict, STRESS_FLAT);
}
END_TEST

START_TEST(test_too_few_rounds)
{
	double y[N];
	struct stress_memory m;
	int i;

	for (i = 0; i < N; i++)
		y[i] = 1000 + 100 * i;
	for (i = 0; i < 10; i++) {
		stress_judge_memory(y, (size_t)i, &m);
		ck_assert_int_eq(m.verdict, STRESS_TOO_FEW);
	}
	stress_judge_memory(y, 10, &m);
	ck_assert_int_eq(m.verdict, STRESS_GROWS);
}
END_TEST

START_TEST(test_counts)
{
	static const unsigned same[] = {5, 5, 5, 5, 5};
	static const unsigned back[] = {5, 9, 9, 9, 5};
	static const unsigned once[] = {5, 5, 6, 6, 6};
	static const unsigned grows[] = {5, 5, 6, 7, 8};
	struct stress_count c;

	stress_judge_count(same, 5, 5, true, &c);
	ck_assert(!c.leaks);
	ck_assert_uint_eq(c.more, 0);
	stress_judge_count(back, 5, 5, true, &c);
	ck_assert(!c.leaks);
	stress_judge_count(once, 5, 5, false, &c); /* e.g. an epoll set */
	ck_assert(!c.leaks);
	ck_assert_uint_eq(c.more, 1);
	stress_judge_count(once, 5, 5, true, &c);
	ck_assert(c.leaks);
	ck_assert_uint_eq(c.since, 2);
	stress_judge_count(grows, 5, 5, false, &c);
	ck_assert(c.leaks);
	ck_assert_uint_eq(c.more, 3);
	ck_assert_uint_eq(c.since, 2);
	ck_assert_double_eq_tol(c.per_round, 1, 1e-9);
	stress_judge_count(grows + 4, 1, 5, false, &c); /* one round only */
	ck_assert(c.leaks);
	stress_judge_count(grows, 0, 5, true, &c);
	ck_assert(!c.leaks);
	stress_judge_count(same, 5, 9, true, &c); /* less than before */
	ck_assert(!c.leaks);
	ck_assert_uint_eq(c.more, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_fit, test_memory_that_is_flat,
		test_memory_that_grows, test_memory_that_levels_off,
		test_too_few_rounds, test_counts, NULL};

	return suite_run("stress trend", tests);
}
