/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tail.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util_test.h"

static const char *path(void)
{
	static char name[256];

	if (!*name)
		snprintf(name, sizeof(name), "%s", here("file"));
	return name;
}

static void append(const char *text)
{
	FILE *f = fopen(path(), "a");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void rotate(void)
{
	ck_assert_int_eq(rename(path(), here("file.1")), 0);
}

static void expect(struct ctl_tail *t, const char *line)
{
	char *got = ctl_tail_next(t);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, line);
}

START_TEST(test_grows)
{
	struct ctl_tail t;

	ck_assert_int_eq(ctl_tail_open(&t, path(), false, NULL), 0);
	ck_assert_ptr_null(ctl_tail_next(&t)); /* there is no file */
	append("one\ntw");
	expect(&t, "one");
	ck_assert_ptr_null(ctl_tail_next(&t)); /* not finished */
	append("o\n\nthree\n");
	expect(&t, "two");
	expect(&t, "");
	expect(&t, "three");
	ck_assert_ptr_null(ctl_tail_next(&t));
	ctl_tail_close(&t);
}
END_TEST

START_TEST(test_is_rotated)
{
	struct ctl_tail t;

	append("one\n");
	rotate();
	append("two\n");
	ck_assert_int_eq(ctl_tail_open(&t, path(), false, NULL), 0);
	expect(&t, "one");
	expect(&t, "two");
	append("three\n");
	rotate();
	append("four\n");
	expect(&t, "three");
	expect(&t, "four");
	ck_assert_ptr_null(ctl_tail_next(&t));
	ck_assert(!t.gap);
	rotate(); /* and nothing new yet */
	ck_assert_ptr_null(ctl_tail_next(&t));
	append("five\n");
	expect(&t, "five");
	ck_assert(!t.gap);
	ctl_tail_close(&t);
}
END_TEST

START_TEST(test_is_rotated_too_fast)
{
	struct ctl_tail t;

	append("one\n");
	ck_assert_int_eq(ctl_tail_open(&t, path(), false, NULL), 0);
	expect(&t, "one");
	append("lost only if it is not read\n");
	rotate();
	append("lost\n");
	rotate();
	append("two\n");
	rotate();
	append("three\n");
	expect(&t, "lost only if it is not read");
	ck_assert(!t.gap);
	expect(&t, "two");
	ck_assert(t.gap);
	t.gap = false;
	expect(&t, "three");
	ck_assert_ptr_null(ctl_tail_next(&t));
	ck_assert(!t.gap);
	ctl_tail_close(&t);
}
END_TEST

START_TEST(test_from_end)
{
	struct ctl_tail t;

	append("one\n");
	ck_assert_int_eq(ctl_tail_open(&t, path(), true, NULL), 0);
	ck_assert_ptr_null(ctl_tail_next(&t));
	append("two\n");
	expect(&t, "two");
	unlink(path()); /* what is open can still be read */
	ck_assert_ptr_null(ctl_tail_next(&t));
	ctl_tail_close(&t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_grows, test_is_rotated,
		test_is_rotated_too_fast, test_from_end, NULL};

	return suite_run("ctl_tail", tests);
}
