/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/units.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static const struct table_column columns[] = {
	{"NAME", false, 5, false},
	{"GROUP", false, 2, true},
	{"N", true, 0, false},
};

static struct table *make(const char *group)
{
	struct table *t = table_new(columns, LENGTH(columns));

	if (!t)
		return NULL;
	table_add(t, "%s", "a-long-name");
	table_add(t, "%s", group);
	table_add(t, "%d", 7);
	table_add(t, "\033[1m\xc3\xa4");
	table_add(t, "-");
	table_add(t, "%d", 123);
	table_add(t, "half a row");
	return t;
}

/* What is printed into a file in the place of stdout. */
static int print(const struct table *t, unsigned width, size_t rows,
	const char *end, char *buf, size_t n)
{
	int r, keep = dup(1);

	fflush(stdout);
	ck_assert_ptr_nonnull(freopen("out", "w", stdout));
	r = table_print(t, width, rows, end);
	fflush(stdout);
	dup2(keep, 1);
	close(keep);
	get_file("out", buf, n);
	return r;
}

static void is(const char *group, unsigned width, size_t rows, const char *end,
	const char *expected)
{
	struct table *t = make(group);
	char got[1024];

	ck_assert_int_eq(print(t, width, rows, end, got, sizeof(got)), 0);
	ck_assert_str_eq(got, expected);
	table_free(t);
}

START_TEST(test_widths)
{
	is("pod", 0, 0, "\n",
		"NAME         GROUP    N\n"
		"a-long-name  pod      7\n"
		"?[1m??       -      123\n");
	is("-", 0, 1, ";",
		"NAME           N;"
		"a-long-name    7;");
	is("pod", 20, 0, "\n",
		"NAME      GROUP    N\n"
		"a-long..  pod      7\n"
		"?[1m??    -      123\n");
	is("pod", 1, 0, "\n",
		"NAME   GR    N\n"
		"a-l..  po    7\n"
		"?[1..  -   123\n");
}
END_TEST

START_TEST(test_no_memory)
{
	char got[1024];
	unsigned n;

	for (n = 1; n < 100; n++) {
		struct table *t;
		int r = -ENOMEM;

		oom_at(n);
		t = make("x");
		if (!oom_off()) {
			table_free(t);
			break;
		}
		if (t)
			r = print(t, 0, 0, "\n", got, sizeof(got));
		ck_assert_int_eq(r, -ENOMEM);
		table_free(t);
	}
	ck_assert_uint_gt(n, 5);
	ck_assert_uint_lt(n, 100);
}
END_TEST

START_TEST(test_units)
{
	char b[UNITS_MAX];

	ck_assert_str_eq(units_age(0, b), "0s");
	ck_assert_str_eq(units_age(59999, b), "59s");
	ck_assert_str_eq(units_age(245000, b), "4m05s");
	ck_assert_str_eq(units_age(11220000, b), "3h07m");
	ck_assert_str_eq(units_age(1047600000, b), "12d03h");
	ck_assert_str_eq(units_size(0, b), "0B");
	ck_assert_str_eq(units_size(1023, b), "1023B");
	ck_assert_str_eq(units_size(1536, b), "1.5K");
	ck_assert_str_eq(units_size(10239, b), "10K");
	ck_assert_str_eq(units_size(37 << 20, b), "37M");
	ck_assert_str_eq(units_size(1023 << 20, b), "1.0G");
	ck_assert_str_eq(units_size(UINT64_MAX, b), "16E");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_widths, test_no_memory, test_units, NULL};

	return suite_run("ctl_table", tests);
}
