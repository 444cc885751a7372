/* SPDX-License-Identifier: Apache-2.0 */
#include "util_yard.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_test.h"

struct yard yard;

void yard_told(const struct process_exit *x, void *arg)
{
	struct told *t = arg;

	yard.told_elsewhere |= !yard.in_loop;
	t->times++;
	t->order = ++yard.n_told;
	t->exit = *x;
}

void yard_turn(void)
{
	yard.in_loop = true;
	loop_turn(yard.base);
	yard.in_loop = false;
}

void yard_settle(void)
{
	int i;

	for (i = 0; i < 20; i++)
		yard_turn();
}

void yard_begin(void)
{
	struct err e;

	yard.base = event_base_new();
	ck_assert_int_eq(reaper_new(yard.base, &yard.reaper, &e), 0);
}

void yard_end(void)
{
	ck_assert(!yard.told_elsewhere);
	reaper_free(yard.reaper);
	event_base_free(yard.base);
}

/* A child that ends with this status when it gets SIGUSR1. */
pid_t child_new(int status)
{
	sigset_t usr1;
	pid_t pid;
	int sig;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(sigwait(&usr1, &sig) == 0 ? status : 99);
	return pid;
}

/* Until the kernel has its exit; nobody has collected it yet. */
void child_wait_dead(pid_t pid)
{
	siginfo_t si;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

pid_t child_end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	child_wait_dead(pid);
	return pid;
}

pid_t child_dead(int status)
{
	return child_end(child_new(status));
}

bool child_is_gone(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0;
}
