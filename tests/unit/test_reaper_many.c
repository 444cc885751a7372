/* SPDX-License-Identifier: Apache-2.0 */
/* A reaper with many children, in order, and without memory. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"
#include "util_yard.h"

/* ---- order ---- */

static void look_around(const struct process_exit *x, void *arg)
{
	siginfo_t si;

	yard_told(x, arg);
	/* the kernel has none left: all were collected first */
	yard.told_elsewhere |=
		waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

START_TEST(test_collected_before_told)
{
	enum { N = 20 };
	struct told t[N] = {0};
	pid_t pids[N];
	int i;

	yard_begin();
	for (i = 0; i < N; i++) {
		pids[i] = child_new(i);
		ck_assert_int_eq(
			reaper_claim(yard.reaper, pids[i], look_around, &t[i]),
			0);
	}
	for (i = 0; i < N; i++)
		child_end(pids[i]);
	yard_turn();
	for (i = 0; i < N; i++) {
		ck_assert_uint_eq(t[i].times, 1);
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i);
	}
	yard_end();
}
END_TEST

/* Callbacks follow the order in which exits were collected, those that were
 * due at a claim with all others. */
START_TEST(test_order)
{
	enum { N = 8 };
	struct told t[N] = {0};
	pid_t c[N];
	int i;

	yard_begin();
	for (i = 0; i < N; i++)
		c[i] = child_new(i);
	for (i = N - 1; i >= 0; i--)
		ck_assert_int_eq(
			reaper_claim(yard.reaper, c[i], yard_told, &t[i]), 0);
	for (i = 0; i < N; i++) {
		child_end(c[i]);
		/* collects it, and does not tell */
		reaper_claim(yard.reaper, 1, NULL, NULL);
	}
	yard_settle();
	for (i = 0; i < N; i++)
		ck_assert_uint_eq(t[i].order, (unsigned)i + 1);
	yard_end();
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
		reaper_spawn(yard.reaper, &spec, spawn_next, c, &pid, NULL);
}

START_TEST(test_spawn_in_a_callback)
{
	static const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	struct chain c = {.left = 20};
	struct err e;
	int64_t pid;

	yard_begin();
	ck_assert_int_eq(
		reaper_spawn(yard.reaper, &spec, spawn_next, &c, &pid, &e), 0);
	ck_assert(wait_for(NULL, (yard_turn(), c.done == 21)));
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
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

	yard_begin();
	ck_assert_int_eq(pipe(fds), 0);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			close(fds[1]);
			_exit(read(fds[0], &byte, 1) < 0 ? 99 : i % 256);
		}
		ck_assert_int_eq(
			reaper_claim(yard.reaper, pids[i], yard_told, &t[i]),
			0);
	}
	close(fds[0]);
	close(fds[1]); /* all at once */
	ck_assert(wait_for(NULL, (yard_turn(), yard.n_told >= N)));
	for (i = 0; i < N; i++) {
		done += t[i].times;
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i % 256);
		ck_assert_int_eq(t[i].exit.pid, pids[i]);
	}
	ck_assert_uint_eq(done, N);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	yard_end();
}
END_TEST

/* More than is kept room for, all unclaimed; then claimed backwards. */
START_TEST(test_many_parked)
{
	enum { N = 200 };
	static struct told t[N];
	static pid_t pids[N];
	int i;

	yard_begin();
	reaper_hold(yard.reaper);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			_exit(i);
	}
	ck_assert(
		wait_for(NULL, (yard_turn(), reaper_parked(yard.reaper) == N)));
	for (i = N - 1; i >= 0; i--)
		ck_assert_int_eq(
			reaper_claim(yard.reaper, pids[i], yard_told, &t[i]),
			0);
	reaper_release(yard.reaper);
	yard_settle();
	for (i = 0; i < N; i++) {
		ck_assert_uint_eq(t[i].times, 1);
		ck_assert_uint_eq(t[i].exit.status, (unsigned)i);
	}
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert(loop_is_idle(yard.base));
	yard_end();
}
END_TEST

/* No memory to park a wave of them: none is lost that somebody claims. */
START_TEST(test_parked_without_memory)
{
	enum { N = 100 };
	static struct told t;
	static pid_t pids[N];
	int i;

	yard_begin();
	reaper_hold(yard.reaper);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			_exit(i);
	}
	for (i = 0; i < N; i++)
		child_wait_dead(pids[i]);
	oom_all();
	yard_settle();
	oom_off();
	ck_assert_uint_lt(reaper_parked(yard.reaper), N);
	ck_assert_int_eq(
		reaper_claim(yard.reaper, pids[N - 1], yard_told, &t), 0);
	reaper_release(yard.reaper);
	yard_settle();
	ck_assert_uint_eq(t.times, 1);
	ck_assert_uint_eq(t.exit.status, N - 1);
	for (i = 0; i < N; i++)
		ck_assert(child_is_gone(pids[i]));
	yard_end();
}
END_TEST

/* What is claimed is delivered though what is not can't be parked. */
START_TEST(test_claimed_behind_a_wave_without_memory)
{
	enum { N = 100 };
	struct told t = {0};
	pid_t c, wave[N];
	int i;

	yard_begin();
	reaper_hold(yard.reaper);
	for (i = 0; i < N; i++)
		wave[i] = child_new(0);
	c = child_new(9);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	for (i = 0; i < N; i++)
		child_end(wave[i]);
	child_end(c);
	oom_all();
	yard_settle();
	oom_off();
	ck_assert_uint_eq(t.times, 1);
	reaper_release(yard.reaper);
	yard_settle();
	yard_end();
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

	yard_begin();
	ck_assert_int_eq(
		reaper_spawn(yard.reaper, &spec, yard_told, &t, &pid, &e), 0);
	ck_assert_int_gt(pid, 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 1);
	ck_assert(wait_for(NULL, (yard_turn(), t.times > 0)));
	ck_assert_int_eq(t.exit.pid, pid);
	ck_assert_uint_eq(t.exit.status, 12);
	yard_end();
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

	yard_begin();
	ck_assert_int_eq(
		reaper_spawn(yard.reaper, &spec, yard_told, &t, &pid, &e),
		-ENOENT);
	ck_assert_int_eq(pid, 42);
	ck_assert_ptr_nonnull(strstr(e.msg, "/no/such/program"));
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	ck_assert_int_lt(waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT), 0);
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	yard_end();
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
	yard_begin();
	reaper_hold(yard.reaper);
	ck_assert_int_eq(
		reaper_spawn(yard.reaper, &spec, yard_told, &t, &pid, &e),
		-ENOENT);
	ck_assert_int_eq(pid, 42);
	yard_settle();
	ck_assert_uint_eq(reaper_parked(yard.reaper), 0);
	ck_assert_uint_eq(reaper_claimed(yard.reaper), 0);
	reaper_release(yard.reaper);
	yard_end();
}
END_TEST

/* ---- memory, and the end ---- */

/* All that can fail, with the nth allocation failing. */
static int bring_up(unsigned n, struct told *t, struct told *u, pid_t child)
{
	static const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	struct err e;
	int64_t pid;
	int r;

	oom_at(n);
	r = reaper_new(yard.base, &yard.reaper, &e);
	if (r == 0)
		r = reaper_spawn(yard.reaper, &spec, yard_told, t, &pid, &e);
	if (r == 0)
		r = reaper_claim(yard.reaper, child, yard_told, u);
	ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
	return r;
}

START_TEST(test_out_of_memory)
{
	unsigned fds;
	pid_t child;

	oom_begin();
	OOM_SWEEP(n)
	{
		struct told t = {0}, u = {0};

		child = child_new(3);
		yard.base = event_base_new();
		yard.reaper = NULL;
		fds = count_fds();
		if (bring_up(n, &t, &u, child) == 0)
			ck_assert(wait_for(NULL, (yard_turn(), t.times == 1)));
		else
			ck_assert(yard.reaper || count_fds() == fds);
		child_end(child);
		ck_assert(!yard.reaper ||
			  wait_for(NULL, (yard_turn(), child_is_gone(child))));
		while (waitpid(-1, NULL, 0) > 0)
			;
		reaper_free(yard.reaper);
		event_base_free(yard.base);
	}
}
END_TEST

/* An exit needs no memory on its way, from the kernel to the callback. */
START_TEST(test_exit_allocates_nothing)
{
	struct told t = {0};
	pid_t c;
	bool hit;

	oom_begin();
	yard_begin();
	c = child_new(3);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	yard_settle();
	child_end(c);
	oom_all();
	yard_settle();
	hit = oom_off();
	ck_assert(!hit);
	ck_assert_uint_eq(t.times, 1);
	yard_end();
}
END_TEST

START_TEST(test_free_with_claims)
{
	struct told t = {0};
	pid_t c, d;

	yard_begin();
	c = child_new(1);
	d = child_new(2);
	ck_assert_int_eq(reaper_claim(yard.reaper, c, yard_told, &t), 0);
	ck_assert_int_eq(reaper_claim(yard.reaper, d, yard_told, &t), 0);
	child_end(d);
	reaper_claim(yard.reaper, 1, NULL, NULL); /* d is due now */
	reaper_free(yard.reaper);
	yard.reaper = NULL;
	yard_settle();
	ck_assert_uint_eq(t.times, 0);
	child_end(c);
	reap(c);
	reaper_free(NULL);
	yard_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_collected_before_told, test_order,
		test_spawn_in_a_callback, test_many, test_many_parked,
		test_parked_without_memory,
		test_claimed_behind_a_wave_without_memory, test_spawn,
		test_spawn_fails, test_spawn_fails_in_the_child,
		test_out_of_memory, test_exit_allocates_nothing,
		test_free_with_claims, NULL};

	return suite_run("reaper_many", tests);
}
