/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper/reaper.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util_test.h"
#include "util_yard.h"

START_TEST(test_claim)
{
	struct timespec before, after;
	struct told t = {0};
	pid_t c;

	yard_begin();
	c = child_new(7);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 1);
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	clock_gettime(CLOCK_REALTIME, &before);
	child_end(c);
	ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
	clock_gettime(CLOCK_REALTIME, &after);
	ck_assert_int_eq(t.exit.pid, c);
	ck_assert_uint_eq(t.exit.status, 7);
	ck_assert_int_ge(t.exit.at.tv_sec, before.tv_sec);
	ck_assert_int_le(t.exit.at.tv_sec, after.tv_sec);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	ck_assert(child_is_gone(c));
	yard_settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert(loop_is_idle(yard.base));
	yard_end();
}
END_TEST

START_TEST(test_signal)
{
	struct told t = {0};
	pid_t c;

	yard_begin();
	c = child_new(0);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	kill(c, SIGKILL);
	ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
	ck_assert_uint_eq(t.exit.status, 128 + SIGKILL);
	yard_end();
}
END_TEST

/* Dead before it was claimed, but still the kernel's. */
START_TEST(test_claim_a_zombie)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	pid = child_dead(3);
	reaper_hold(yard.reaper);
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &t), 0);
	ck_assert_uint_eq(t.times, 0);
	reaper_release(yard.reaper);
	ck_assert_uint_eq(t.times, 0);
	yard_settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, 3);
	yard_end();
}
END_TEST

/* Dead and collected before it was claimed, in a hold: parked. */
START_TEST(test_parked)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	pid = child_dead(42);
	yard_settle();
	ck_assert(child_is_gone(pid));
	ck_assert_uint_eq(reaper_parked(yard.reaper), 1);
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &t), 0);
	reaper_release(yard.reaper);
	ck_assert_uint_eq(t.times, 0);
	yard_settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, 42);
	ck_assert_int_eq(t.exit.pid, pid);
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

START_TEST(test_holds_nest)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	reaper_hold(yard.reaper);
	pid = child_dead(1);
	yard_settle();
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(reaper_parked(yard.reaper), 1);
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &t), 0);
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	yard_end();
}
END_TEST

/* Nobody can come for it any more. */
START_TEST(test_forgotten_without_a_hold)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	pid = child_dead(1);
	yard_settle();
	ck_assert(child_is_gone(pid));
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, pid, yard_told, &t), -ECHILD);
	reaper_hold(yard.reaper);
	pid = child_dead(1);
	yard_settle();
	reaper_release(yard.reaper);
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, pid, yard_told, &t), -ECHILD);
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

/* A process whose parent has ended: it comes to us. */
static pid_t orphan_new(int status)
{
	pid_t child, orphan;
	int fds[2];

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		orphan = child_new(status);
		_exit(write(fds[1], &orphan, sizeof(orphan)) < 0);
	}
	ck_assert_int_eq(reap(child), 0);
	ck_assert_int_eq(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
	close(fds[0]);
	close(fds[1]);
	return orphan;
}

START_TEST(test_orphan)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	pid = orphan_new(11);
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &t), 0);
	child_end(pid);
	ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
	ck_assert_int_eq(t.exit.pid, pid);
	ck_assert_uint_eq(t.exit.status, 11);
	yard_end();
}
END_TEST

/* One that nobody asked for is reaped, and that is all. */
START_TEST(test_orphan_of_nobody)
{
	pid_t pid;

	yard_begin();
	pid = child_end(orphan_new(11));
	ck_assert(wait_for(NULL, (yard_turn(), child_is_gone(pid))));
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert(loop_is_idle(yard.base));
	yard_end();
}
END_TEST

START_TEST(test_foreign)
{
	struct told t = {0};

	yard_begin();
	ck_assert_int_eq(
		reaper_claim(yard.reaper, getpid(), yard_told, &t), -ECHILD);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, getppid(), yard_told, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(yard.reaper, 1, yard_told, &t), -ECHILD);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, INT32_MAX, yard_told, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(yard.reaper, 0, yard_told, &t), -ECHILD);
	ck_assert_int_eq(reaper_claim(yard.reaper, -1, yard_told, &t), -ECHILD);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

START_TEST(test_claimed_twice)
{
	struct told a = {0}, b = {0};
	pid_t c;

	yard_begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &a), 0);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &b), -EEXIST);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 1);
	child_end(c);
	ck_assert(wait_for(NULL, (yard_turn(), a.times > 0)));
	ck_assert_uint_eq(b.times, 0);
	yard_end();
}
END_TEST

/* Collected, and not told yet: it is still claimed. */
START_TEST(test_claimed_twice_when_due)
{
	struct told a = {0}, b = {0};
	pid_t c;

	yard_begin();
	reaper_hold(yard.reaper);
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &a), 0);
	child_end(c);
	ck_assert_int_lt(reaper_claim(yard.reaper, c, yard_told, &b), 0);
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(a.times, 1);
	ck_assert_uint_eq(b.times, 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

/* A claim that is refused does not keep the others' exits back. */
START_TEST(test_refused_claim_delivers)
{
	struct told t = {0};
	pid_t c;

	yard_begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	child_end(c);
	ck_assert_int_eq(reaper_claim(yard.reaper, 1, NULL, NULL), -ECHILD);
	ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
	yard_end();
}
END_TEST

START_TEST(test_forget)
{
	struct told t = {0};
	pid_t c;

	yard_begin();
	c = child_new(5);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	reaper_forget(yard.reaper, c);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	reaper_forget(yard.reaper, c);
	child_end(c);
	ck_assert(wait_for(NULL, (yard_turn(), child_is_gone(c))));
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	yard_end();
}
END_TEST

/* When it is due already. */
START_TEST(test_forget_when_due)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	pid = child_dead(5);
	yard_settle();
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &t), 0);
	reaper_forget(yard.reaper, pid);
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
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

	yard_told(x, &p->told);
	reaper_forget(yard.reaper, p->other);
}

START_TEST(test_forget_in_a_callback)
{
	struct pair a = {0}, b = {0};
	pid_t c, d;

	yard_begin();
	c = child_new(1);
	d = child_new(2);
	a.other = d;
	b.other = c;
	ck_assert_int_eq(reaper_claim(yard.reaper, c, forget_other, &a), 0);
	ck_assert_int_eq(reaper_claim(yard.reaper, d, forget_other, &b), 0);
	child_end(c);
	child_end(d);
	yard_settle();
	ck_assert_uint_eq(a.told.times + b.told.times, 1);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

/* ---- pids that come again ---- */

/* A child with this very pid (clone(2), set_tid), which ends with that status
 * or, if it is negative, waits to be killed. False where that is not allowed.
 */
static bool child_with_pid(pid_t pid, int status)
{
	struct clone_args a = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&pid,
		.set_tid_size = 1,
	};
	long r = syscall(SYS_clone3, &a, sizeof(a));

	while (r == 0 && status < 0)
		pause();
	if (r == 0)
		_exit(status);
	return r == pid;
}

/* Another process of the same pid is alive: the parked exit is not its. */
START_TEST(test_pid_comes_again_alive)
{
	struct told t = {0};
	bool again;
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	pid = child_dead(1);
	yard_settle();
	ck_assert_uint_eq(reaper_parked(yard.reaper), 1);
	again = child_with_pid(pid, -1);
	if (again) {
		ck_assert_int_eq(
			reaper_claim(yard.reaper, pid, yard_told, &t), 0);
		yard_settle();
		ck_assert_uint_eq(t.times, 0);
		kill(pid, SIGKILL);
		ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
		ck_assert_uint_eq(t.exit.status, 128 + SIGKILL);
	}
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(t.times, again ? 1 : 0);
	yard_end();
}
END_TEST

/* Both have ended: the last one is meant. */
START_TEST(test_pid_comes_again_dead)
{
	struct told t = {0};
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	pid = child_dead(1);
	yard_settle();
	if (child_with_pid(pid, 2)) {
		ck_assert(wait_for(
			NULL, (yard_turn(), reaper_parked(yard.reaper) == 2)));
		ck_assert_int_eq(
			reaper_claim(yard.reaper, pid, yard_told, &t), 0);
		yard_settle();
		ck_assert_uint_eq(t.times, 1);
		ck_assert_uint_eq(t.exit.status, 2);
	}
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

/* One exit, one claim: a parked exit that was handed out is used up. */
START_TEST(test_parked_once)
{
	struct told a = {0}, b = {0};
	pid_t pid;

	yard_begin();
	reaper_hold(yard.reaper);
	pid = child_dead(1);
	yard_settle();
	ck_assert_int_eq(reaper_claim(yard.reaper, pid, yard_told, &a), 0);
	yard_settle();
	ck_assert_uint_eq(a.times, 1);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, pid, yard_told, &b), -ECHILD);
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(b.times, 0);
	yard_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_claim, test_signal,
		test_claim_a_zombie, test_parked, test_holds_nest,
		test_forgotten_without_a_hold, test_orphan,
		test_orphan_of_nobody, test_foreign, test_claimed_twice,
		test_claimed_twice_when_due, test_refused_claim_delivers,
		test_forget, test_forget_when_due, test_forget_in_a_callback,
		test_pid_comes_again_alive, test_pid_comes_again_dead,
		test_parked_once, NULL};

	return suite_run("reaper", tests);
}
