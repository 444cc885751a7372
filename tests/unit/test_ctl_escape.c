/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/escape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/winpath.h"
#include "util_argv.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static struct err e;

/* After the program's name: an argument, and how it is written. */
static const struct vector {
	const char *arg, *written;
} vectors[] = {
	{"", "\"\""},
	{"a", "a"},
	{" ", "\" \""},
	{"a b", "\"a b\""},
	{"a\tb", "\"a\tb\""},
	{"a\nb", "\"a\nb\""},
	{"\"", "\\\""},
	{"a\"b", "a\\\"b"},
	{"\"a b\"", "\"\\\"a b\\\"\""},
	{"\"\"", "\\\"\\\""},
	{"\\", "\\"},
	{"a\\", "a\\"},
	{"a b\\", "\"a b\\\\\""},
	{"a b\\\\", "\"a b\\\\\\\\\""},
	{"a\\b", "a\\b"},
	{"a\\\\b c", "\"a\\\\b c\""},
	{"a\\\"b", "a\\\\\\\"b"},
	{"a\\\\\"b", "a\\\\\\\\\\\"b"},
	{"\\\"", "\\\\\\\""},
	{"\\\\ \\\"", "\"\\\\ \\\\\\\"\""},
	{"C:\\Program Files\\x\\", "\"C:\\Program Files\\x\\\\\""},
	{"\xc3\xa9 \xf0\x9f\x98\x80", "\"\xc3\xa9 \xf0\x9f\x98\x80\""},
	{"%PATH% ^& | <x>", "\"%PATH% ^& | <x>\""},
	{"--x=\"y z\"\\", "\"--x=\\\"y z\\\"\\\\\""},
};

static void expect_same(const char *const *args)
{
	char *line, **got;
	size_t i;

	ck_assert_msg(escape_args(args, &line, &e) == 0, "%s", e.msg);
	got = argv_parse(line);
	for (i = 0; args[i]; i++)
		ck_assert_msg(got[i] && strcmp(got[i], args[i]) == 0,
			"[%s] %zu: '%s', not '%s'", line, i, got[i], args[i]);
	ck_assert_ptr_null(got[i]);
	free(got);
	free(line);
}

START_TEST(test_vectors)
{
	char want[128], *line;
	size_t i;

	for (i = 0; i < LENGTH(vectors); i++) {
		const char *const args[] = {"x.exe", vectors[i].arg, "z", NULL};

		ck_assert_int_eq(escape_args(args, &line, &e), 0);
		snprintf(want, sizeof(want), "x.exe %s z", vectors[i].written);
		ck_assert_str_eq(line, want);
		free(line);
		expect_same(args);
	}
}
END_TEST

/* The manual's own examples of how lines are read. */
START_TEST(test_parser)
{
	static const struct {
		const char *line, *args[4];
	} lines[] = {
		{"x \"a b c\" d e", {"a b c", "d", "e"}},
		{"x \"ab\\\"c\" \"\\\\\" d", {"ab\"c", "\\", "d"}},
		{"x a\\\\\\b d\"e f\"g h", {"a\\\\\\b", "de fg", "h"}},
		{"x a\\\\\\\"b c d", {"a\\\"b", "c", "d"}},
		{"x a\\\\\\\\\"b c\" d e", {"a\\\\b c", "d", "e"}},
		{"x a\"b\"\" c d", {"ab\" c d"}},
	};
	size_t i, j;

	for (i = 0; i < LENGTH(lines); i++) {
		char **got = argv_parse(lines[i].line);

		ck_assert_str_eq(got[0], "x");
		for (j = 0; lines[i].args[j]; j++)
			ck_assert_str_eq(got[j + 1], lines[i].args[j]);
		ck_assert_ptr_null(got[j + 1]);
		free(got);
	}
}
END_TEST

START_TEST(test_program)
{
	static const struct vector names[] = {{"a", "a"},
		{"C:\\a b\\", "\"C:\\a b\\\""}, {"", "\"\""}, {"a\\", "a\\"},
		{"C:\\a b\\\\", "\"C:\\a b\\\\\""}, {"a\x01", "\"a\x01\""}};
	char *line;
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		const char *const args[] = {names[i].arg, NULL};
		const char *const more[] = {names[i].arg, "", "\\\"", NULL};

		ck_assert_int_eq(escape_args(args, &line, &e), 0);
		ck_assert_str_eq(line, names[i].written);
		free(line);
		expect_same(more);
	}
}
END_TEST

START_TEST(test_refused)
{
	static const char *const none[] = {NULL};
	static const char *const quote[] = {"a\"b", NULL};
	static const char *const bytes[] = {"a", "\xff", NULL};
	char *line = NULL;

	ck_assert_int_eq(escape_args(none, &line, &e), -EINVAL);
	ck_assert_int_eq(escape_args(quote, &line, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "quote"));
	ck_assert_int_eq(escape_args(bytes, &line, &e), -EINVAL);
	ck_assert_int_eq(escape_check_line("", &e), -EINVAL);
	ck_assert_int_eq(escape_check_line("a \"b", &e), 0);
	ck_assert_ptr_null(line);
}
END_TEST

START_TEST(test_length)
{
	char *line = malloc(WINPATH_LINE_MAX + 2);

	memset(line, 'a', WINPATH_LINE_MAX);
	line[WINPATH_LINE_MAX] = '\0';
	ck_assert_int_eq(escape_check_line(line, &e), 0);
	strcpy(line + WINPATH_LINE_MAX, "a");
	ck_assert_int_eq(escape_check_line(line, &e), -E2BIG);
	/* two units of UTF-16 in four bytes, one in two */
	strcpy(line + WINPATH_LINE_MAX - 4, "\xf0\x9f\x98\x80");
	ck_assert_int_eq(escape_check_line(line, &e), 0);
	free(line);
}
END_TEST

/* Whatever of the letters that matter. */
START_TEST(test_all_short_arguments)
{
	static const char letters[] = "\\\" a\t";
	char arg[8];
	unsigned n, i, all = 1;

	for (i = 0; i < 6; i++)
		all *= 5;
	for (n = 0; n < all; n++) {
		const char *const args[] = {"x", arg, arg, NULL};
		unsigned rest = n;

		for (i = 0; i < 6; i++, rest /= 5)
			arg[i] = letters[rest % 5];
		arg[n % 7] = '\0';
		arg[6] = '\0';
		expect_same(args);
	}
}
END_TEST

START_TEST(test_no_memory)
{
	static const char *const args[] = {"a", "b", NULL};
	char *line = NULL;
	int r;

	oom_at(1);
	r = escape_args(args, &line, &e);
	ck_assert(oom_off());
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_ptr_null(line);
}
END_TEST

START_TEST(test_paths)
{
	static const char guid[] = "12345678-1234-1234-1234-123456789ABC";
	char text[128];

	ck_assert(winpath_is_absolute("C:\\"));
	ck_assert(winpath_is_absolute("c:/a"));
	ck_assert(winpath_is_absolute("\\\\host\\share"));
	ck_assert(winpath_is_absolute("\\\\?\\C:\\a"));
	ck_assert(winpath_is_absolute("%CONTAINER_SANDBOX_MOUNT_POINT%\\a"));
	ck_assert(!winpath_is_absolute(""));
	ck_assert(!winpath_is_absolute("C:"));
	ck_assert(!winpath_is_absolute("C:a"));
	ck_assert(!winpath_is_absolute("\\a"));
	ck_assert(!winpath_is_absolute("\\\\"));
	ck_assert(!winpath_is_absolute("a"));
	ck_assert(winpath_is_guid(guid));
	snprintf(text, sizeof(text), "{%s}", guid);
	ck_assert(winpath_is_guid(text));
	text[strlen(text) - 1] = '\0';
	ck_assert(!winpath_is_guid(text));
	ck_assert(!winpath_is_guid(""));
	snprintf(text, sizeof(text), "\\\\?\\Volume{%s}", guid);
	ck_assert(winpath_is_volume(text));
	strcat(text, "\\");
	ck_assert(winpath_is_volume(text));
	strcat(text, "a");
	ck_assert(!winpath_is_volume(text));
	ck_assert(winpath_is_pipe("\\\\.\\pipe\\a"));
	ck_assert(!winpath_is_pipe("\\\\.\\pipe\\"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_vectors, test_parser, test_program,
		test_refused, test_length, test_all_short_arguments,
		test_no_memory, test_paths, NULL};

	return suite_run("ctl escape", tests);
}
