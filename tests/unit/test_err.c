/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/err.h"

#include <errno.h>
#include <string.h>

#include "util_test.h"

START_TEST(test_story)
{
	struct err e = {0};

	ck_assert_int_eq(
		err_set(&e, -EINVAL, "no %s in %d", "root", 7), -EINVAL);
	ck_assert_int_eq(e.code, -EINVAL);
	ck_assert_str_eq(e.msg, "no root in 7");
	ck_assert_int_eq(err_sys(&e, -ENOENT, "open '%s'", "x"), -ENOENT);
	ck_assert_str_eq(e.msg, "open 'x': No such file or directory");
	ck_assert_int_eq(err_prefix(&e, "mount %s", "overlay"), -ENOENT);
	ck_assert_int_eq(err_prefix(&e, "create '%s'", "web"), -ENOENT);
	ck_assert_int_eq(e.code, -ENOENT);
	ck_assert_str_eq(e.msg, "create 'web': mount overlay: open 'x': No "
				"such file or directory");
}
END_TEST

START_TEST(test_null)
{
	ck_assert_int_eq(err_set(NULL, -EINVAL, "x"), -EINVAL);
	ck_assert_int_eq(err_sys(NULL, -ENOENT, "x"), -ENOENT);
	ck_assert_int_eq(err_prefix(NULL, "x"), 0);
}
END_TEST

/* What is too long is cut, and ends all the same. */
START_TEST(test_long)
{
	char text[2 * ERR_MSG_MAX];
	struct {
		struct err e;
		char after[16];
	} s;
	size_t n;

	memset(s.after, '#', sizeof(s.after));
	for (n = ERR_MSG_MAX - 30; n < ERR_MSG_MAX + 3; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		err_set(&s.e, -EINVAL, "%s", text);
		ck_assert_uint_le(strlen(s.e.msg), ERR_MSG_MAX - 1);
		err_sys(&s.e, -ENOENT, "%s", text);
		ck_assert_uint_le(strlen(s.e.msg), ERR_MSG_MAX - 1);
		err_prefix(&s.e, "and");
		ck_assert_uint_eq(strlen(s.e.msg), ERR_MSG_MAX - 1);
		ck_assert_int_eq(memcmp(s.e.msg, "and: xxx", 8), 0);
		err_prefix(&s.e, "%s", text);
		ck_assert_uint_eq(strlen(s.e.msg), ERR_MSG_MAX - 1);
		ck_assert_int_eq(s.e.code, -ENOENT);
	}
	for (n = 0; n < sizeof(s.after); n++)
		ck_assert_int_eq(s.after[n], '#');
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_story, test_null, test_long, NULL};

	return suite_run("err", tests);
}
