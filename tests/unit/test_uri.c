/* SPDX-License-Identifier: Apache-2.0 */
#include "io/uri.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util_test.h"

START_TEST(test_forms)
{
	static const struct {
		const char *text;
		enum uri_scheme scheme;
		const char *path;
	} forms[] = {
		{NULL, URI_NULL, ""},
		{"", URI_NULL, ""},
		{"/run/a", URI_FIFO, "/run/a"},
		{"/", URI_FIFO, "/"},
		{"/a%20b", URI_FIFO, "/a%20b"}, /* a path, not a URI */
		{"/a?b", URI_FIFO, "/a?b"},
		{"/a b", URI_FIFO, "/a b"},
		{"fifo:///run/a", URI_FIFO, "/run/a"},
		{"fifo:///a%20b", URI_FIFO, "/a b"},
		{"file:///var/log/x", URI_FILE, "/var/log/x"},
		{"file:///a%2fb%2Fc", URI_FILE, "/a/b/c"},
		{"file:///a%3Fb", URI_FILE, "/a?b"},
		{"file:///a%25", URI_FILE, "/a%"},
		{"file:///a?maxsize=1", URI_FILE, "/a"},
		{"file:///%c3%A4", URI_FILE, "/\xc3\xa4"},
		{"file:///a//b/./c", URI_FILE, "/a//b/./c"},
		{"binary:///bin/log", URI_BINARY, "/bin/log"},
		{"binary-v2:///bin/log", URI_BINARY_V2, "/bin/log"},
		{"binary:///bin/log?k=v&k2=/../x", URI_BINARY, "/bin/log"},
		{"/a..b/..c/d../...", URI_FIFO, "/a..b/..c/d../..."},
	};
	struct uri u;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(forms); i++) {
		memset(&u, 0xff, sizeof(u));
		ck_assert_msg(uri_parse(forms[i].text, &u, &e) == 0, "'%s': %s",
			forms[i].text, e.msg);
		ck_assert_int_eq(u.scheme, forms[i].scheme);
		ck_assert_str_eq(u.path, forms[i].path);
	}
}
END_TEST

/* A scheme ends before the first slash: RFC 3986, 3.1. */
START_TEST(test_path_like_a_uri)
{
	struct uri u;
	struct err e;

	ck_assert_msg(uri_parse("/a://b", &u, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(u.scheme, URI_FIFO);
	ck_assert_str_eq(u.path, "/a://b");
}
END_TEST

/* With what the message must say. */
START_TEST(test_refused)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"relative", "absolute"},
		{"./a", "absolute"},
		{"..", "absolute"},
		{"file://", "absolute"},
		{"file://host/a", "absolute"},
		{"file://?x", "absolute"},
		{"file:/a", "absolute"},
		{"/a/../b", "'..'"},
		{"/a/..", "'..'"},
		{"/..", "'..'"},
		{"file:///../etc", "'..'"},
		{"file:///a/%2e%2e/b", "'..'"},
		{"file:///a/.%2E", "'..'"},
		{"file:///a%2f..", "'..'"},
		{"file:///a%", "escape"},
		{"file:///a%4", "escape"},
		{"file:///a%zz", "escape"},
		{"file:///a%4g", "escape"},
		{"file:///a%g4", "escape"},
		{"file:///a%%41", "escape"},
		{"file:///a%00b", "escape"},
		{"file:///a%4?b", "escape"},
		{"http://x/y", "'http'"},
		{"binary-v3:///x", "'binary-v3'"},
		{"npipe:////./pipe/x", "'npipe'"},
		{"fil:///x", "'fil'"},
		{"files:///x", "'files'"},
		{"://x", "''"},
	};
	struct uri u;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		ck_assert_msg(uri_parse(wrong[i].text, &u, &e) == -EINVAL,
			"'%s' was taken", wrong[i].text);
		ck_assert_int_eq(e.code, -EINVAL);
		ck_assert_msg(strstr(e.msg, wrong[i].says), "'%s': %s",
			wrong[i].text, e.msg);
	}
}
END_TEST

static int parse_long(const char *before, size_t n)
{
	static char text[URI_PATH_MAX * 3];
	static struct uri u;
	size_t len = (size_t)sprintf(text, "%s", before);
	struct err e;
	int r;

	memset(text + len, 'a', n);
	text[len + n] = '\0';
	r = uri_parse(text, &u, &e);
	if (r == 0)
		ck_assert_uint_eq(strlen(u.path), n + 1);
	else
		ck_assert_ptr_nonnull(strstr(e.msg, "too long"));
	return r;
}

START_TEST(test_too_long)
{
	ck_assert_int_eq(parse_long("/", URI_PATH_MAX - 2), 0);
	ck_assert_int_eq(parse_long("/", URI_PATH_MAX - 1), -EINVAL);
	ck_assert_int_eq(parse_long("/", 2 * URI_PATH_MAX), -EINVAL);
	ck_assert_int_eq(parse_long("file:///", URI_PATH_MAX - 2), 0);
	ck_assert_int_eq(parse_long("file:///", URI_PATH_MAX - 1), -EINVAL);
}
END_TEST

/* Every byte goes through an escape, and only a NUL does not. */
START_TEST(test_every_escape)
{
	char text[32], want[8];
	struct uri u;
	int c;

	for (c = 0; c < 256; c++) {
		sprintf(text, "file:///a%%%02xb", (unsigned)c);
		sprintf(want, "/a%cb", c);
		if (c == 0) {
			ck_assert_int_eq(uri_parse(text, &u, NULL), -EINVAL);
			continue;
		}
		ck_assert_int_eq(uri_parse(text, &u, NULL), 0);
		ck_assert_str_eq(u.path, want);
	}
}
END_TEST

static void check_argv(const char *text, const char *const *want)
{
	const char **argv;
	struct err e;
	size_t i;

	ck_assert_msg(uri_argv(text, &argv, &e) == 0, "'%s': %s", text, e.msg);
	for (i = 0; want[i]; i++) {
		ck_assert_msg(argv[i], "'%s': only %zu words", text, i);
		ck_assert_str_eq(argv[i], want[i]);
	}
	ck_assert_ptr_null(argv[i]);
	free(argv);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_logger_argv)
{
	check_argv("binary:///bin/l", WORDS("/bin/l"));
	check_argv("binary:///bin/l?", WORDS("/bin/l"));
	check_argv("binary:///bin/l?k=v", WORDS("/bin/l", "k", "v"));
	check_argv("binary-v2:///b%20c?z=1&a=2&z=3",
		WORDS("/b c", "z", "1", "a", "2", "z", "3"));
	check_argv("binary:///l?k", WORDS("/l", "k", ""));
	check_argv("binary:///l?=v", WORDS("/l", "", "v"));
	check_argv("binary:///l?&&k=v&", WORDS("/l", "k", "v"));
	check_argv("binary:///l?k=a=b?c/../d", WORDS("/l", "k", "a=b?c/../d"));
	check_argv(
		"binary:///l?a%3db=c%26d+e%2B", WORDS("/l", "a=b", "c&d e+"));
	check_argv("binary:///l?k=v#part", WORDS("/l", "k", "v"));
	check_argv("binary:///l?%c3%a4=%0a", WORDS("/l", "\xc3\xa4", "\n"));
}
END_TEST

START_TEST(test_logger_argv_refused)
{
	static const char *const wrong[] = {"binary:///l?a=%",
		"binary:///l?a=%4", "binary:///l?%zz", "binary:///l?a=b&c=%00",
		"binary:///l?a%=b", "binary://l?a=b", "binary:///../l?a=b"};
	const char **argv = NULL;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		ck_assert_msg(uri_argv(wrong[i], &argv, &e) == -EINVAL,
			"'%s' was taken", wrong[i]);
		ck_assert_ptr_null(argv);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_forms, test_path_like_a_uri,
		test_refused, test_too_long, test_every_escape,
		test_logger_argv, test_logger_argv_refused, NULL};

	return suite_run("uri", tests);
}
