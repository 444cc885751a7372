/* SPDX-License-Identifier: Apache-2.0 */
#include "util_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char suite_dir[] = "/tmp/wisp-unit-XXXXXX";
static unsigned fds_before;

unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 3; /* ".", ".." and dir's own */
}

void cloexec_all(void)
{
	int fd;

	for (fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void test_enter(void)
{
	char dir[sizeof(suite_dir) + 8];

	signal(SIGPIPE, SIG_IGN);
	snprintf(dir, sizeof(dir), "%s/XXXXXX", suite_dir);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	fds_before = count_fds();
}

static void test_leave(void)
{
	siginfo_t si = {0};

	ck_assert_uint_eq(count_fds(), fds_before);
	ck_assert_int_eq(
		waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int suite_run(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	if (!mkdtemp(suite_dir)) {
		perror(suite_dir);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(t, 4 * TEST_WAIT_MS / 1000);
	tcase_add_checked_fixture(t, test_enter, test_leave);
	for (; *tests; tests++)
		tcase_add_test(t, *tests);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	nftw(suite_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const char *here(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % LENGTH(paths)];
	size_t n;

	ck_assert_ptr_nonnull(getcwd(path, PATH_MAX / 2));
	n = strlen(path);
	snprintf(path + n, PATH_MAX - n, "/%s", name);
	return path;
}

void put_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

void put_text(const char *path, const char *text)
{
	put_file(path, text, strlen(text));
}

size_t get_file(const char *path, char *buf, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	ck_assert_int_ge(fd, 0);
	got = read(fd, buf, n - 1);
	ck_assert_int_ge(got, 0);
	buf[got] = '\0';
	close(fd);
	return (size_t)got;
}

bool file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int64_t real_ms(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void nap(void)
{
	static const struct timespec moment = {.tv_nsec = 200000};

	nanosleep(&moment, NULL);
}

void loop_turn(struct event_base *base)
{
	/* without ONCE it goes round for as long as anything happens */
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

void loop_settle(struct event_base *base)
{
	int i;

	for (i = 0; i < 50; i++)
		loop_turn(base);
}

static void on_timer(evutil_socket_t fd, short what, void *fired)
{
	(void)fd;
	(void)what;
	*(bool *)fired = true;
}

bool loop_is_idle(struct event_base *base)
{
	/* not one of the loop's own timers: its clock may stand still */
	static const struct itimerspec a_while = {
		.it_value = {.tv_nsec = 30000000}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	bool fired = false;
	struct event *ev = event_new(base, fd, EV_READ, on_timer, &fired);

	loop_settle(base);
	timerfd_settime(fd, 0, &a_while, NULL);
	event_add(ev, NULL);
	event_base_loop(base, EVLOOP_ONCE);
	event_free(ev);
	close(fd);
	return fired;
}

bool is_root(void)
{
	return geteuid() == 0;
}

int reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
