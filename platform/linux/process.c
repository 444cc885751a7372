/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <event2/event.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "platform/file.h"
#include "platform/linux/fd.h"

struct process_ref {
	int fd;
};

struct exit_source {
	int fd; /* signalfd(2) for SIGCHLD */
	struct event *ev;
	void (*ready)(void *arg);
	void *arg;
};

static int check_program(const char *path)
{
	struct stat st;

	if (access(path, X_OK) < 0 || stat(path, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EACCES; /* a folder has X, too */
}

/* execvp(3) may allocate, which a child that shares our memory must not, so
 * the search is done before there is one. */
static int find_program(const char *name, char *path, size_t n)
{
	const char *dir = getenv("PATH");
	int r = -ENOENT;

	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, n, "%s", name) >= n)
			return -ENAMETOOLONG;
		return check_program(path);
	}
	if (!dir || !*dir)
		dir = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	while (*dir) {
		size_t len = strcspn(dir, ":");

		if (len > 0 && (size_t)snprintf(path, n, "%.*s/%s", (int)len,
				       dir, name) < n) {
			int x = check_program(path);

			if (x == 0)
				return 0;
			if (x == -EACCES)
				r = x;
		}
		dir += len + (dir[len] == ':');
	}
	return r;
}

bool process_find(const char *name)
{
	char path[4096];

	return find_program(name, path, sizeof(path)) == 0;
}

int process_find_beside(const char *name, char *buf, size_t n)
{
	ssize_t len = readlink("/proc/self/exe", buf, n - 1);
	char *slash;

	if (len < 0)
		return -errno;
	buf[len] = '\0';
	slash = strrchr(buf, '/');
	if (slash &&
		(size_t)snprintf(slash + 1, n - (size_t)(slash + 1 - buf), "%s",
			name) < n - (size_t)(slash + 1 - buf) &&
		access(buf, X_OK) == 0)
		return 0;
	return find_program(name, buf, n);
}

struct child {
	const struct process_spec *spec;
	const char *path;
	int fds[PROCESS_ENDPOINTS_MAX];
	int n_fds;
	pid_t parent;
	volatile int error;   /* the child's errno: it shares our memory */
	volatile bool in_cwd; /* that was as far as it came */
};

/* Moves the child's descriptors into place: out of the way first, so that no
 * target overwrites a source. */
static int child_place_fds(struct child *c)
{
	int i;

	for (i = 0; i < c->n_fds; i++) {
		c->fds[i] = fcntl(
			c->fds[i], F_DUPFD_CLOEXEC, PROCESS_ENDPOINTS_MAX);
		if (c->fds[i] < 0) {
			/* fcntl(2): also "arg is over RLIMIT_NOFILE" */
			if (errno == EINVAL)
				errno = EMFILE;
			return -1;
		}
	}
	for (i = 0; i < c->n_fds; i++)
		if (dup2(c->fds[i], i) < 0)
			return -1;
	return 0;
}

/* Runs in the vforked child: async-signal-safe calls only. */
static void child_exec(struct child *c)
{
	/* the kernel's own struct, all zeros: SIG_DFL. sigaction(3) would not
	 * touch the two signals that glibc keeps for itself, which may have
	 * come to us ignored like any other. */
	static const unsigned long dfl[8];
	sigset_t none;
	int sig;

	for (sig = 1; sig < _NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, dfl, NULL, _NSIG / 8);
	if (c->spec->own_group && setpgid(0, 0) < 0)
		return;
	if (c->spec->dies_with_us && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return;
	if (getppid() != c->parent)
		_exit(127);
	c->in_cwd = true;
	if (c->spec->cwd && chdir(c->spec->cwd) < 0)
		return;
	c->in_cwd = false;
	if (child_place_fds(c) < 0)
		return;
	close_range((unsigned)c->n_fds, ~0U, CLOSE_RANGE_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(c->path, (char *const *)c->spec->argv,
		c->spec->envp ? (char *const *)c->spec->envp : environ);
}

static pid_t child_start(struct child *c)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0) {
		child_exec(c);
		c->error = errno;
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static void child_collect_fds(struct child *c, int null)
{
	int i;

	for (i = 0; i < PROCESS_ENDPOINTS_MAX; i++) {
		struct endpoint *ep = c->spec->endpoints[i];

		c->fds[i] = ep ? endpoint_fd(ep) : null;
		if (ep || i < 3)
			c->n_fds = i + 1;
	}
}

int process_spawn(
	const struct process_spec *spec, int64_t *ret_pid, struct err *e)
{
	struct child c = {.spec = spec, .parent = getpid()};
	auto_fd int null = -1;
	char path[4096];
	pid_t pid;
	int r;

	r = find_program(spec->argv[0], path, sizeof(path));
	if (r < 0)
		return err_sys(e, r, "cannot run '%s'", spec->argv[0]);
	c.path = path;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(e, -errno, "open /dev/null");
	child_collect_fds(&c, null);
	pid = child_start(&c);
	if (pid < 0)
		return err_sys(e, -errno, "fork for '%s'", path);
	if (c.error) {
		waitpid(pid, NULL, 0); /* it has ended: this does not wait */
		return c.in_cwd ? err_sys(e, -c.error,
					  "cannot run '%s' in folder '%s'",
					  path, spec->cwd)
				: err_sys(e, -c.error, "cannot run '%s'", path);
	}
	*ret_pid = pid;
	return 0;
}

int process_is_ours(int64_t pid)
{
	siginfo_t si = {0};

	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -ECHILD;
	return si.si_pid == 0;
}

void process_wchan(int64_t pid, char *buf, size_t n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%lld/wchan", (long long)pid);
	if (file_read_into(path, buf, n) < 0 || strcmp(buf, "0") == 0)
		buf[0] = '\0';
}

int process_ref_open(int64_t pid, struct process_ref **ret)
{
	auto_fd int fd = -1;
	struct process_ref *ref;

	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return -errno;
	ref = calloc(1, sizeof(*ref));
	if (!ref)
		return -ENOMEM;
	ref->fd = fd_take(&fd);
	*ret = ref;
	return 0;
}

int process_ref_signal(struct process_ref *ref, uint32_t signal)
{
	struct pollfd p = {.fd = ref->fd, .events = POLLIN};

	/* a zombie takes signals, too; its pidfd says that it has ended */
	if (poll(&p, 1, 0) > 0)
		return -ESRCH;
	if (syscall(SYS_pidfd_send_signal, ref->fd, (int)signal, NULL, 0) < 0)
		return -errno;
	return 0;
}

int process_ref_ask_signal(
	struct process_ref *ref, uint32_t signal, process_told done, void *arg)
{
	(void)done;
	(void)arg;
	return process_ref_signal(ref, signal);
}

void process_ref_close(struct process_ref *ref)
{
	if (!ref)
		return;
	fd_close(&ref->fd);
	free(ref);
}

static void exit_source_event(evutil_socket_t fd, short what, void *arg)
{
	struct exit_source *x = arg;
	struct signalfd_siginfo si;

	(void)what;
	while (read(fd, &si, sizeof(si)) > 0)
		;
	x->ready(x->arg);
}

int exit_source_new(struct event_base *base, void (*ready)(void *arg),
	void *arg, struct exit_source **ret, struct err *e)
{
	struct exit_source *x = calloc(1, sizeof(*x));
	sigset_t chld;

	if (!x)
		return err_set(e, -ENOMEM, "no memory for the exit source");
	x->ready = ready;
	x->arg = arg;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	x->fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (x->fd >= 0)
		x->ev = event_new(base, x->fd, EV_READ | EV_PERSIST,
			exit_source_event, x);
	if (!x->ev || event_add(x->ev, NULL) < 0) {
		int r = x->fd < 0 ? -errno : -ENOMEM;

		exit_source_free(x);
		return err_sys(e, r, "signalfd for SIGCHLD");
	}
	*ret = x;
	return 0;
}

static int collect(pid_t which, struct process_exit *ret)
{
	int status;
	pid_t pid = waitpid(which, &status, WNOHANG);

	if (pid <= 0)
		return 0;
	ret->pid = pid;
	ret->status = WIFSIGNALED(status) ? 128u + (unsigned)WTERMSIG(status)
					  : (unsigned)WEXITSTATUS(status);
	clock_gettime(CLOCK_REALTIME, &ret->at);
	return 1;
}

int exit_source_next(struct exit_source *x, struct process_exit *ret)
{
	(void)x;
	return collect(-1, ret);
}

int exit_source_next_of(
	struct exit_source *x, int64_t pid, struct process_exit *ret)
{
	(void)x;
	return collect((pid_t)pid, ret);
}

void exit_source_free(struct exit_source *x)
{
	if (!x)
		return;
	if (x->ev)
		event_free(x->ev);
	fd_close(&x->fd);
	free(x);
}
