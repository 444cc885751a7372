/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/look.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform/linux/fd.h"
#include "platform/process.h"

/* As much of a file in /proc as has room, with a NUL; -errno. */
static ssize_t read_proc(const char *path, char *buf, size_t n)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = fd_read_all(fd, buf, n - 1);
	buf[got > 0 ? got : 0] = '\0';
	return got;
}

static ssize_t read_proc_of(int64_t pid, const char *name, char *buf, size_t n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	return read_proc(path, buf, n);
}

static uint64_t age_of(unsigned long long start_ticks)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec t;
	uint64_t now, start = start_ticks * 1000 / hz;

	clock_gettime(CLOCK_BOOTTIME, &t);
	now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	return now > start ? now - start : 0;
}

/* proc(5): pid (name) state parent ..., the name may have anything in it. */
static int parse_stat(char *text, struct look_process *ret)
{
	char *name = strchr(text, '('), *end = strrchr(text, ')');
	unsigned long long start = 0;

	if (!name || !end || end < name)
		return -ESRCH;
	*end = '\0';
	snprintf(ret->name, sizeof(ret->name), "%s", name + 1);
	/* state, ppid, 15 that are of no interest, num_threads, one more,
	 * starttime */
	if (sscanf(end + 1,
		    " %c %" SCNd64 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
		    " %*s %*s %*s %*s %*s %u %*s %llu",
		    &ret->state, &ret->parent, &ret->threads, &start) < 2)
		return -ESRCH;
	ret->age_ms = age_of(start);
	return 0;
}

/* Reading what is in its memory takes a lock (mmap_read_lock() in fs/proc/
 * base.c), which one in state D may hold. */
static int look_state(int64_t pid, struct look_process *ret)
{
	char text[1024];

	memset(ret, 0, sizeof(*ret));
	ret->pid = pid;
	if (read_proc_of(pid, "stat", text, sizeof(text)) <= 0)
		return -ESRCH;
	return parse_stat(text, ret);
}

ssize_t look_words(int64_t pid, char *buf, size_t n)
{
	struct look_process lp;
	ssize_t got;

	if (look_state(pid, &lp) < 0)
		return -ESRCH;
	got = lp.state == 'D' ? 0 : read_proc_of(pid, "cmdline", buf, n);
	if (got <= 0)
		return 0;
	if (buf[got - 1] != '\0')
		buf[got++] = '\0';
	return got;
}

int look_environment(int64_t pid, const char *name, char *buf, size_t n)
{
	struct look_process lp;
	size_t size = 0, len = strlen(name);
	char path[64], *word = NULL;
	int r = -ENOENT;
	FILE *f;

	if (look_state(pid, &lp) < 0)
		return -ENOENT;
	if (lp.state == 'D')
		return -EAGAIN;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/environ", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (r == -ENOENT && getdelim(&word, &size, '\0', f) > 0)
		if (strncmp(word, name, len) == 0 && word[len] == '=')
			r = (size_t)snprintf(buf, n, "%s", word + len + 1) < n
				    ? 0
				    : -ENAMETOOLONG;
	free(word);
	fclose(f);
	return r;
}

size_t look_command(int64_t pid, char *buf, size_t n)
{
	ssize_t got = read_proc_of(pid, "cmdline", buf, n), i;

	while (got > 0 && buf[got - 1] == '\0')
		got--;
	for (i = 0; i < got; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	if (got < 0)
		got = 0;
	buf[got] = '\0';
	return (size_t)got;
}

static void look_syscall(struct look_process *ret)
{
	char text[256], *end;
	long number;

	ret->syscall = -1;
	if (read_proc_of(ret->pid, "syscall", text, sizeof(text)) <= 0)
		return;
	number = strtol(text, &end, 10); /* "running": it is in none */
	if (end != text)
		ret->syscall = (int)number;
}

int look_process(int64_t pid, struct look_process *ret)
{
	int r = look_state(pid, ret);

	if (r < 0)
		return r;
	process_wchan(pid, ret->waits, sizeof(ret->waits));
	look_syscall(ret);
	if (ret->state != 'D')
		look_command(pid, ret->command, sizeof(ret->command));
	return 0;
}

/* Of one thread: proc(5), /proc/pid/task/tid/children. */
static int look_children_of(
	const char *path, void (*each)(int64_t child, void *arg), void *arg)
{
	char text[8192], *at, *end;
	ssize_t n = read_proc(path, text, sizeof(text));

	if (n < 0)
		return -ENOSYS;
	for (at = text;; at = end) {
		long long child = strtoll(at, &end, 10);

		if (end == at || !*end) /* it ends in a blank, or is cut */
			return 0;
		each(child, arg);
	}
}

int look_children(
	int64_t pid, void (*each)(int64_t child, void *arg), void *arg)
{
	char path[128];
	struct dirent *d;
	int r = -ENOSYS;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path),
			"/proc/%" PRId64 "/task/%.20s/children", pid,
			d->d_name);
		if (look_children_of(path, each, arg) == 0)
			r = 0;
	}
	closedir(dir);
	return r;
}

int look_all(void (*each)(int64_t pid, void *arg), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			each(atoll(d->d_name), arg);
	closedir(dir);
	return 0;
}

/* The descriptor itself is looked at, by a copy: to open a FIFO again would
 * make us one of its readers or writers. */
static void look_into(int pidfd, struct look_open *o)
{
	auto_fd int fd = -1;
	struct stat st;
	int n = 0;

	o->waiting = o->room = -1;
	if (pidfd < 0)
		return;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, o->number, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) ||
		ioctl(fd, FIONREAD, &n) < 0)
		return;
	o->waiting = n;
	o->room = fcntl(fd, F_GETPIPE_SZ);
}

void look_open(int64_t pid, void (*each)(const struct look_open *o, void *arg),
	void *arg)
{
	auto_fd int pidfd = -1;
	char path[64], what[256];
	struct look_open o = {.what = what};
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	while ((d = readdir(dir))) {
		ssize_t n = readlinkat(
			dirfd(dir), d->d_name, what, sizeof(what) - 1);

		o.number = atoi(d->d_name);
		if (n < 0 || (pid == getpid() && (o.number == dirfd(dir) ||
							 o.number == pidfd)))
			continue;
		what[n] = '\0';
		look_into(pidfd, &o);
		each(&o, arg);
	}
	closedir(dir);
}

int look_open_count(int64_t pid)
{
	char path[64];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return pid == getpid() ? n - 1 : n;
}

/* "Name:     12 kB" */
static uint64_t find_kib(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void look_memory(int64_t pid, struct look_memory *ret)
{
	char text[2048];

	memset(ret, 0, sizeof(*ret));
	if (read_proc_of(pid, "smaps_rollup", text, sizeof(text)) <= 0)
		return;
	ret->resident = find_kib(text, "\nRss:");
	ret->proportional = find_kib(text, "\nPss:");
	ret->own = find_kib(text, "\nPrivate_Clean:") +
		   find_kib(text, "\nPrivate_Dirty:");
}
