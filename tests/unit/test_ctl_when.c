/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <errno.h>

#include "util_test.h"

START_TEST(test_points)
{
	static const struct {
		const char *text;
		long s, ns;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0, 0},
		{"2026-11-21T23:24:41.000000001Z", 1795303481, 1},
		{"2026-11-21T23:24:41.5Z", 1795303481, 500000000},
		{"2026-11-22T00:24:41+01:00", 1795303481, 0},
		{"2026-11-21T21:54:41.1234567891-01:30", 1795303481, 123456789},
		{"1795303481", 1795303481, 0},
		{"1795303481.25", 1795303481, 250000000},
	};
	struct timespec got;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		ck_assert_msg(ctl_when_parse(cases[i].text, &got) == 0, "%s",
			cases[i].text);
		ck_assert_int_eq(got.tv_sec, cases[i].s);
		ck_assert_int_eq(got.tv_nsec, cases[i].ns);
	}
}
END_TEST

START_TEST(test_ago)
{
	static const struct {
		const char *text;
		long s;
	} cases[] = {{"0s", 0}, {"90s", 90}, {"10m", 600}, {"1h30m", 5400},
		{"2d", 172800}};
	struct timespec got, now;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		clock_gettime(CLOCK_REALTIME, &now);
		ck_assert_int_eq(ctl_when_parse(cases[i].text, &got), 0);
		ck_assert_int_ge(got.tv_sec, now.tv_sec - cases[i].s);
		ck_assert_int_le(got.tv_sec,
			now.tv_sec - cases[i].s + TEST_WAIT_MS / 1000);
	}
}
END_TEST

START_TEST(test_wrong)
{
	static const char *const wrong[] = {"", "x", "10x", "-1s", "m", "10m5",
		"2026-11-21", "2026-11-21T23:24:41", "1T", "1.5h",
		"2026-11-21T23:24:41+1", "2026-11-21T23:24:41Zx",
		"99999999999999999999", "99999999999d", "36500d1s"};
	struct timespec got;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		ck_assert_msg(ctl_when_parse(wrong[i], &got) == -EINVAL, "%s",
			wrong[i]);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_points, test_ago, test_wrong, NULL};

	return suite_run("ctl_when", tests);
}
