/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <stdlib.h>

#include "platform/cgroup.h"
#include "platform/windows/conpty.h"
#include "platform/windows/job.h"
#include "platform/windows/spawn.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

static struct event_base *base;
static struct exit_source *source;
static unsigned n_ready;

static void on_ready(void *arg)
{
	(void)arg;
	n_ready++;
}

static void begin(void)
{
	struct err e;

	base = event_base_new();
	n_ready = 0;
	ck_assert_int_eq(exit_source_new(base, on_ready, NULL, &source, &e), 0);
}

static void end(void)
{
	struct process_exit x;

	ck_assert_int_eq(exit_source_next(source, &x), 0);
	exit_source_free(source);
	event_base_free(base);
}

#define ARGV(...) ((const char *[]){own_path(), "child", __VA_ARGS__, NULL})

static int64_t spawn(const char **argv)
{
	struct process_spec spec = {.argv = argv};
	struct err e;
	int64_t pid;

	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	return pid;
}

static uint32_t wait_exit(int64_t pid)
{
	struct process_exit x = {0};

	ck_assert(wait_for(base, exit_source_next_of(source, pid, &x)));
	ck_assert_int_eq(x.pid, pid);
	ck_assert_int_ge(x.at.tv_sec, time(NULL) - 60);
	ck_assert_int_le(x.at.tv_sec, time(NULL) + 1);
	return x.status;
}

START_TEST(test_exit_codes)
{
	static const char *const codes[] = {
		"0", "1", "255", "256", "0xC0000005", "0xffffffff"};
	unsigned i;

	begin();
	for (i = 0; i < LENGTH(codes); i++) {
		int64_t pid = spawn(ARGV("exit", codes[i]));

		ck_assert_int_ge(process_is_ours(pid), 0);
		ck_assert(wait_for(base, n_ready > i));
		ck_assert_int_eq(process_is_ours(pid), 0);
		ck_assert_uint_eq(
			wait_exit(pid), (uint32_t)strtoul(codes[i], NULL, 0));
		ck_assert_int_eq(process_is_ours(pid), -ECHILD);
	}
	end();
}
END_TEST

/* Everything a child inherits is what it is given. */
static char *run_with(const char **argv, const char *const *envp,
	const char *cwd, const char *input, size_t *ret_n)
{
	static char buf[65536];
	struct process_spec spec = {.argv = argv, .envp = envp, .cwd = cwd};
	struct stream *out, *in;
	struct endpoint *their_out, *their_in;
	struct err e;
	int64_t pid;

	ck_assert_int_eq(stream_pipe_from_child(base, &out, &their_out), 0);
	ck_assert_int_eq(stream_pipe_to_child(base, &in, &their_in), 0);
	spec.endpoints[0] = their_in;
	spec.endpoints[1] = their_out;
	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	endpoint_close(their_in);
	endpoint_close(their_out);
	ck_assert(write_some(base, in, input, strlen(input)));
	stream_close(in);
	*ret_n = read_some(base, out, buf, sizeof(buf) - 1);
	buf[*ret_n] = '\0';
	stream_close(out);
	ck_assert_uint_eq(wait_exit(pid), 0);
	return buf;
}

START_TEST(test_stdio)
{
	size_t n;

	begin();
	ck_assert_str_eq(run_with(ARGV("echo"), NULL, NULL, "in and out", &n),
		"in and out");
	end();
}
END_TEST

/* Those that a program's own rules would take apart. */
START_TEST(test_hard_arguments)
{
	static const char *const args[] = {"", " ", "a b", "\t", "\"", "a\"b",
		"\\", "\\\\", "a\\", "a\\\\", "a b\\", "a b\\\\", "\\\"",
		"\\\\\"", "\"\\", "a\\b", "c:\\path with\\blank\\", "%PATH%",
		"^&|<>", "'single'", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b",
		"-flag=\"x y\"", "\"quoted\"", "end\\\""};
	const char *argv[LENGTH(args) + 4] = {own_path(), "child", "args"};
	char *got;
	size_t n, i, at = 0;

	begin();
	for (i = 0; i < LENGTH(args); i++)
		argv[3 + i] = args[i];
	got = run_with(argv, NULL, NULL, "", &n);
	for (i = 0; i < LENGTH(args); i++) {
		ck_assert_str_eq(got + at, args[i]);
		at += strlen(args[i]) + 1;
	}
	ck_assert_uint_eq(at, n);
	end();
}
END_TEST

START_TEST(test_environment)
{
	static const char *const envp[] = {"B=2", "a=1", "A=one",
		"EMPTY=", "SystemRoot=C:\\windows", "uml=\xc3\xa4", NULL};
	static const char *const bad[] = {"NO_EQUALS", NULL};
	static const char *const none[] = {NULL};
	struct process_spec spec = {.argv = ARGV("exit", "0"), .envp = bad};
	struct err e;
	int64_t pid;
	size_t n;

	begin();
	ck_assert_str_eq(run_with(ARGV("env", "b"), envp, NULL, "", &n), "2");
	ck_assert_str_eq(run_with(ARGV("env", "A"), envp, NULL, "", &n), "one");
	ck_assert_str_eq(
		run_with(ARGV("env", "UML"), envp, NULL, "", &n), "\xc3\xa4");
	ck_assert_str_eq(run_with(ARGV("env", "B"), none, NULL, "", &n), "");
	ck_assert_int_eq(process_spawn(&spec, &pid, &e), -EINVAL);
	end();
}
END_TEST

START_TEST(test_folder)
{
	const char *dir = here("");
	size_t n;
	char *got;

	begin();
	got = run_with(ARGV("cwd"), NULL, dir, "", &n);
	ck_assert_uint_gt(n, 3);
	ck_assert_int_eq(_strnicmp(got, dir, 3), 0);
	end();
}
END_TEST

START_TEST(test_cannot_run)
{
	struct process_spec spec = {.argv = ARGV("exit", "0")};
	const char *missing[] = {"C:\\none\\none.exe", NULL};
	const char *unnamed[] = {"wisp-no-such-program", NULL};
	struct err e;
	int64_t pid;

	begin();
	spec.cwd = "C:\\none";
	ck_assert_int_lt(process_spawn(&spec, &pid, &e), 0);
	spec.cwd = NULL;
	spec.argv = missing;
	ck_assert_int_eq(process_spawn(&spec, &pid, &e), -ENOENT);
	spec.argv = unnamed;
	ck_assert_int_eq(process_spawn(&spec, &pid, &e), -ENOENT);
	ck_assert(process_find("cmd"));
	ck_assert(process_find("cmd.exe"));
	ck_assert(!process_find("wisp-no-such-program"));
	end();
}
END_TEST

START_TEST(test_kill)
{
	struct process_ref *ref;
	int64_t pid;

	begin();
	pid = spawn(ARGV("sleep"));
	ck_assert_int_eq(process_ref_open(pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, 10), -EBUSY);
	ck_assert_int_eq(process_is_ours(pid), 1);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	ck_assert_uint_eq(wait_exit(pid), 1);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), -ESRCH);
	process_ref_close(ref);
	ck_assert_int_eq(process_ref_open(pid, &ref), -ESRCH);
	end();
}
END_TEST

/* A program that does not ask for them ends of each of these. */
START_TEST(test_console_events)
{
	static const uint32_t signals[] = {0, 1, 2, 5, 6, 15};
	HANDLE ready = CreateEventA(NULL, FALSE, FALSE, "wisp-test-console");
	struct process_ref *ref;
	unsigned i;

	ck_assert_ptr_nonnull(ready);
	begin();
	for (i = 0; i < LENGTH(signals); i++) {
		int64_t pid = spawn(ARGV("sleep", "wisp-test-console"));

		ck_assert_int_eq(process_ref_open(pid, &ref), 0);
		/* Wine does not survive an event in the middle of a start */
		ck_assert_int_eq(WaitForSingleObject(ready, TEST_WAIT_MS),
			WAIT_OBJECT_0);
		ck_assert_int_eq(process_ref_signal(ref, signals[i]), 0);
		wait_exit(pid); /* Windows: 0xC000013A; Wine: that, or 0 */
		process_ref_close(ref);
	}
	end();
	CloseHandle(ready);
}
END_TEST

START_TEST(test_many_in_order)
{
	struct process_exit x;
	int64_t pids[8];
	unsigned i, got = 0;

	begin();
	for (i = 0; i < LENGTH(pids); i++)
		pids[i] = spawn(ARGV("exit", "7"));
	while (got < LENGTH(pids)) {
		ck_assert(wait_for(base, exit_source_next(source, &x)));
		ck_assert_uint_eq(x.status, 7);
		for (i = 0; i < LENGTH(pids); i++)
			got += pids[i] == x.pid;
	}
	end();
}
END_TEST

START_TEST(test_before_the_source)
{
	int64_t pid = spawn(ARGV("exit", "3"));

	begin();
	ck_assert(wait_for(base, n_ready > 0));
	ck_assert_uint_eq(wait_exit(pid), 3);
	end();
}
END_TEST

/* ---- jobs ---- */

static unsigned n_pids;

static void count_pid(int64_t pid, void *arg)
{
	(void)pid;
	(void)arg;
	n_pids++;
}

START_TEST(test_job)
{
	struct process_spec spec = {.argv = ARGV("spawn")};
	struct spawn how = {.spec = &spec, .suspended = true};
	struct endpoint *theirs;
	struct stream *out;
	struct process_ref *ref;
	struct cgroup *cg;
	struct job *job, *second;
	struct err e;
	int64_t pid;
	char buf[8];

	begin();
	ck_assert_int_eq(job_new("test", &job, &e), 0);
	ck_assert_int_eq(stream_pipe_from_child(base, &out, &theirs), 0);
	spec.endpoints[1] = theirs;
	how.job = job_handle(job);
	ck_assert_int_eq(process_spawn_with(&how, &pid, &e), 0);
	endpoint_close(theirs);
	job_set_init(job, pid);
	ck_assert_int_eq(cgroup_open(pid + 1, &cg, &e), -ENOENT);
	ck_assert_int_eq(cgroup_open(pid, &cg, &e), 0);
	/* not an instruction of it has run */
	ck_assert_int_eq(stream_read(out, buf, 1), -EAGAIN);
	ck_assert_int_eq(process_resume(pid), 0);
	ck_assert_int_eq(process_resume(pid), -ESRCH);
	ck_assert_uint_eq(read_some(base, out, buf, 7), 7);
	ck_assert_int_eq(job_new("test", &second, &e), -EEXIST);
	ck_assert_int_eq(job_open_process(job_handle(job), pid, &ref), 0);
	process_ref_close(ref);
	ck_assert_int_eq(
		job_open_process(job_handle(job), GetCurrentProcessId(), &ref),
		-ESRCH);
	n_pids = 0;
	ck_assert_int_eq(cgroup_each_pid(cg, count_pid, NULL), 0);
	ck_assert_uint_ge(n_pids, 2); /* Wine: its conhost, too */
	/* both are told to shut down, which these heed */
	ck_assert_int_ge(cgroup_kill(cg), 0);
	wait_exit(pid);
	ck_assert(wait_for(
		base, (n_pids = 0, cgroup_each_pid(cg, count_pid, NULL) == 0 &&
					   n_pids == 0)));
	cgroup_close(cg);
	job_free(job);
	ck_assert_int_eq(cgroup_open(pid, &cg, &e), -ENOENT);
	stream_close(out);
	end();
}
END_TEST

/* What is in it ends with the job. (Its name is taken until that has happened.)
 */
START_TEST(test_job_ends)
{
	struct process_spec spec = {.argv = ARGV("sleep")};
	struct spawn how = {.spec = &spec};
	struct job *job;
	struct err e;
	int64_t pid;

	begin();
	ck_assert_int_eq(job_new("test-ends", &job, &e), 0);
	how.job = job_handle(job);
	ck_assert_int_eq(process_spawn_with(&how, &pid, &e), 0);
	job_free(job);
	ck_assert_uint_ne(wait_exit(pid), 0);
	end();
}
END_TEST

static void on_oom(void *arg)
{
	(void)arg;
	n_ready += 1000;
}

/* That the messages come is for Windows to show: Wine enforces no limits. */
START_TEST(test_job_watch)
{
	struct cgroup *cg;
	struct job *job;
	struct err e;
	unsigned i;

	begin();
	for (i = 0; i < 20; i++) {
		ck_assert_int_eq(job_new("test-watch", &job, &e), 0);
		job_set_init(job, 4711);
		ck_assert_int_eq(cgroup_open(4711, &cg, &e), 0);
		ck_assert_int_eq(
			cgroup_watch_oom(cg, base, on_oom, NULL, &e), 0);
		loop_turn(base);
		ck_assert_uint_eq(cgroup_oom_kills(cg), 0);
		job_free(job);
		cgroup_close(cg);
	}
	end();
}
END_TEST

/* ---- consoles ---- */

static bool has(const char *buf, size_t n, const char *what)
{
	size_t i, len = strlen(what);

	for (i = 0; i + len <= n; i++)
		if (memcmp(buf + i, what, len) == 0)
			return true;
	return false;
}

START_TEST(test_console)
{
	HANDLE before = GetStdHandle(STD_OUTPUT_HANDLE);
	auto_handle HANDLE null = CreateFileW(
		L"NUL", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
	struct process_spec spec = {.argv = ARGV("conout")};
	struct spawn how = {.spec = &spec};
	struct stream *out, *in;
	struct console *c;
	char buf[8192];
	size_t got = 0;
	struct err e;
	int64_t pid;
	ssize_t n;

	SetStdHandle(STD_OUTPUT_HANDLE, null); /* a shim's */
	begin();
	ck_assert_msg(
		console_new(base, ".", "console", &c, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(console_pty(c, &how.console), 0);
	ck_assert_int_eq(console_receive(c, &out, &in, &e), 0);
	ck_assert_int_eq(process_spawn_with(&how, &pid, &e), 0);
	ck_assert_uint_eq(wait_exit(pid), 0);
	ck_assert_msg(wait_for(base, ((n = stream_read(out, buf + got,
					       sizeof(buf) - got)) > 0
						     ? (got += (size_t)n)
						     : 0,
					     has(buf, got, "on a terminal"))),
		"%zu bytes, then %zd: %.*s", got, n, (int)got, buf);
	console_finish(c);
	ck_assert(wait_for(base, stream_read(out, buf, sizeof(buf)) == 0));
	stream_close(out);
	stream_close(in);
	console_close(c);
	end();
	SetStdHandle(STD_OUTPUT_HANDLE, before);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_exit_codes, test_stdio,
		test_hard_arguments, test_environment, test_folder,
		test_cannot_run, test_kill, test_console_events,
		test_many_in_order, test_before_the_source, test_job,
		test_job_ends, test_job_watch, test_console, NULL};

	child_main();
	return suite_run("windows process", tests);
}
