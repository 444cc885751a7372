/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/look.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_test.h"

static pid_t sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl("/bin/sleep", "sleep", "1000", "1", (char *)NULL);
		_exit(1);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(reap(pid), 128 + SIGKILL);
}

static struct look_process look(int64_t pid)
{
	struct look_process lp;

	ck_assert_int_eq(look_process(pid, &lp), 0);
	ck_assert_int_eq(lp.pid, pid);
	return lp;
}

START_TEST(test_self)
{
	struct look_process lp = look(getpid());

	ck_assert_int_eq(lp.state, 'R');
	ck_assert_int_eq(lp.parent, getppid());
	ck_assert_uint_lt(lp.age_ms, 60000);
	ck_assert_ptr_nonnull(strstr(lp.command, "test_look"));
}
END_TEST

START_TEST(test_child)
{
	pid_t pid = sleeper();
	struct look_process lp;

	ck_assert(wait_for(NULL, (lp = look(pid), lp.state == 'S') &&
					 strcmp(lp.name, "sleep") == 0));
	ck_assert_str_eq(lp.command, "sleep 1000 1");
	ck_assert_int_eq(lp.parent, getpid());
	kill(pid, SIGSTOP);
	ck_assert(wait_for(NULL, look(pid).state == 'T'));
	kill(pid, SIGKILL);
	ck_assert(wait_for(NULL, look(pid).state == 'Z'));
	lp = look(pid);
	ck_assert_str_eq(lp.command, "");
	ck_assert_str_eq(lp.name, "sleep");
	reap(pid);
	ck_assert_int_eq(look_process(pid, &lp), -ESRCH);
}
END_TEST

START_TEST(test_words)
{
	char buf[64];
	pid_t pid = sleeper();
	struct look_process lp;

	ck_assert(wait_for(NULL, (lp = look(pid), lp.state == 'S') &&
					 strcmp(lp.name, "sleep") == 0));
	ck_assert_uint_eq(lp.threads, 1);
	ck_assert_int_eq(look_words(pid, buf, sizeof(buf)), 13);
	ck_assert_mem_eq(buf, "sleep\0001000\0001", 13);
	ck_assert_int_eq(look_words(pid, buf, 9), 9); /* cut */
	ck_assert_mem_eq(buf, "sleep\00010", 9);
	kill(pid, SIGKILL);
	ck_assert(wait_for(NULL, look(pid).state == 'Z'));
	ck_assert_int_eq(look_words(pid, buf, sizeof(buf)), 0);
	reap(pid);
	ck_assert_int_eq(look_words(pid, buf, sizeof(buf)), -ESRCH);
}
END_TEST

START_TEST(test_environment)
{
	char buf[16];
	struct look_process lp;
	pid_t pid;

	setenv("LOOK_AT", "me", 1);
	setenv("LOOK_AT_LONG", "0123456789abcdef", 1);
	setenv("LOOK_AT_NOTHING", "", 1);
	pid = sleeper();
	ck_assert(wait_for(NULL, (lp = look(pid), lp.state == 'S') &&
					 strcmp(lp.name, "sleep") == 0));
	ck_assert_int_eq(look_environment(pid, "LOOK_AT", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "me");
	ck_assert_int_eq(
		look_environment(pid, "LOOK_AT_NOTHING", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "");
	ck_assert_int_eq(
		look_environment(pid, "LOOK_AT_LONG", buf, sizeof(buf)),
		-ENAMETOOLONG);
	ck_assert_int_eq(
		look_environment(pid, "LOOK", buf, sizeof(buf)), -ENOENT);
	end(pid);
	ck_assert_int_eq(
		look_environment(pid, "LOOK_AT", buf, sizeof(buf)), -ENOENT);
}
END_TEST

/* A name may look like the rest of the line. */
START_TEST(test_odd_name)
{
	struct look_process lp;

	prctl(PR_SET_NAME, "a) Z 1 (b\n");
	lp = look(getpid());
	ck_assert_str_eq(lp.name, "a) Z 1 (b\n");
	ck_assert_int_eq(lp.state, 'R');
}
END_TEST

static int64_t seen[64];
static unsigned n_seen;

static void see(int64_t pid, void *arg)
{
	ck_assert_ptr_eq(arg, seen);
	ck_assert_uint_lt(n_seen, 64);
	seen[n_seen++] = pid;
}

START_TEST(test_children)
{
	pid_t pids[5];
	unsigned i, j;

	ck_assert_int_eq(look_children(getpid(), see, seen), 0);
	ck_assert_uint_eq(n_seen, 0);
	for (i = 0; i < 5; i++)
		pids[i] = sleeper();
	ck_assert_int_eq(look_children(getpid(), see, seen), 0);
	ck_assert_uint_eq(n_seen, 5);
	for (i = 0; i < 5; i++) {
		for (j = 0; j < 5 && seen[j] != pids[i]; j++)
			;
		ck_assert_uint_lt(j, 5);
		end(pids[i]);
	}
}
END_TEST

static unsigned n_open;
static char what_it_is[64];
static int64_t waits_there, room_there;

static void on_open(const struct look_open *o, void *arg)
{
	n_open++;
	if (o->number != *(int *)arg)
		return;
	snprintf(what_it_is, sizeof(what_it_is), "%s", o->what);
	waits_there = o->waiting;
	room_there = o->room;
}

START_TEST(test_open)
{
	unsigned before = count_fds();
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	look_open(getpid(), on_open, &fd);
	ck_assert_uint_eq(n_open, before + 1);
	ck_assert_str_eq(what_it_is, "/dev/null");
	ck_assert_int_eq(waits_there, -1);
	ck_assert_int_eq(room_there, -1);
	ck_assert_uint_eq(count_fds(), before + 1);
	ck_assert_int_eq(look_open_count(getpid()), before + 1);
	close(fd);
}
END_TEST

/* How full another one's pipe is, which nobody notices. */
START_TEST(test_open_of_another)
{
	int fds[2], fd = 1;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "12345", 5), 5);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		pause();
		_exit(0);
	}
	waits_there = -1;
	ck_assert(wait_for(
		NULL, (look_open(pid, on_open, &fd), waits_there == 5)));
	ck_assert_ptr_nonnull(strstr(what_it_is, "pipe:["));
	ck_assert_int_eq(room_there, fcntl(fds[0], F_GETPIPE_SZ));
	ck_assert_int_gt(look_open_count(pid), 2);
	end(pid);
	ck_assert_int_eq(look_open_count(pid), -ENOENT);
	look_open(pid, on_open, &fd);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_memory)
{
	struct look_memory m;

	look_memory(getpid(), &m);
	ck_assert_uint_gt(m.own, 0);
	ck_assert_uint_ge(m.proportional, m.own);
	ck_assert_uint_ge(m.resident, m.proportional);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_self, test_child, test_words,
		test_environment, test_odd_name, test_children, test_open,
		test_open_of_another, test_memory, NULL};

	return suite_run("look", tests);
}
