/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/scan.h"

#include <string.h>

#include "ctl/runtime_look.h"
#include "util_test.h"

#define PARSE(words, ret) scan_parse(words, sizeof(words), ret)

START_TEST(test_shim)
{
	struct scan_words w;

	ck_assert(PARSE("/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0"
			"-id\0web\0-address\0/run/c.sock",
		&w));
	ck_assert_str_eq(w.program, "containerd-shim-runc-v2");
	ck_assert_str_eq(w.ns, "moby");
	ck_assert_str_eq(w.id, "web");
	ck_assert_str_eq(w.daemon, "/run/c.sock");
	/* as Rust's shims have it, and wisp, whose start goes on to serve */
	ck_assert(PARSE("shim\0--namespace=a b\0--id=c\0start", &w));
	ck_assert_str_eq(w.program, "shim");
	ck_assert_str_eq(w.ns, "a b");
	ck_assert_str_eq(w.id, "c");
	ck_assert_str_eq(w.daemon, "");
}
END_TEST

START_TEST(test_no_shim)
{
	struct scan_words w;

	ck_assert(!scan_parse("", 0, &w));
	ck_assert(!PARSE("", &w));
	ck_assert(!PARSE("/opt/shims/sleep\0-namespace\0a\0-id\0b", &w));
	ck_assert(!PARSE("shim\0-namespace\0a", &w));
	ck_assert(!PARSE("shim\0-namespace\0a\0-id", &w));
	ck_assert(!PARSE("shim\0-id\0-namespace\0a", &w));
	ck_assert(!PARSE("shim\0namespace\0a\0id\0b", &w));
	ck_assert(!PARSE("shim\0-namespaces\0a\0-id\0b", &w));
	ck_assert(!PARSE("shim\0-namespace\0a\0-id\0b\0delete", &w));
	ck_assert(!PARSE("shim\0-namespace\0a\0-id\0../b", &w));
}
END_TEST

/* What is too long is nobody's name, not a shorter one. */
START_TEST(test_long_words)
{
	char words[4096] = "shim\0-namespace\0n\0-id";
	size_t n = 22;
	struct scan_words w;

	memset(words + n, 'x', SCAN_ID_MAX - 1);
	ck_assert(scan_parse(words, n + SCAN_ID_MAX, &w));
	ck_assert_uint_eq(strlen(w.id), SCAN_ID_MAX - 1);
	memset(words + n, 'x', SCAN_ID_MAX);
	ck_assert(!scan_parse(words, n + SCAN_ID_MAX + 1, &w));
}
END_TEST

static const char *verb(const char *words, size_t n)
{
	const char *got = runtime_look_verb(words, n);

	return got ? got : "";
}
#define VERB(words) verb(words, sizeof(words))

START_TEST(test_verbs)
{
	ck_assert_str_eq(
		VERB("runc\0--root\0/run\0create\0-b\0/x\0id"), "create");
	ck_assert_str_eq(VERB("/usr/bin/crun\0delete\0--force\0id"), "delete");
	ck_assert_str_eq(VERB("/bin/sh\0/opt/runc\0kill\0id\0009"), "kill");
	ck_assert_str_eq(VERB("runc\0init"), "");
	ck_assert_str_eq(VERB("runc:[2:INIT]"), "");
	ck_assert_str_eq(VERB("sh\0-c\0x\0runc\0kill"), "");
	ck_assert_str_eq(VERB("sleep\0001"), "");
	ck_assert_str_eq(VERB(""), "");
	ck_assert_ptr_null(runtime_look_verb(NULL, 0));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_shim, test_no_shim, test_long_words, test_verbs, NULL};

	return suite_run("ctl_scan", tests);
}
