/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util_test.h"

static const struct ctl_bundle_changes none;

static char *copy(const char *config, const struct ctl_bundle_changes *changes)
{
	char *text;

	mkdir("b", 0700);
	put_text("b/config.json", config);
	ck_assert_int_eq(ctl_bundle_copy("b", changes, &text, NULL), 0);
	return text;
}

/* Without blanks, which are the copy's own business. */
static char *tight(char *text)
{
	char *from, *to = text;

	for (from = text; *from; from++)
		if (!strchr(" \n", *from))
			*to++ = *from;
	*to = '\0';
	return text;
}

START_TEST(test_paths)
{
	char *text = copy("{\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
			  "\"mounts\":["
			  "{\"type\":\"bind\",\"source\":\"data\"},"
			  "{\"source\":\"d2\",\"options\":[\"ro\",\"rbind\"]},"
			  "{\"type\":\"bind\",\"source\":\"/abs\"},"
			  "{\"type\":\"tmpfs\",\"source\":\"tmpfs\"}],"
			  "\"hooks\":{\"path\":\"x\",\"source\":\"y\"}}",
		&none);
	char want[2048];

	snprintf(want, sizeof(want),
		"{\"root\":{\"path\":\"%s/rootfs\",\"readonly\":true},"
		"\"mounts\":["
		"{\"type\":\"bind\",\"source\":\"%s/data\"},"
		"{\"source\":\"%s/d2\",\"options\":[\"ro\",\"rbind\"]},"
		"{\"type\":\"bind\",\"source\":\"/abs\"},"
		"{\"type\":\"tmpfs\",\"source\":\"tmpfs\"}],"
		"\"hooks\":{\"path\":\"x\",\"source\":\"y\"}}",
		here("b"), here("b"), here("b"));
	ck_assert_str_eq(tight(text), want);
	free(text);
}
END_TEST

START_TEST(test_process)
{
	static const char *const args[] = {"a", "b", NULL};
	struct ctl_bundle_changes changes = {.args = args, .terminal = true};
	char *text = copy(
		"{\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"}}", &changes);

	ck_assert_str_eq(tight(text),
		"{\"process\":{\"cwd\":\"/\",\"terminal\":true,"
		"\"args\":[\"a\",\"b\"]}}");
	free(text);
	text = copy(
		"{\"process\":{\"args\":[\"x\"],\"terminal\":true}}", &none);
	ck_assert_str_eq(tight(text),
		"{\"process\":{\"args\":[\"x\"],\"terminal\":false}}");
	free(text);
}
END_TEST

/* What is not understood stays as it was written. */
START_TEST(test_faithful)
{
	const char *config = "{\"a\":18446744073709551615,\"b\":1.50e3,"
			     "\"c\":[null,true,false,[],{}],"
			     "\"d\":\"\\u0001\xc3\xa4\\\"\"}";
	char *text = copy(config, &none);

	ck_assert_str_eq(tight(text), config);
	free(text);
}
END_TEST

static void refused(const char *config, int code, const char *why)
{
	struct err e;
	char *text;

	mkdir("b", 0700);
	put_text("b/config.json", config);
	ck_assert_int_eq(ctl_bundle_copy("b", &none, &text, &e), code);
	ck_assert_msg(strstr(e.msg, why), "%s", e.msg);
}

START_TEST(test_broken)
{
	refused("{\"a\": 1,\n  \"b\" 2}", -EINVAL, "line 2, column");
	refused("{\"a\": 1", -EINVAL, "line 1, column");
	refused("", -EINVAL, "line 1, column 1");
	refused("[1]", -EINVAL, "no JSON object");
	refused("{} x", -EINVAL, "line 1");
}
END_TEST

START_TEST(test_too_deep)
{
	size_t n = 100000, at = 5;
	char *text = malloc(2 * n + 8);

	ck_assert_ptr_nonnull(text);
	memcpy(text, "{\"a\":", 5);
	memset(text + at, '[', n);
	memset(text + at + n, ']', n);
	memcpy(text + at + 2 * n, "}", 2);
	refused(text, -ELOOP, "config.json");
	free(text);
}
END_TEST

START_TEST(test_missing)
{
	struct err e;
	char *text;

	ck_assert_int_eq(ctl_bundle_copy("nope", &none, &text, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "--bundle 'nope'"));
	mkdir("b", 0700);
	ck_assert_int_eq(ctl_bundle_copy("b", &none, &text, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "config.json"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_paths, test_process, test_faithful,
		test_broken, test_too_deep, test_missing, NULL};

	return suite_run("ctl bundle", tests);
}
