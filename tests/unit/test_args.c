/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/args.h"

#include <errno.h>
#include <string.h>

#include "util_test.h"

#define ARGV_MAX 20

/* Parses arguments that follow the program's name, up to a NULL. */
static int parse(const char *const *words, struct args *ret, struct err *e)
{
	static char name[] = "containerd-shim-wisp-v1";
	char *argv[ARGV_MAX] = {name};
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc] = NULL;
	return args_parse(argc, argv, ret, e);
}

#define PARSE(ret, e, ...) parse((const char *const[]){__VA_ARGS__}, ret, e)

START_TEST(test_nothing)
{
	struct args a;
	struct err e;

	memset(&a, 0xff, sizeof(a));
	ck_assert_int_eq(PARSE(&a, &e, NULL), 0);
	ck_assert_str_eq(a.ns, "");
	ck_assert_str_eq(a.id, "");
	ck_assert_str_eq(a.address, "");
	ck_assert_str_eq(a.publish_binary, "");
	ck_assert_str_eq(a.socket, "");
	ck_assert_ptr_null(a.bundle);
	ck_assert_ptr_null(a.command);
	ck_assert(!a.debug && !a.version && !a.info && !a.help);
	ck_assert_int_eq(args_parse(0, NULL, &a, &e), 0);
}
END_TEST

/* As containerd 1.6 to 2.x call it. */
START_TEST(test_daemon)
{
	struct args a;
	struct err e;

	ck_assert_int_eq(
		PARSE(&a, &e, "-namespace", "k8s.io", "-address",
			"/run/containerd/containerd.sock", "-publish-binary",
			"/usr/bin/containerd", "-id", "web", "-bundle", "/b",
			"-socket", "unix:///s", "-debug", "delete", NULL),
		0);
	ck_assert_str_eq(a.ns, "k8s.io");
	ck_assert_str_eq(a.address, "/run/containerd/containerd.sock");
	ck_assert_str_eq(a.publish_binary, "/usr/bin/containerd");
	ck_assert_str_eq(a.id, "web");
	ck_assert_str_eq(a.bundle, "/b");
	ck_assert_str_eq(a.socket, "unix:///s");
	ck_assert(a.debug && !a.version && !a.info);
	ck_assert_str_eq(a.command, "delete");
}
END_TEST

START_TEST(test_forms_of_a_string)
{
	static const char *const forms[][4] = {
		{"-id", "web", "start", NULL},
		{"--id", "web", "start", NULL},
		{"-id=web", "start", NULL},
		{"--id=web", "start", NULL},
		{"-id=web", "--", "start", NULL},
	};
	struct args a;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(forms); i++) {
		ck_assert_int_eq(parse(forms[i], &a, &e), 0);
		ck_assert_str_eq(a.id, "web");
		ck_assert_str_eq(a.command, "start");
	}
}
END_TEST

START_TEST(test_odd_values)
{
	struct args a;
	struct err e;

	ck_assert_int_eq(PARSE(&a, &e, "-id=", "-address=a=b", NULL), 0);
	ck_assert_str_eq(a.id, "");
	ck_assert_str_eq(a.address, "a=b");
	/* Go's flag takes whatever comes next for the value */
	ck_assert_int_eq(PARSE(&a, &e, "-id", "-debug", NULL), 0);
	ck_assert_str_eq(a.id, "-debug");
	ck_assert(!a.debug);
	ck_assert_int_eq(PARSE(&a, &e, "-id", "", "start", NULL), 0);
	ck_assert_str_eq(a.id, "");
	ck_assert_int_eq(PARSE(&a, &e, "-id", "a", "-id", "b", NULL), 0);
	ck_assert_str_eq(a.id, "b");
}
END_TEST

START_TEST(test_booleans)
{
	static const char *const yes[] = {"-debug", "--debug", "-debug=true",
		"-debug=1", "-debug=t", "-debug=T", "-debug=TRUE",
		"--debug=True"};
	static const char *const no[] = {"-debug=false", "-debug=0",
		"--debug=f", "-debug=F", "-debug=FALSE", "-debug=False"};
	struct args a;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(yes); i++) {
		ck_assert_int_eq(PARSE(&a, &e, yes[i], NULL), 0);
		ck_assert(a.debug);
	}
	for (i = 0; i < LENGTH(no); i++) {
		ck_assert_int_eq(PARSE(&a, &e, no[i], NULL), 0);
		ck_assert(!a.debug);
	}
	/* a boolean takes no word of its own */
	ck_assert_int_eq(PARSE(&a, &e, "-debug", "start", NULL), 0);
	ck_assert_str_eq(a.command, "start");
}
END_TEST

START_TEST(test_questions)
{
	struct args a;
	struct err e;

	ck_assert_int_eq(PARSE(&a, &e, "-v", NULL), 0);
	ck_assert(a.version);
	ck_assert_int_eq(PARSE(&a, &e, "--version", NULL), 0);
	ck_assert(a.version);
	ck_assert_int_eq(PARSE(&a, &e, "-info", NULL), 0);
	ck_assert(a.info);
	ck_assert_int_eq(PARSE(&a, &e, "-h", NULL), 0);
	ck_assert(a.help);
	ck_assert_int_eq(PARSE(&a, &e, "--help", NULL), 0);
	ck_assert(a.help);
	ck_assert_ptr_nonnull(strstr(args_usage, "-publish-binary"));
}
END_TEST

START_TEST(test_end_of_flags)
{
	struct args a;
	struct err e;

	ck_assert_int_eq(PARSE(&a, &e, "--", "-id", NULL), 0);
	ck_assert_str_eq(a.command, "-id");
	ck_assert_int_eq(PARSE(&a, &e, "-", NULL), 0);
	ck_assert_str_eq(a.command, "-");
	ck_assert_int_eq(PARSE(&a, &e, "", NULL), 0);
	ck_assert_str_eq(a.command, "");
	ck_assert_int_eq(PARSE(&a, &e, "--", NULL), 0);
	ck_assert_ptr_null(a.command);
}
END_TEST

/* The first word is what the message must have in it. */
START_TEST(test_refused)
{
	static const char *const wrong[][5] = {
		{"-nonsense", "-nonsense", NULL},
		{"--nonsense=1", "--nonsense=1", "start", NULL},
		{"---id", "---id", "x", NULL},
		{"-=x", "-=x", NULL},
		{"-i", "-i", "x", NULL},
		{"-idx", "-idx", "x", NULL},
		{"-id", "-id", NULL},
		{"--namespace", "-id", "x", "--namespace", NULL},
		{"-debug=yes", "-debug=yes", NULL},
		{"-debug=", "-debug=", NULL},
		{"more", "start", "more", NULL},
		{"-id", "start", "-id", "x", NULL},
	};
	struct args a;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		memset(&e, 0, sizeof(e));
		ck_assert_int_eq(parse(wrong[i] + 1, &a, &e), -EINVAL);
		ck_assert_int_eq(e.code, -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, wrong[i][0]));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_nothing, test_daemon,
		test_forms_of_a_string, test_odd_values, test_booleans,
		test_questions, test_end_of_flags, test_refused, NULL};

	return suite_run("args", tests);
}
