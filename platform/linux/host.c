/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/host.h"

#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "platform/file.h"
#include "platform/linux/fd.h"
#include "platform/linux/lock.h"

struct host_signals {
	int fd;
	struct event *ev;
	void (*terminate)(void *arg);
	void (*dump)(void *arg);
	void *arg;
};

/* Both belong to the process as a whole: the way back to `start`, and the
 * log, which every module may write to at any time. */
static int ready_fd = -1;
static int log_fd = -1;

void host_close_inherited(void)
{
	close_range(STDERR_FILENO + 1, ~0U, 0);
}

int host_arguments(int *argc, char ***argv, struct err *e)
{
	(void)argc;
	(void)argv;
	(void)e;
	return 0;
}

/* The one that was called: waits for what the other one has to say. */
static int host_wait_ready(int fd, pid_t pid, struct err *e)
{
	struct err said;

	if (fd_read_all(fd, &said, sizeof(said)) != sizeof(said)) {
		waitpid(pid, NULL, WNOHANG);
		return err_set(e, -EPIPE, "the shim died while it started");
	}
	if (said.code == 0)
		return 1;
	if (e)
		*e = said;
	return said.code;
}

int host_split(struct err *e)
{
	auto_fd int null = -1, from = -1, to = -1;
	int fds[2], i;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	from = fds[0];
	to = fds[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, -errno, "fork");
	if (pid > 0) {
		fd_close(&to);
		return host_wait_ready(from, pid, e);
	}
	ready_fd = fd_take(&to);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			return err_sys(e, -errno, "/dev/null");
	return 0;
}

void host_ready(const struct err *e)
{
	static const struct err fine;

	if (ready_fd < 0)
		return;
	fd_write_all(ready_fd, e ? e : &fine, sizeof(*e));
	fd_close(&ready_fd);
}

int host_become_shim(struct err *e)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "wisp-shim");
	/* small and steady beats fast: see malloc(3), mallopt(3) */
	mallopt(M_TOP_PAD, 0);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, -errno, "become a child subreaper");
	return 0;
}

/* Path buffers and parsers reach down the stack once and never again; the
 * kernel keeps those pages until it is told. Everything below this frame, and
 * below what a signal handler may use of it (the red zone), is free. */
static void trim_stack(void)
{
	enum { DEPTH = 512 * 1024, MARGIN = 4096 };
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t top = (here - MARGIN) & ~(page - 1);

	/* ENOMEM: not all of it is there, which is as well (madvise(2)) */
	madvise((void *)(top - DEPTH), DEPTH, MADV_DONTNEED);
}

void host_trim_memory(void)
{
	malloc_trim(0);
	trim_stack();
}

/* since Linux 5.14 */
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_CREATE 1
#endif
#define SCOPE_PROCESS_GROUP 2 /* PIDTYPE_PGID */

int host_schedule_core(void)
{
	return prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0,
		       SCOPE_PROCESS_GROUP, 0) < 0
		       ? -errno
		       : 0;
}

bool host_is_root(void)
{
	return geteuid() == 0;
}

int host_set_oom_score(void)
{
	char path[64], buf[16];
	auto_fd int fd = -1;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", getppid());
	if (file_read_into(path, buf, sizeof(buf)) < 0)
		return -errno;
	n = atoi(buf) + 1;
	n = snprintf(buf, sizeof(buf), "%d", n > 1000 ? 1000 : n);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd_write_all(fd, buf, (size_t)n);
}

static void host_signals_event(evutil_socket_t fd, short what, void *arg)
{
	struct host_signals *h = arg;
	struct signalfd_siginfo si;

	(void)what;
	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGUSR1)
		h->dump(h->arg);
	else
		h->terminate(h->arg);
}

int host_signals_new(struct event_base *base, void (*terminate)(void *arg),
	void (*dump)(void *arg), void *arg, struct host_signals **ret,
	struct err *e)
{
	struct host_signals *h = calloc(1, sizeof(*h));
	sigset_t set;

	if (!h)
		return err_set(e, -ENOMEM, "no memory for signals");
	h->terminate = terminate;
	h->dump = dump;
	h->arg = arg;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	h->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h->fd >= 0)
		h->ev = event_new(base, h->fd, EV_READ | EV_PERSIST,
			host_signals_event, h);
	if (!h->ev || event_add(h->ev, NULL) < 0) {
		host_signals_free(h);
		return err_set(e, -ENOMEM, "cannot watch for signals");
	}
	*ret = h;
	return 0;
}

void host_signals_free(struct host_signals *h)
{
	if (!h)
		return;
	if (h->ev)
		event_free(h->ev);
	fd_close(&h->fd);
	free(h);
}

int host_log_open(const char *ns, const char *id)
{
	(void)ns;
	(void)id;
	/* both ends, so that neither a missing nor a slow reader matters */
	log_fd = open(
		"log", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return log_fd < 0 ? -errno : 0;
}

int host_log_write(const char *line, size_t n)
{
	if (log_fd < 0)
		return 0;
	return write(log_fd, line, n) < 0 ? -EAGAIN : 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct input {
	uint8_t *data;
	size_t n, room;
};

/* 1: there may be more, 0: the end. */
static int input_read(struct input *in, size_t max)
{
	ssize_t r;

	if (in->n == in->room) {
		size_t room = in->room ? 2 * in->room : 4096;
		uint8_t *more = realloc(in->data, room);

		if (!more)
			return -ENOMEM;
		in->data = more;
		in->room = room;
	}
	r = read(STDIN_FILENO, in->data + in->n, in->room - in->n);
	if (r < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	in->n += (size_t)r;
	if (in->n > max)
		return -EFBIG;
	return r > 0;
}

int host_read_stdin(
	size_t max, int timeout_ms, uint8_t **ret, size_t *ret_n, struct err *e)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t until = now_ms() + timeout_ms;
	struct input in = {0};
	int r = 1;

	if (isatty(STDIN_FILENO) || fcntl(STDIN_FILENO, F_GETFD) < 0)
		r = 0;
	while (r > 0) {
		int64_t left = until - now_ms();

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			r = -ETIMEDOUT;
		else
			r = input_read(&in, max);
	}
	if (r < 0) {
		free(in.data);
		return err_sys(e, r, "read stdin");
	}
	*ret = in.data;
	*ret_n = in.n;
	return 0;
}

int host_write_stdout(const void *data, size_t n)
{
	return fd_write_all(STDOUT_FILENO, data, n);
}

/* 0 if the folder is there, -errno of the last step if not. */
static int make_dirs(const char *path)
{
	char dir[4096];
	char *p;

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	for (p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(dir, 0711);
		*p = '/';
	}
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Whether the folder can be made, or is there, and is ours to write to: what
 * somebody else has put in its place is not. 0 or -errno. */
static int own_dir(const char *dir)
{
	auto_fd int fd = -1;
	struct stat st;
	int r = make_dirs(dir);

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return r < 0 ? r : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EACCES;
	return faccessat(fd, ".", W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int host_own_dir(
	const char *name, size_t longest, char *buf, size_t n, struct err *e)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int r;

	snprintf(buf, n, "/run/containerd/%s", name);
	r = own_dir(buf);
	if (r == 0)
		return 0;
	if (geteuid() == 0 && r != -EACCES && r != -EPERM && r != -EROFS)
		return err_sys(e, r, "folder '%s'", buf);
	if (xdg && xdg[0] == '/') {
		snprintf(buf, n, "%s/containerd/%s", xdg, name);
		if (strlen(buf) <= longest && own_dir(buf) == 0)
			return 0;
	}
	snprintf(buf, n, "/tmp/containerd-%s-%u", name, geteuid());
	r = own_dir(buf);
	return r < 0 ? err_sys(e, r,
			       "folder '%s', as neither /run/containerd/%s nor "
			       "one in XDG_RUNTIME_DIR can be had",
			       buf, name)
		     : 0;
}

int host_lock_dir(const char *dir, int timeout_ms, int *ret, struct err *e)
{
	static const struct timespec pause = {.tv_nsec = 2000000};
	int64_t until = now_ms() + timeout_ms;
	auto_fd int fd = -1;

	make_dirs(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, ".", W_OK, AT_EACCESS) < 0)
		return err_sys(e, -errno,
			"socket directory '%s' can't be written to", dir);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(e, -errno, "lock '%s'", dir);
		if (now_ms() > until)
			return err_sys(e, -ETIMEDOUT, "lock '%s'", dir);
		nanosleep(&pause, NULL);
	}
	*ret = fd_take(&fd);
	return 0;
}

void host_unlock_dir(int lock)
{
	close(lock);
}
