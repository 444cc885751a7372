/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/stress/stress.h"
#include "util_test.h"

/* What there is of a clean shim. */
static void look_clean(struct stress_look *l)
{
	*l = (struct stress_look){.fds = 2, .pss = 1000, .own = 900};
	stress_look_add(l, STRESS_FD_PIPE, "fd 3 -> pipe:[1]");
	stress_look_add(l, STRESS_FD_FILE, "fd 4 -> /dev/null");
	stress_look_add(l, STRESS_CGROUPS, "/sys/fs/cgroup/a");
}

static void add_round(struct stress_result *x, struct stress_look *last,
	unsigned pipes, unsigned cgroups)
{
	char item[64];
	unsigned i;

	stress_look_clear(last);
	look_clean(last);
	for (i = 0; i < pipes; i++) {
		snprintf(item, sizeof(item), "fd %u -> pipe:[9]", 10 + i);
		stress_look_add(last, STRESS_FD_PIPE, item);
	}
	for (i = 0; i < cgroups; i++)
		stress_look_add(last, STRESS_CGROUPS, "/sys/fs/cgroup/b");
	ck_assert_int_eq(stress_result_add_round(x, last), 0);
}

START_TEST(test_clean)
{
	struct stress_result x = {.n_rounds = 0};
	struct stress_look first, last = {0};
	int i;

	look_clean(&first);
	stress_result_warm(&x, &first);
	for (i = 0; i < 100; i++)
		add_round(&x, &last, i < 99, i < 99); /* back in the end */
	stress_result_judge(&x, &first, &last);
	ck_assert(stress_result_is_clean(&x));
	ck_assert_int_eq(x.pss.verdict, STRESS_FLAT);
	ck_assert_uint_eq(x.before.count[STRESS_FD_PIPE], 1);
	stress_look_clear(&first);
	stress_look_clear(&last);
	stress_result_clear(&x);
}
END_TEST

START_TEST(test_leaks_are_named)
{
	struct stress_result x = {.n_rounds = 0};
	struct stress_look first, last = {0};
	unsigned i;

	look_clean(&first);
	stress_look_add(&first, STRESS_CGROUPS, "/sys/fs/cgroup/b");
	stress_result_warm(&x, &first); /* one is left by the warm-up */
	stress_look_clear(&first);
	look_clean(&first);
	for (i = 0; i < 6; i++)
		add_round(&x, &last, i < 2 ? 0 : 2 * (i - 1), i + 2);
	stress_result_judge(&x, &first, &last);
	ck_assert(!stress_result_is_clean(&x));
	ck_assert_uint_eq(x.n_findings, 2);
	ck_assert_int_eq(x.findings[0].class, STRESS_FD_PIPE);
	ck_assert_uint_eq(x.findings[0].count.more, 8);
	ck_assert_uint_eq(x.findings[0].since, 3);
	ck_assert_double_eq_tol(x.findings[0].count.per_round, 2, 1e-9);
	ck_assert_str_eq(x.findings[0].examples[0], "fd 10 -> pipe:[9]");
	ck_assert_str_eq(x.findings[0].examples[2], "fd 12 -> pipe:[9]");
	ck_assert_int_eq(x.findings[1].class, STRESS_CGROUPS);
	ck_assert_uint_eq(x.findings[1].since, 0);
	ck_assert_double_eq_tol(x.findings[1].count.per_round, 1, 1e-9);
	ck_assert_str_eq(x.findings[1].examples[0], "/sys/fs/cgroup/b");
	ck_assert_int_eq(x.pss.verdict, STRESS_TOO_FEW);
	stress_look_clear(&first);
	stress_look_clear(&last);
	stress_result_clear(&x);
}
END_TEST

START_TEST(test_memory)
{
	struct stress_result x = {.n_rounds = 0};
	struct stress_look l;
	int i;

	look_clean(&l);
	stress_result_warm(&x, &l);
	for (i = 0; i < 40; i++) {
		l.pss += 10; /* somebody who shared pages goes, and goes */
		ck_assert_int_eq(stress_result_add_round(&x, &l), 0);
	}
	stress_result_judge(&x, &l, &l);
	ck_assert_int_eq(x.pss.verdict, STRESS_GROWS);
	ck_assert(stress_result_is_clean(&x));
	for (i = 0; i < 40; i++)
		x.rounds[i].own += 10 * i;
	stress_result_judge(&x, &l, &l);
	ck_assert(x.memory_leaks && !stress_result_is_clean(&x));
	stress_look_clear(&l);
	stress_result_clear(&x);
}
END_TEST

START_TEST(test_the_end)
{
	struct stress_result x = {.n_rounds = 0};
	struct stress_look end = {0};

	stress_result_judge_end(&x, &end);
	ck_assert(stress_result_is_clean(&x));
	stress_look_add(
		&end, STRESS_FD_PIPE, "of whom?"); /* there is no shim */
	stress_look_add(&end, STRESS_MOUNTS, "/run/x");
	stress_result_judge_end(&x, &end);
	stress_result_judge_end(&x, &end); /* told once */
	ck_assert_uint_eq(x.n_findings, 1);
	ck_assert_int_eq(x.findings[0].class, STRESS_MOUNTS);
	ck_assert(x.findings[0].at_end);
	ck_assert_str_eq(x.findings[0].examples[0], "/run/x");
	stress_look_clear(&end);
}
END_TEST

START_TEST(test_sums)
{
	uint64_t sum = stress_sum(STRESS_SUM_BEGIN, "foobar", 6);

	ck_assert_uint_eq(sum, 0x85944171f73967e8ull); /* FNV-1a, published */
	ck_assert_uint_eq(
		stress_sum(stress_sum(STRESS_SUM_BEGIN, "foo", 3), "bar", 3),
		sum);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_clean, test_leaks_are_named,
		test_memory, test_the_end, test_sums, NULL};

	return suite_run("stress result", tests);
}
