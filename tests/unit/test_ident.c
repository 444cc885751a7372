/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util_test.h"

START_TEST(test_good)
{
	static const char *const names[] = {"a", "Z", "0", "web", "a.b", "a-b",
		"a_b", "a.b-c_d", "0123456789abcdefABCDEF", "x1.2", "k8s.io",
		"moby", "a-1.2_3"};
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(names); i++)
		ck_assert_int_eq(ident_check("id", names[i], &e), 0);
}
END_TEST

START_TEST(test_bad)
{
	static const char *const names[] = {".", "..", "-", "_", "-a", "a-",
		".a", "a.", "_a", "a_", "a..b", "a.-b", "a--b", "a__b", "a/b",
		"/a", "a b", " a", "a ", "a\n", "a\tb", "a:b", "a@b", "a%b",
		"\x7f", "\xc3\xa4", "a\xff", "../a", "a*", "a'b", "a\"b",
		"a\\b", "a+b", "a,b", "`", "[", "{", "^"};
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		ck_assert_int_eq(ident_check("exec id", names[i], &e), -EINVAL);
		ck_assert_int_eq(e.code, -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, names[i]));
		ck_assert_int_eq(strncmp(e.msg, "exec id", 7), 0);
	}
}
END_TEST

/* All names of one and of two bytes, against the rule itself. */
START_TEST(test_every_byte)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char name[4] = "aXa";
	int c, want;

	for (c = 1; c < 256; c++) {
		name[1] = (char)c;
		want = strchr(alnum, c) || strchr("._-", c) ? 0 : -EINVAL;
		ck_assert_int_eq(ident_check("id", name, NULL), want);
		want = strchr(alnum, c) ? 0 : -EINVAL;
		name[2] = '\0';
		ck_assert_int_eq(ident_check("id", name, NULL), want);
		ck_assert_int_eq(ident_check("id", name + 1, NULL), want);
		name[2] = 'a';
	}
}
END_TEST

START_TEST(test_empty)
{
	struct err e;

	ck_assert_int_eq(ident_check("namespace", "", &e), -EINVAL);
	ck_assert_str_eq(e.msg, "namespace is empty");
	ck_assert_int_eq(ident_check("namespace", NULL, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "namespace is empty");
}
END_TEST

START_TEST(test_length)
{
	static char name[100001];
	struct err e;

	memset(name, 'a', 76);
	ck_assert_int_eq(ident_check("id", name, &e), 0);
	name[76] = 'a';
	ck_assert_int_eq(ident_check("id", name, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "77"));
	ck_assert_ptr_nonnull(strstr(e.msg, "76"));
	memset(name, 'a', sizeof(name) - 1);
	ck_assert_int_eq(ident_check("id", name, &e), -EINVAL);
	ck_assert_uint_lt(strlen(e.msg), 200);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_good, test_bad, test_every_byte,
		test_empty, test_length, NULL};

	return suite_run("ident", tests);
}
