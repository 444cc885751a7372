/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by reference, and the source of their exits. */
#include "platform/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static int64_t spawn_shell(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct process_spec spec = {.argv = argv};
	int64_t pid = -1;

	ck_assert_int_eq(process_spawn(&spec, &pid, NULL), 0);
	return pid;
}

/* ---- signals by reference ---- */

START_TEST(test_ref)
{
	struct process_ref *ref;
	int64_t pid = spawn_shell("sleep 1000");

	ck_assert_int_eq(process_ref_open(pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, 0), 0);
	ck_assert_int_eq(process_ref_signal(ref, 9999), -EINVAL);
	ck_assert_int_eq(process_ref_signal(ref, 0xffffffff), -EINVAL);
	ck_assert_int_eq(process_ref_signal(ref, SIGTERM), 0);
	ck_assert_int_eq(reap((pid_t)pid), 128 + SIGTERM);
	ck_assert_int_eq(process_ref_signal(ref, SIGTERM), -ESRCH);
	ck_assert_int_eq(process_ref_signal(ref, 0), -ESRCH);
	process_ref_close(ref);
	process_ref_close(NULL);
}
END_TEST

/* It has ended, and nobody has collected its exit yet. */
START_TEST(test_ref_of_a_zombie)
{
	int64_t pid = spawn_shell("sleep 1000");
	struct process_ref *ref;
	siginfo_t si;

	ck_assert_int_eq(process_ref_open(pid, &ref), 0);
	kill((pid_t)pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	ck_assert_int_eq(process_ref_signal(ref, SIGTERM), -ESRCH);
	process_ref_close(ref);
	reap((pid_t)pid);
}
END_TEST

START_TEST(test_ref_of_nobody)
{
	struct process_ref *ref = NULL;
	int64_t pid = spawn_shell("exit 0");
	int r;

	reap((pid_t)pid);
	ck_assert_int_eq(process_ref_open(pid, &ref), -ESRCH);
	ck_assert_int_lt(process_ref_open(0, &ref), 0);
	ck_assert_int_lt(process_ref_open(-1, &ref), 0);
	ck_assert_ptr_null(ref);
	oom_at(1);
	r = process_ref_open(getpid(), &ref);
	oom_off();
	ck_assert_int_eq(r, -ENOMEM);
}
END_TEST

/* ---- looking ---- */

START_TEST(test_is_ours)
{
	int64_t pid = spawn_shell("sleep 1000");
	siginfo_t si;

	ck_assert_int_eq(process_is_ours(pid), 1);
	kill((pid_t)pid, SIGSTOP);
	ck_assert_int_eq(process_is_ours(pid), 1);
	kill((pid_t)pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	ck_assert_int_eq(process_is_ours(pid), 0);
	ck_assert_int_eq(process_is_ours(pid), 0);
	reap((pid_t)pid);
	ck_assert_int_eq(process_is_ours(pid), -ECHILD);
	ck_assert_int_eq(process_is_ours(getpid()), -ECHILD);
	ck_assert_int_eq(process_is_ours(getppid()), -ECHILD);
	ck_assert_int_eq(process_is_ours(1), -ECHILD);
	ck_assert_int_eq(process_is_ours(0), -ECHILD);
	ck_assert_int_eq(process_is_ours(-1), -ECHILD);
}
END_TEST

START_TEST(test_wchan)
{
	int64_t pid = spawn_shell("exec sleep 1000");
	char buf[64], tiny[4] = "zzz";

	if (is_root() && access("/proc/self/wchan", R_OK) == 0)
		wait_for(NULL, (process_wchan(pid, buf, sizeof(buf)), *buf));
	process_wchan(pid, buf, sizeof(buf));
	ck_assert_ptr_null(strchr(buf, '\n'));
	process_wchan(pid, tiny, sizeof(tiny));
	ck_assert_uint_lt(strlen(tiny), sizeof(tiny));
	kill((pid_t)pid, SIGKILL);
	reap((pid_t)pid);
	strcpy(buf, "x");
	process_wchan(pid, buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
	process_wchan(-1, buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
}
END_TEST

/* ---- the source of exits ---- */

static void on_ready(void *arg)
{
	++*(unsigned *)arg;
}

START_TEST(test_exit_source)
{
	struct event_base *base = event_base_new();
	struct exit_source *x;
	struct process_exit exit;
	unsigned ready = 0, seen = 0;
	struct err e;
	int64_t a, b;

	ck_assert_int_eq(exit_source_new(base, on_ready, &ready, &x, &e), 0);
	ck_assert_int_eq(exit_source_next(x, &exit), 0);
	a = spawn_shell("exit 255");
	b = spawn_shell("kill -TERM $$");
	while (seen < 2) {
		ck_assert(wait_for(base, ready > 0));
		ready = 0;
		while (exit_source_next(x, &exit)) {
			ck_assert(exit.pid == a || exit.pid == b);
			ck_assert_uint_eq(exit.status,
				exit.pid == a ? 255 : 128 + SIGTERM);
			seen++;
		}
	}
	ck_assert(loop_is_idle(base));
	exit_source_free(x);
	exit_source_free(NULL);
	event_base_free(base);
}
END_TEST

/* A child that is stopped, or goes on, has not ended. */
START_TEST(test_stopped_is_no_exit)
{
	struct event_base *base = event_base_new();
	struct exit_source *x;
	struct process_exit exit;
	unsigned ready = 0;
	struct err e;
	int64_t pid;

	ck_assert_int_eq(exit_source_new(base, on_ready, &ready, &x, &e), 0);
	pid = spawn_shell("sleep 1000");
	kill((pid_t)pid, SIGSTOP);
	loop_settle(base);
	ck_assert_int_eq(exit_source_next(x, &exit), 0);
	kill((pid_t)pid, SIGCONT);
	loop_settle(base);
	ck_assert_int_eq(exit_source_next(x, &exit), 0);
	kill((pid_t)pid, SIGKILL);
	ck_assert(wait_for(base, exit_source_next(x, &exit)));
	ck_assert_uint_eq(exit.status, 128 + SIGKILL);
	exit_source_free(x);
	event_base_free(base);
}
END_TEST

START_TEST(test_signal_statuses)
{
	static const int sigs[] = {SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGUSR1,
		SIGPIPE, SIGALRM, 34, 64};
	struct event_base *base = event_base_new();
	struct exit_source *x;
	struct process_exit exit;
	unsigned ready = 0;
	struct err e;
	int64_t pid;
	size_t i;

	ck_assert_int_eq(exit_source_new(base, on_ready, &ready, &x, &e), 0);
	for (i = 0; i < LENGTH(sigs); i++) {
		pid = spawn_shell("exec sleep 1000");
		kill((pid_t)pid, sigs[i]);
		ck_assert(wait_for(base, exit_source_next(x, &exit)));
		ck_assert_int_eq(exit.pid, pid);
		ck_assert_uint_eq(exit.status, 128 + (unsigned)sigs[i]);
	}
	exit_source_free(x);
	event_base_free(base);
}
END_TEST

START_TEST(test_exit_source_without_memory)
{
	struct event_base *base;
	struct exit_source *x = NULL;
	unsigned ready = 0, fds;
	struct err e;
	int r;

	oom_begin();
	base = event_base_new();
	OOM_SWEEP(n)
	{
		fds = count_fds();
		oom_at(n);
		r = exit_source_new(base, on_ready, &ready, &x, &e);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
		if (r < 0)
			ck_assert_uint_eq(count_fds(), fds);
		else
			exit_source_free(x);
	}
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_ref, test_ref_of_a_zombie,
		test_ref_of_nobody, test_is_ours, test_wchan, test_exit_source,
		test_stopped_is_no_exit, test_signal_statuses,
		test_exit_source_without_memory, NULL};

	return suite_run("process_ref", tests);
}
