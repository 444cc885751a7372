/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper/reaper.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static struct event_base *base;
static struct reaper *reaper;

/* What a claim was told. */
struct told {
	unsigned times, order;
	struct process_exit exit;
};

static unsigned n_told;
static bool in_loop, told_elsewhere;

static void on_exit_of(const struct process_exit *x, void *arg)
{
	struct told *t = arg;

	told_elsewhere |= !in_loop;
	t->times++;
	t->order = ++n_told;
	t->exit = *x;
}

static void turn(void)
{
	in_loop = true;
	loop_turn(base);
	in_loop = false;
}

static void settle(void)
{
	int i;

	for (i = 0; i < 20; i++)
		turn();
}

static void begin(void)
{
	struct err e;

	base = event_base_new();
	ck_assert_int_eq(reaper_new(base, &reaper, &e), 0);
}

static void finish(void)
{
	ck_assert(!told_elsewhere);
	reaper_free(reaper);
	event_base_free(base);
}

/* A child that ends with this status as soon as it is told to. */
struct child {
	pid_t pid;
	int go; /* closed: it ends */
};

static struct child child_new(int status)
{
	struct child c;
	int fds[2];
	char byte;

	ck_assert_int_eq(pipe(fds), 0);
	c.pid = fork();
	ck_assert_int_ge(c.pid, 0);
	if (c.pid == 0) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) >= 0)
			_exit(status);
		_exit(99);
	}
	close(fds[0]);
	c.go = fds[1];
	return c;
}

/* Until the kernel has its exit; nobody has collected it yet. */
static void wait_dead(pid_t pid)
{
	siginfo_t si;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

static pid_t child_end(struct child *c)
{
	close(c->go);
	wait_dead(c->pid);
	return c->pid;
}

static pid_t dead_child(int status)
{
	struct child c = child_new(status);

	return child_end(&c);
}

static bool is_gone(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0;
}

START_TEST(test_claim)
{
	struct timespec before, after;
	struct told t = {0};
	struct child c;

	begin();
	c = child_new(7);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 1);
	settle();
	ck_assert_uint_eq(t.times, 0);
	clock_gettime(CLOCK_REALTIME, &before);
	child_end(&c);
	ck_assert(wait_for(NULL, (turn(), t.times > 0)));
	clock_gettime(CLOCK_REALTIME, &after);
	ck_assert_int_eq(t.exit.pid, c.pid);
	ck_assert_uint_eq(t.exit.status, 7);
	ck_assert_int_ge(t.exit.at.tv_sec, before.tv_sec);
	ck_assert_int_le(t.exit.at.tv_sec, after.tv_sec);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	ck_assert(is_gone(c.pid));
	settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert(loop_is_idle(base));
	finish();
}
END_TEST

START_TEST(test_signal)
{
	struct told t = {0};
	struct child c;

	begin();
	c = child_new(0);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	kill(c.pid, SIGKILL);
	ck_assert(wait_for(NULL, (turn(), t.times > 0)));
	ck_assert_uint_eq(t.exit.status, 128 + SIGKILL);
	close(c.go);
	finish();
}
END_TEST

/* Dead before it was claimed, but still the kernel's. */
START_TEST(test_claim_a_zombie)
{
	struct told t = {0};
	pid_t pid;

	begin();
	pid = dead_child(3);
	reaper_hold(reaper);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
	ck_assert_uint_eq(t.times, 0);
	reaper_release(reaper);
	ck_assert_uint_eq(t.times, 0);
	settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, 3);
	finish();
}
END_TEST

/* Dead and collected before it was claimed, in a hold: parked. */
START_TEST(test_parked)
{
	struct told t = {0};
	pid_t pid;

	begin();
	reaper_hold(reaper);
	pid = dead_child(42);
	settle();
	ck_assert(is_gone(pid));
	ck_assert_uint_eq(reaper_parked(reaper), 1);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
	reaper_release(reaper);
	ck_assert_uint_eq(t.times, 0);
	settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, 42);
	ck_assert_int_eq(t.exit.pid, pid);
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

START_TEST(test_holds_nest)
{
	struct told t = {0};
	pid_t pid;

	begin();
	reaper_hold(reaper);
	reaper_hold(reaper);
	pid = dead_child(1);
	settle();
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(reaper_parked(reaper), 1);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	finish();
}
END_TEST

/* Nobody can come for it any more. */
START_TEST(test_forgotten_without_a_hold)
{
	struct told t = {0};
	pid_t pid;

	begin();
	pid = dead_child(1);
	settle();
	ck_assert(is_gone(pid));
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), -ECHILD);
	reaper_hold(reaper);
	pid = dead_child(1);
	settle();
	reaper_release(reaper);
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), -ECHILD);
	settle();
	ck_assert_uint_eq(t.times, 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* An orphan, two levels down, comes to us; its exit as well. */
START_TEST(test_orphan)
{
	int fds[2], status;
	struct told t = {0};
	pid_t child, orphan;

	begin();
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		orphan = fork();
		if (orphan == 0) {
			char byte;

			close(fds[1]);
			_exit(read(fds[0], &byte, 1) < 0 ? 99 : 11);
		}
		_exit(write(fds[1], &orphan, sizeof(orphan)) < 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
	ck_assert_int_eq(reaper_claim(reaper, orphan, on_exit_of, &t), 0);
	close(fds[0]);
	close(fds[1]);
	ck_assert(wait_for(NULL, (turn(), t.times > 0)));
	ck_assert_int_eq(t.exit.pid, orphan);
	ck_assert_uint_eq(t.exit.status, 11);
	finish();
}
END_TEST

START_TEST(test_foreign)
{
	struct told t = {0};

	begin();
	ck_assert_int_eq(
		reaper_claim(reaper, getpid(), on_exit_of, &t), -ECHILD);
	ck_assert_int_eq(
		reaper_claim(reaper, getppid(), on_exit_of, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(reaper, 1, on_exit_of, &t), -ECHILD);
	ck_assert_int_eq(
		reaper_claim(reaper, INT32_MAX, on_exit_of, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(reaper, 0, on_exit_of, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(reaper, -1, on_exit_of, &t), -ECHILD);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

START_TEST(test_claimed_twice)
{
	struct told a = {0}, b = {0};
	struct child c;

	begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &a), 0);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &b), -EEXIST);
	ck_assert_uint_eq(reaper_claimed(reaper), 1);
	child_end(&c);
	ck_assert(wait_for(NULL, (turn(), a.times > 0)));
	ck_assert_uint_eq(b.times, 0);
	finish();
}
END_TEST

/* Collected, and not told yet: it is still claimed. */
START_TEST(test_claimed_twice_when_due)
{
	struct told a = {0}, b = {0};
	struct child c;

	begin();
	reaper_hold(reaper);
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &a), 0);
	child_end(&c);
	ck_assert_int_lt(reaper_claim(reaper, c.pid, on_exit_of, &b), 0);
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(a.times, 1);
	ck_assert_uint_eq(b.times, 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* A claim that is refused does not keep the others' exits back. */
START_TEST(test_refused_claim_delivers)
{
	struct told t = {0};
	struct child c;

	begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	child_end(&c);
	ck_assert_int_eq(reaper_claim(reaper, 1, NULL, NULL), -ECHILD);
	ck_assert(wait_for(NULL, (turn(), t.times > 0)));
	finish();
}
END_TEST

START_TEST(test_forget)
{
	struct told t = {0};
	struct child c;

	begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	reaper_forget(reaper, c.pid);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	reaper_forget(reaper, c.pid);
	child_end(&c);
	ck_assert(wait_for(NULL, (turn(), is_gone(c.pid))));
	settle();
	ck_assert_uint_eq(t.times, 0);
	finish();
}
END_TEST

/* When it is due already. */
START_TEST(test_forget_when_due)
{
	struct told t = {0};
	pid_t pid;

	begin();
	reaper_hold(reaper);
	pid = dead_child(5);
	settle();
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
	reaper_forget(reaper, pid);
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(t.times, 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* Forgets another one's claim from a callback, when both are due. */
struct pair {
	struct told told;
	pid_t other;
};

static void forget_other(const struct process_exit *x, void *arg)
{
	struct pair *p = arg;

	on_exit_of(x, &p->told);
	reaper_forget(reaper, p->other);
}

START_TEST(test_forget_in_a_callback)
{
	struct pair a = {0}, b = {0};
	struct child c, d;

	begin();
	c = child_new(1);
	d = child_new(2);
	a.other = d.pid;
	b.other = c.pid;
	ck_assert_int_eq(reaper_claim(reaper, c.pid, forget_other, &a), 0);
	ck_assert_int_eq(reaper_claim(reaper, d.pid, forget_other, &b), 0);
	child_end(&c);
	child_end(&d);
	settle();
	ck_assert_uint_eq(a.told.times + b.told.times, 1);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* ---- pids that come again ---- */

/* A child with this very pid; -1 where that is not allowed. */
static pid_t child_with_pid(pid_t pid, int status)
{
	struct clone_args a = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&pid,
		.set_tid_size = 1,
	};
	long r = syscall(SYS_clone3, &a, sizeof(a));

	if (r == 0) {
		for (;;)
			if (getppid() == 1 || status >= 0)
				_exit(status);
			else
				pause();
	}
	return (pid_t)r;
}

/* Another process of the same pid is alive: the parked exit is not its. */
START_TEST(test_pid_comes_again_alive)
{
	struct told t = {0};
	pid_t pid, again;

	begin();
	reaper_hold(reaper);
	pid = dead_child(1);
	settle();
	ck_assert_uint_eq(reaper_parked(reaper), 1);
	again = child_with_pid(pid, -1);
	if (again == pid) {
		ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
		settle();
		ck_assert_uint_eq(t.times, 0);
		kill(pid, SIGTERM);
		ck_assert(wait_for(NULL, (turn(), t.times > 0)));
		ck_assert_uint_eq(t.exit.status, 128 + SIGTERM);
	}
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(t.times, again == pid ? 1 : 0);
	finish();
}
END_TEST

/* Both have ended: the last one is meant. */
START_TEST(test_pid_comes_again_dead)
{
	struct told t = {0};
	pid_t pid;

	begin();
	reaper_hold(reaper);
	pid = dead_child(1);
	settle();
	if (child_with_pid(pid, 2) == pid) {
		ck_assert(wait_for(NULL, (turn(), reaper_parked(reaper) == 2)));
		ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &t), 0);
		settle();
		ck_assert_uint_eq(t.times, 1);
		ck_assert_uint_eq(t.exit.status, 2);
	}
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* One exit, one claim: a parked exit that was handed out is used up. */
START_TEST(test_parked_once)
{
	struct told a = {0}, b = {0};
	pid_t pid;

	begin();
	reaper_hold(reaper);
	pid = dead_child(1);
	settle();
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &a), 0);
	settle();
	ck_assert_uint_eq(a.times, 1);
	ck_assert_int_eq(reaper_claim(reaper, pid, on_exit_of, &b), -ECHILD);
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(b.times, 0);
	finish();
}
END_TEST

/* ---- order ---- */

static void look_around(const struct process_exit *x, void *arg)
{
	siginfo_t si;

	on_exit_of(x, arg);
	/* the kernel has none left: all were collected first */
	told_elsewhere |=
		waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

START_TEST(test_collected_before_told)
{
	enum { N = 20 };
	struct told t[N] = {0};
	pid_t pids[N];
	int i;

	begin();
	for (i = 0; i < N; i++) {
		struct child c = child_new(i);

		pids[i] = c.pid;
		ck_assert_int_eq(
			reaper_claim(reaper, c.pid, look_around, &t[i]), 0);
		close(c.go);
	}
	for (i = 0; i < N; i++)
		wait_dead(pids[i]);
	turn();
	for (i = 0; i < N; i++) {
		ck_assert_uint_eq(t[i].times, 1);
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i);
	}
	finish();
}
END_TEST

/* Callbacks follow the order in which exits were collected, those that were
 * due at a claim with all others. */
START_TEST(test_order)
{
	enum { N = 8 };
	struct told t[N] = {0};
	struct child c[N];
	int i;

	begin();
	for (i = 0; i < N; i++)
		c[i] = child_new(i);
	for (i = N - 1; i >= 0; i--)
		ck_assert_int_eq(
			reaper_claim(reaper, c[i].pid, on_exit_of, &t[i]), 0);
	for (i = 0; i < N; i++) {
		child_end(&c[i]);
		/* collects it, and does not tell */
		reaper_claim(reaper, 1, NULL, NULL);
	}
	settle();
	for (i = 0; i < N; i++)
		ck_assert_uint_eq(t[i].order, (unsigned)i + 1);
	finish();
}
END_TEST

/* A callback that claims, spawns and forgets. */
struct chain {
	unsigned left, done;
};

static void spawn_next(const struct process_exit *x, void *arg)
{
	static const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	struct chain *c = arg;
	int64_t pid;

	c->done += x->status == 0;
	if (c->left-- > 0)
		reaper_spawn(reaper, &spec, spawn_next, c, &pid, NULL);
}

START_TEST(test_spawn_in_a_callback)
{
	static const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	struct chain c = {.left = 20};
	struct err e;
	int64_t pid;

	begin();
	ck_assert_int_eq(
		reaper_spawn(reaper, &spec, spawn_next, &c, &pid, &e), 0);
	ck_assert(wait_for(NULL, (turn(), c.done == 21)));
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* ---- many ---- */

START_TEST(test_many)
{
	enum { N = 500 };
	static struct told t[N];
	static pid_t pids[N];
	int fds[2], i;
	unsigned done = 0;
	char byte;

	begin();
	ck_assert_int_eq(pipe(fds), 0);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			close(fds[1]);
			_exit(read(fds[0], &byte, 1) < 0 ? 99 : i % 256);
		}
		ck_assert_int_eq(
			reaper_claim(reaper, pids[i], on_exit_of, &t[i]), 0);
	}
	close(fds[0]);
	close(fds[1]); /* all at once */
	ck_assert(wait_for(NULL, (turn(), n_told >= N)));
	for (i = 0; i < N; i++) {
		done += t[i].times;
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i % 256);
		ck_assert_int_eq(t[i].exit.pid, pids[i]);
	}
	ck_assert_uint_eq(done, N);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	finish();
}
END_TEST

/* More than is kept room for, all unclaimed; then claimed backwards. */
START_TEST(test_many_parked)
{
	enum { N = 200 };
	static struct told t[N];
	static pid_t pids[N];
	int i;

	begin();
	reaper_hold(reaper);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			_exit(i);
	}
	ck_assert(wait_for(NULL, (turn(), reaper_parked(reaper) == N)));
	for (i = N - 1; i >= 0; i--)
		ck_assert_int_eq(
			reaper_claim(reaper, pids[i], on_exit_of, &t[i]), 0);
	reaper_release(reaper);
	settle();
	for (i = 0; i < N; i++) {
		ck_assert_uint_eq(t[i].times, 1);
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i);
	}
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	ck_assert(loop_is_idle(base));
	finish();
}
END_TEST

/* No memory to park a wave of them: none is lost that somebody claims. */
START_TEST(test_parked_without_memory)
{
	enum { N = 100 };
	static struct told t;
	static pid_t pids[N];
	int i;

	begin();
	reaper_hold(reaper);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			_exit(i);
	}
	for (i = 0; i < N; i++)
		wait_dead(pids[i]);
	oom_all();
	settle();
	oom_off();
	ck_assert_uint_lt(reaper_parked(reaper), N);
	ck_assert_int_eq(reaper_claim(reaper, pids[N - 1], on_exit_of, &t), 0);
	reaper_release(reaper);
	settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, N - 1);
	for (i = 0; i < N; i++)
		ck_assert(is_gone(pids[i]));
	finish();
}
END_TEST

/* What is claimed is delivered though what is not can't be parked. */
START_TEST(test_claimed_behind_a_wave_without_memory)
{
	enum { N = 100 };
	struct told t = {0};
	struct child c;
	int i;

	begin();
	c = child_new(9);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	reaper_hold(reaper);
	for (i = 0; i < N; i++)
		dead_child(0);
	child_end(&c);
	oom_all();
	settle();
	oom_off();
	ck_assert_uint_eq(t.times, 1);
	reaper_release(reaper);
	settle();
	finish();
}
END_TEST

/* ---- spawn ---- */

START_TEST(test_spawn)
{
	static const char *const argv[] = {"sh", "-c", "exit 12", NULL};
	struct process_spec spec = {.argv = argv};
	struct told t = {0};
	int64_t pid = 0;
	struct err e;

	begin();
	ck_assert_int_eq(
		reaper_spawn(reaper, &spec, on_exit_of, &t, &pid, &e), 0);
	ck_assert_int_gt(pid, 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 1);
	ck_assert(wait_for(NULL, (turn(), t.times > 0)));
	ck_assert_int_eq(t.exit.pid, pid);
	ck_assert_uint_eq(t.exit.status, 12);
	finish();
}
END_TEST

START_TEST(test_spawn_fails)
{
	static const char *const argv[] = {"/no/such/program", NULL};
	struct process_spec spec = {.argv = argv};
	struct told t = {0};
	int64_t pid = 42;
	struct err e;
	siginfo_t si;

	begin();
	ck_assert_int_eq(
		reaper_spawn(reaper, &spec, on_exit_of, &t, &pid, &e), -ENOENT);
	ck_assert_int_eq(pid, 42);
	ck_assert_ptr_nonnull(strstr(e.msg, "/no/such/program"));
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	ck_assert_int_lt(waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT), 0);
	settle();
	ck_assert_uint_eq(t.times, 0);
	finish();
}
END_TEST

/* It is a script without an interpreter: the child is there for a moment. */
START_TEST(test_spawn_fails_in_the_child)
{
	static const char *const argv[] = {"./prog", NULL};
	struct process_spec spec = {.argv = argv};
	struct told t = {0};
	int64_t pid = 42;
	struct err e;

	put_text("prog", "#!/no/interpreter\n");
	ck_assert_int_eq(system("chmod 755 prog"), 0);
	begin();
	reaper_hold(reaper);
	ck_assert_int_eq(
		reaper_spawn(reaper, &spec, on_exit_of, &t, &pid, &e), -ENOENT);
	ck_assert_int_eq(pid, 42);
	settle();
	ck_assert_uint_eq(reaper_parked(reaper), 0);
	ck_assert_uint_eq(reaper_claimed(reaper), 0);
	reaper_release(reaper);
	finish();
}
END_TEST

/* ---- memory, and the end ---- */

START_TEST(test_out_of_memory)
{
	static const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	struct told t, u;
	struct err e;
	struct child c;
	int64_t pid;
	unsigned fds;
	int r;

	oom_begin();
	OOM_SWEEP(n)
	{
		bool hit;

		memset(&t, 0, sizeof(t));
		memset(&u, 0, sizeof(u));
		c = child_new(3);
		base = event_base_new();
		reaper = NULL;
		fds = count_fds();
		oom_at(n);
		r = reaper_new(base, &reaper, &e);
		if (r == 0)
			r = reaper_spawn(
				reaper, &spec, on_exit_of, &t, &pid, &e);
		if (r == 0)
			r = reaper_claim(reaper, c.pid, on_exit_of, &u);
		hit = oom_off();
		ck_assert_int_eq(r, hit ? -ENOMEM : 0);
		close(c.go);
		if (!reaper)
			ck_assert_uint_eq(count_fds(), fds - 1 + 1);
		if (reaper)
			ck_assert(wait_for(NULL, (turn(), is_gone(c.pid))));
		else
			reap(c.pid);
		if (!hit)
			ck_assert(wait_for(
				NULL, (turn(), t.times + u.times == 2)));
		while (reaper && waitpid(-1, NULL, 0) > 0)
			;
		reaper_free(reaper);
		event_base_free(base);
	}
}
END_TEST

/* An exit needs no memory on its way, from the kernel to the callback. */
START_TEST(test_exit_allocates_nothing)
{
	struct told t = {0};
	struct child c;
	bool hit;

	oom_begin();
	begin();
	c = child_new(3);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	settle();
	child_end(&c);
	oom_all();
	settle();
	hit = oom_off();
	ck_assert(!hit);
	ck_assert_uint_eq(t.times, 1);
	finish();
}
END_TEST

START_TEST(test_free_with_claims)
{
	struct told t = {0};
	struct child c, d;

	begin();
	c = child_new(1);
	d = child_new(2);
	ck_assert_int_eq(reaper_claim(reaper, c.pid, on_exit_of, &t), 0);
	ck_assert_int_eq(reaper_claim(reaper, d.pid, on_exit_of, &t), 0);
	child_end(&d);
	reaper_claim(reaper, 1, NULL, NULL); /* d is due now */
	reaper_free(reaper);
	reaper = NULL;
	settle();
	ck_assert_uint_eq(t.times, 0);
	child_end(&c);
	reap(c.pid);
	reaper_free(NULL);
	finish();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_claim, test_signal,
		test_claim_a_zombie, test_parked, test_holds_nest,
		test_forgotten_without_a_hold, test_orphan, test_foreign,
		test_claimed_twice, test_claimed_twice_when_due,
		test_refused_claim_delivers, test_forget, test_forget_when_due,
		test_forget_in_a_callback, test_pid_comes_again_alive,
		test_pid_comes_again_dead, test_parked_once,
		test_collected_before_told, test_order,
		test_spawn_in_a_callback, test_many, test_many_parked,
		test_parked_without_memory,
		test_claimed_behind_a_wave_without_memory, test_spawn,
		test_spawn_fails, test_spawn_fails_in_the_child,
		test_out_of_memory, test_exit_allocates_nothing,
		test_free_with_claims, NULL};

	return suite_run("reaper", tests);
}
