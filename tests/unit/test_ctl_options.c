/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/run_options.h"
#include "util_test.h"

/* What is parsed points into the arguments: they stay until the next time. */
static int parse(
	struct ctl_run_options *o, struct err *e, const char *const *args)
{
	static char *argv[64];
	int argc = 0;

	for (argc = 0; args[argc]; argc++)
		argv[argc] = (char *)args[argc];
	argv[argc] = NULL;
	return ctl_run_options_parse(o, argc, argv, e);
}

#define PARSE(o, e, ...) \
	parse(o, e, (const char *const[]){"run", __VA_ARGS__, NULL})

START_TEST(test_all)
{
	struct ctl_run_options o;

	setenv("MINE", "passed on", 1);
	unsetenv("NOT_SET");
	ck_assert_int_eq(
		PARSE(&o, NULL, "--rm", "-t", "--events", "--runtime", "crun",
			"--shim=/s", "--rootfs", "/r", "--name", "n1", "--root",
			"/root", "-e", "A=b", "--env", "MINE", "-e", "NOT_SET",
			"--cwd", "/tmp", "-m", "64m", "-o", "json", "--dialect",
			"2.3", "--mount", "src=/,dst=/mnt", "--", "cmd", "-x"),
		0);
	ck_assert(o.remove && o.terminal && o.events && o.json);
	ck_assert(!o.interactive && !o.debug && !o.help);
	ck_assert_str_eq(o.runtime, "crun");
	ck_assert_str_eq(o.shim, "/s");
	ck_assert_str_eq(o.rootfs, "/r");
	ck_assert_str_eq(o.name, "n1");
	ck_assert_str_eq(o.root, "/root");
	ck_assert_str_eq(o.cwd, "/tmp");
	ck_assert_uint_eq(o.memory, 64 << 20);
	ck_assert_int_eq(o.dialect, CLIENT_DIALECT_BOOTSTRAP);
	ck_assert_uint_eq(o.n_env, 2);
	ck_assert_str_eq(o.env[0], "A=b");
	ck_assert_str_eq(o.env[1], "MINE=passed on");
	ck_assert_uint_eq(o.n_mounts, 1);
	ck_assert_str_eq(o.command[0], "cmd");
	ck_assert_str_eq(o.command[1], "-x");
	ctl_run_options_clear(&o);
}
END_TEST

/* Options end where the command begins, with or without `--`. */
START_TEST(test_command)
{
	struct ctl_run_options o;

	ck_assert_int_eq(PARSE(&o, NULL, "--rm", "ls", "-t", "--bogus"), 0);
	ck_assert(!o.terminal);
	ck_assert_str_eq(o.command[0], "ls");
	ck_assert_str_eq(o.command[2], "--bogus");
	ctl_run_options_clear(&o);
	ck_assert_int_eq(PARSE(&o, NULL, "--rm"), 0);
	ck_assert_ptr_null(o.command[0]);
	ctl_run_options_clear(&o);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *arg, *value, *why;
	} all[] = {
		{"--bogus", NULL, "'--bogus' is not understood"},
		{"-Z", NULL, "no option -Z"},
		{"--name", NULL, "'--name' needs a value"},
		{"--name", "a/b", "--name 'a/b'"},
		{"--memory", "x", "--memory 'x'"},
		{"--memory", "0", "--memory '0'"},
		{"--env", "=x", "--env '=x'"},
		{"--cwd", "tmp", "--cwd 'tmp'"},
		{"--output", "xml", "--output 'xml'"},
		{"--dialect", "3", "--dialect '3'"},
		{"--mount", "hello", "'hello' is not understood"},
	};
	struct ctl_run_options o;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(all); i++) {
		ck_assert_int_eq(
			PARSE(&o, &e, all[i].arg, all[i].value), -EINVAL);
		ck_assert_msg(strstr(e.msg, all[i].why), "%s", e.msg);
		ctl_run_options_clear(&o);
	}
	ck_assert_int_eq(
		PARSE(&o, &e, "--rootfs", "/", "--bundle", "/"), -EINVAL);
	ctl_run_options_clear(&o);
	ck_assert_int_eq(PARSE(&o, &e, "--bundle", "/", "-e", "A=b"), -EINVAL);
	ctl_run_options_clear(&o);
}
END_TEST

START_TEST(test_sizes)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {{"0", 0}, {"512", 512}, {"512b", 512}, {"1k", 1024},
		{"1KB", 1024}, {"64m", 64 << 20}, {"2G", 2ull << 30},
		{"9223372036854775807", 9223372036854775807ull}};
	static const char *const bad[] = {"", "m", "-1", "+1", " 1", "1x",
		"1mm", "1 m", "1.5g", "9223372036854775808", "8589934592g",
		"99999999999999999999"};
	uint64_t size = 77;
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_msg(
			ctl_parse_size(bad[i], &size) == -EINVAL, "%s", bad[i]);
	ck_assert_uint_eq(size, 77);
	for (i = 0; i < LENGTH(good); i++) {
		ck_assert_int_eq(ctl_parse_size(good[i].text, &size), 0);
		ck_assert_uint_eq(size, good[i].size);
	}
}
END_TEST

static void mount_is(const char *text, const char *type, const char *source,
	const char *options)
{
	struct ctl_mount m;

	ck_assert_int_eq(ctl_parse_mount(text, &m, NULL), 0);
	ck_assert_str_eq(m.type, type);
	ck_assert_str_eq(m.source, source);
	ck_assert_str_eq(m.target, "/mnt");
	ck_assert_str_eq(m.options ? m.options : "", options);
	ctl_mount_clear(&m);
}

START_TEST(test_mounts)
{
	static const char *const bad[] = {"", "type=bind", "src=/", "dst=/mnt",
		"src=/,dst=mnt", "src=/no/such/thing,dst=/mnt",
		"src=/,dst=/mnt,bogus", "src=/,dst=/mnt,a=b"};
	struct ctl_mount m;
	struct err e;
	size_t i;

	mkdir("data", 0700);
	mount_is("type=bind,src=/,dst=/mnt", "bind", "/", "rbind");
	mount_is(
		"source=data,target=/mnt,ro", "bind", here("data"), "ro:rbind");
	mount_is("src=/,destination=/mnt,options=ro:nosuid,readonly", "bind",
		"/", "ro:nosuid:ro:rbind");
	mount_is("type=tmpfs,dst=/mnt,options=size=1m", "tmpfs", "tmpfs",
		"size=1m");
	for (i = 0; i < LENGTH(bad); i++) {
		ck_assert_msg(
			ctl_parse_mount(bad[i], &m, &e) < 0, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(e.msg, "--mount"));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_all, test_command, test_refused,
		test_sizes, test_mounts, NULL};

	return suite_run("ctl options", tests);
}
