/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "ctl/exec.h"
#include "ctl/exit_code.h"
#include "ctl/command.h"
#include "ctl/own.h"
#include "ctl/signal_name.h"
#include "ctl/task_options.h"
#include "util_test.h"

START_TEST(test_signals)
{
	static const struct {
		const char *text;
		uint32_t number; /* 0: none */
	} all[] = {{"9", 9}, {"KILL", 9}, {"SIGKILL", 9}, {"sigterm", 15},
		{"hup", 1}, {"64", 64}, {"RTMIN", 34}, {"rtmin+3", 37},
		{"SIGRTMAX", 64}, {"RTMAX-1", 63}, {"RTMIN+30", 64}, {"0", 0},
		{"65", 0}, {"-1", 0}, {"", 0}, {"SIG", 0}, {"9x", 0},
		{"RTMIN+31", 0}, {"RTMIN-1", 0}, {"RTMAX+1", 0}, {"RTMIN+", 0},
		{"NOSUCH", 0}, {"99999999999999999999", 0}};
	size_t i;

	for (i = 0; i < LENGTH(all); i++) {
		uint32_t n = 0;
		int r = ctl_signal_number(all[i].text, &n);

		ck_assert_msg(r == (all[i].number ? 0 : -EINVAL) &&
				      n == all[i].number,
			"%s: %d, %u", all[i].text, r, n);
	}
}
END_TEST

static int take(void *own, int opt, const char *arg, struct err *e)
{
	const char **got = own;

	(void)opt;
	(void)e;
	*got = arg;
	return 0;
}

static const struct option long_options[] = {
	{"mine", required_argument, NULL, CTL_OPT_OWN},
	CTL_TASK_LONG_OPTIONS,
};

static int parse(const char *line, struct ctl_task_options *o,
	const char **ret_mine, int *ret_first, struct err *e)
{
	static char copy[256];
	char *argv[16], *rest = copy;
	int argc = 0;

	*o = (struct ctl_task_options){.timeout_ms = 7};
	*ret_mine = NULL;
	snprintf(copy, sizeof(copy), "%s", line);
	while ((argv[argc] = strsep(&rest, " ")))
		argc++;
	return ctl_task_options_parse(o, argc, argv, "x:", long_options, take,
		ret_mine, ret_first, e);
}

START_TEST(test_common_options)
{
	static const struct {
		const char *text;
		long ms; /* -1: refused */
	} times[] = {{"0", 0}, {"10", 10000}, {"0.5", 500}, {"500ms", 500},
		{"2m", 120000}, {"3s", 3000}, {"0.0001", 1}, {"24h", -1},
		{"x", -1}, {"-1", -1}, {"1e9", -1}, {"nan", -1}, {"", -1},
		{"1440m", 86400000}, {"1441m", -1}};
	struct ctl_task_options o;
	const char *mine;
	char line[64];
	struct err e;
	int first;
	size_t i;

	ck_assert_int_eq(parse("kill -n moby a --root /r --mine y --debug b",
				 &o, &mine, &first, &e),
		0);
	ck_assert_str_eq(o.ns, "moby");
	ck_assert_str_eq(o.root, "/r");
	ck_assert_str_eq(mine, "y");
	ck_assert(o.debug && !o.help);
	ck_assert_uint_eq(o.timeout_ms, 7);
	ck_assert_int_eq(first, 8); /* a and b have come last */
	ck_assert_int_eq(parse("kill -h --nosuch", &o, &mine, &first, &e), 0);
	ck_assert(o.help);
	ck_assert_int_eq(
		parse("kill --nosuch", &o, &mine, &first, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "'--nosuch'"));
	ck_assert_ptr_nonnull(strstr(e.msg, "wispctl kill --help"));
	ck_assert_int_eq(parse("kill -z", &o, &mine, &first, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "-z"));
	ck_assert_int_eq(parse("kill --mine", &o, &mine, &first, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "needs a value"));
	for (i = 0; i < LENGTH(times); i++) {
		int r;

		snprintf(line, sizeof(line), "kill --timeout %s a",
			times[i].text);
		r = parse(line, &o, &mine, &first, &e);
		ck_assert_msg(r == (times[i].ms < 0 ? -EINVAL : 0) &&
				      (r < 0 || o.timeout_ms == times[i].ms),
			"%s: %d, %u", times[i].text, r, o.timeout_ms);
	}
}
END_TEST

static const char config[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":true,"
	"\"consoleSize\":{\"height\":1,\"width\":2},"
	"\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},"
	"\"args\":[\"init\"],\"commandLine\":\"x\",\"cwd\":\"/srv\","
	"\"env\":[\"PATH=/bin\",\"A=1\",\"AB=2\"],"
	"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
	"\"effective\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":"
	"18446744073709551615,"
	"\"soft\":1}],\"noNewPrivileges\":true}}";

static char *spec_of(const struct ctl_exec_options *o)
{
	char *text = NULL;

	put_text("config.json", config);
	ck_assert_int_eq(ctl_exec_spec("config.json", o, &text, NULL), 0);
	return text;
}

START_TEST(test_exec_spec)
{
	char *command[] = {"ls", "-l", NULL}, *env[] = {"A=9", "B=3", NULL};
	struct ctl_exec_options o = {.command = command};
	char *text;

	unsetenv("TERM");
	text = spec_of(&o);
	ck_assert_str_eq(text,
		"{\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},"
		"\"cwd\":\"/srv\","
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
		"\"effective\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
		"\"hard\":18446744073709551615,\"soft\":1}],"
		"\"noNewPrivileges\":true,"
		"\"args\":[\"ls\",\"-l\"],\"terminal\":false,"
		"\"env\":[\"PATH=/bin\",\"A=1\",\"AB=2\"]}");
	free(text);
	o = (struct ctl_exec_options){.command = command,
		.terminal = true,
		.cwd = "/",
		.has_user = true,
		.uid = 10,
		.gid = 20,
		.env = env,
		.n_env = 2};
	text = spec_of(&o);
	ck_assert_ptr_nonnull(
		strstr(text, "\"env\":[\"PATH=/bin\",\"AB=2\",\"A=9\",\"B=3\","
			     "\"TERM=xterm\"]"));
	ck_assert_ptr_nonnull(
		strstr(text, "\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}"));
	ck_assert_ptr_nonnull(strstr(
		text, "\"cwd\":\"/\",\"user\":{\"uid\":10,\"gid\":20}}"));
	ck_assert_ptr_nonnull(strstr(text, "\"terminal\":true"));
	ck_assert_ptr_null(strstr(text, "additionalGids"));
	ck_assert_ptr_null(strstr(text, "/srv"));
	free(text);
	o.uid = 0;
	text = spec_of(&o);
	ck_assert_ptr_nonnull(strstr(text, "\"ambient\""));
	free(text);
}
END_TEST

START_TEST(test_exec_spec_fails)
{
	char *command[] = {"ls", NULL}, *text = NULL;
	struct ctl_exec_options o = {.command = command};
	struct err e;

	ck_assert_int_eq(ctl_exec_spec("none", &o, &text, &e), -ENOENT);
	put_text("config.json", "{}");
	ck_assert_int_eq(ctl_exec_spec("config.json", &o, &text, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "has no process"));
	put_text("config.json", "{\"process\":[]}");
	ck_assert_int_eq(ctl_exec_spec("config.json", &o, &text, &e), -EINVAL);
	put_text("config.json", "{\"process\":{\"env\":[1,null,{}]}}");
	ck_assert_int_eq(ctl_exec_spec("config.json", &o, &text, &e), 0);
	ck_assert_str_eq(
		text, "{\"args\":[\"ls\"],\"terminal\":false,\"env\":[]}");
	free(text);
}
END_TEST

START_TEST(test_exit_codes)
{
	struct err e;

	err_set(&e, -EREMOTEIO,
		"exec: \"x\": executable file not found in $PATH");
	ck_assert_int_eq(ctl_exit_code(&e), CTL_NOT_FOUND);
	err_set(&e, -EREMOTEIO, "exec: \"/etc\": permission denied");
	ck_assert_int_eq(ctl_exit_code(&e), CTL_NOT_EXECUTABLE);
	err_set(&e, -EREMOTEIO, "something else");
	ck_assert_int_eq(ctl_exit_code(&e), CTL_FAILED);
	err_set(&e, -ETIME, "exec: permission denied");
	ck_assert_int_eq(ctl_exit_code(&e), CTL_FAILED);
}
END_TEST

START_TEST(test_own_list)
{
	struct ctl_own own;

	ck_assert_int_eq(ctl_own_list(&own, here("root"), NULL), 0);
	ck_assert_uint_eq(own.n, 0);
	ck_assert_int_eq(system("mkdir -p root/state/b root/state/a "
				"root/state/.x root/state/_"),
		0);
	ck_assert_int_eq(ctl_own_list(&own, here("root"), NULL), 0);
	ck_assert_uint_eq(own.n, 2);
	ck_assert_str_eq(own.ids[0], "a");
	ck_assert_str_eq(own.ids[1], "b");
	ctl_own_clear(&own);
	put_text("file", "");
	ck_assert_int_eq(ctl_own_list(&own, here("file"), NULL), -ENOTDIR);
	ctl_own_clear(&own);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_signals, test_common_options,
		test_exec_spec, test_exec_spec_fails, test_exit_codes,
		test_own_list, NULL};

	return suite_run("ctl tasks", tests);
}
