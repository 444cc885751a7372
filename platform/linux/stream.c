/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/stream.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "platform/linux/address.h"
#include "platform/linux/fd.h"

struct stream {
	struct event_base *base; /* borrowed */
	int fd;
	bool always; /* a file, /dev/null: epoll(7) refuses, it never waits */
	bool tty;
	bool named; /* a FIFO with a name, which readers may open later */
	short watching;
	struct event *ev; /* NULL until something is watched */
	stream_cb cb;
	void *arg;
};

struct endpoint {
	int fd;
};

static const struct timeval at_once;

int stream_fd(const struct stream *s)
{
	return s->fd;
}

int endpoint_fd(const struct endpoint *ep)
{
	return ep->fd;
}

int fd_write_all(int fd, const void *buf, size_t n)
{
	const char *p = buf;

	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *buf, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)buf + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int stream_from_fd(struct event_base *base, int fd, struct stream **ret)
{
	auto_fd int owned = fd;
	struct stream *s;
	struct stat st;
	int flags;

	if (fstat(owned, &st) < 0)
		return -errno;
	/* O_NONBLOCK belongs to the open file, not to the descriptor: only
	 * what was opened for us may be passed to here */
	flags = fcntl(owned, F_GETFL);
	if (flags < 0 || fcntl(owned, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(owned, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->base = base;
	s->tty = isatty(owned); /* one that was hung up says no: pty(7) */
	s->always = S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && !s->tty);
	s->fd = fd_take(&owned);
	*ret = s;
	return 0;
}

int endpoint_from_fd(int fd, struct endpoint **ret)
{
	auto_fd int owned = fd;
	struct endpoint *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return -ENOMEM;
	ep->fd = fd_take(&owned);
	*ret = ep;
	return 0;
}

void endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	fd_close(&ep->fd);
	free(ep);
}

int endpoint_null(struct endpoint **ret)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : endpoint_from_fd(fd, ret);
}

int endpoint_append(const char *path, struct endpoint **ret)
{
	int fd = open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : endpoint_from_fd(fd, ret);
}

int endpoint_chown(struct endpoint *ep, uint32_t uid, uint32_t gid)
{
	return fchown(ep->fd, uid, gid) < 0 ? -errno : 0;
}

void stream_set_cb(struct stream *s, stream_cb cb, void *arg)
{
	s->cb = cb;
	s->arg = arg;
}

static void stream_event(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	unsigned ready = 0;

	(void)fd;
	if (s->always) {
		what = s->watching;
		event_add(s->ev, &at_once);
	}
	if (what & EV_READ & s->watching)
		ready |= STREAM_READ;
	if (what & EV_WRITE & s->watching)
		ready |= STREAM_WRITE;
	if (ready)
		s->cb(s, ready, s->arg);
}

/* A regular file has no events of its own: a timer of no time stands in, again
 * and again for as long as it is watched. */
static int stream_watch_file(struct stream *s, short want)
{
	if (!s->ev)
		s->ev = event_new(s->base, -1, 0, stream_event, s);
	if (!s->ev || (want && event_add(s->ev, &at_once) < 0))
		return -ENOMEM;
	if (!want)
		event_del(s->ev);
	s->watching = want;
	return 0;
}

int stream_watch(struct stream *s, unsigned what)
{
	short want = (what & STREAM_READ ? EV_READ : 0) |
		     (what & STREAM_WRITE ? EV_WRITE : 0);

	if (want == s->watching)
		return 0;
	if (s->always)
		return stream_watch_file(s, want);
	if (!s->ev) {
		s->ev = event_new(
			s->base, s->fd, want | EV_PERSIST, stream_event, s);
		if (!s->ev)
			return -ENOMEM;
	} else {
		event_del(s->ev);
		s->watching = 0; /* and so it stays if this fails */
		if (want && event_assign(s->ev, s->base, s->fd,
				    want | EV_PERSIST, stream_event, s) < 0)
			return -ENOMEM;
	}
	if (want && event_add(s->ev, NULL) < 0)
		return -ENOMEM;
	s->watching = want;
	return 0;
}

ssize_t stream_read(struct stream *s, void *buf, size_t n)
{
	ssize_t r;

	do {
		r = read(s->fd, buf, n);
	} while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	/* a pty's master says EIO when every slave is closed (pty(7)) */
	if (errno == EIO && s->tty)
		return 0;
	return -errno;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

ssize_t stream_write(struct stream *s, const void *buf, size_t n)
{
	ssize_t r;

	do {
		r = write(s->fd, buf, n);
	} while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	if (errno == ECONNRESET && is_socket(s->fd))
		return -EPIPE;
	return errno == EIO && s->tty ? -EPIPE : -errno;
}

/* splice(2) says EAGAIN for both an empty source and a full destination. */
static int which_end_waits(int from)
{
	struct pollfd p = {.fd = from, .events = POLLIN};

	if (poll(&p, 1, 0) <= 0)
		return -EAGAIN;
	if (p.revents & POLLIN)
		return -ENOBUFS;
	/* empty, and nobody is left to write: splice looked at the full
	 * destination first */
	return p.revents & (POLLHUP | POLLERR) ? 0 : -EAGAIN;
}

ssize_t stream_move(struct stream *from, struct stream *to, size_t n)
{
	ssize_t r;

	do {
		r = splice(from->fd, NULL, to->fd, NULL, n,
			SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	} while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	if (errno == EAGAIN)
		return which_end_waits(from->fd);
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* As long as we hold both ends we are a reader ourselves. The write end alone
 * says POLLERR when there is none (poll(2)); what is in the pipe stays. */
static void keep_write_end(struct stream *s)
{
	char path[32];
	int fd;

	if ((fcntl(s->fd, F_GETFL) & O_ACCMODE) != O_RDWR)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	stream_watch(s, 0);
	if (s->ev)
		event_free(s->ev);
	s->ev = NULL;
	close(s->fd);
	s->fd = fd;
}

/* poll(2): POLLERR on a write end of a pipe whose read ends are all closed */
static bool has_reader(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) <= 0 || !(p.revents & POLLERR);
}

enum stream_rest stream_linger(struct stream *s)
{
	if (stream_unread(s) == 0)
		return STREAM_TAKEN;
	keep_write_end(s);
	return has_reader(s->fd) ? STREAM_BEING_READ : STREAM_LEFT_ALONE;
}

size_t stream_unread(struct stream *s)
{
	return s->named ? stream_pending(s) : 0;
}

bool stream_is_unread(struct stream *s)
{
	return stream_pending(s) > 0 && has_reader(s->fd);
}

size_t stream_pending(struct stream *s)
{
	int n = 0;

	return ioctl(s->fd, FIONREAD, &n) < 0 || n < 0 ? 0 : (size_t)n;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->ev)
		event_free(s->ev);
	fd_close(&s->fd);
	free(s);
}

static int stream_pipe(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs, int ours)
{
	struct endpoint *theirs;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = endpoint_from_fd(fds[1 - ours], &theirs);
	if (r < 0) {
		close(fds[ours]);
		return r;
	}
	r = stream_from_fd(base, fds[ours], ret_ours);
	if (r < 0)
		endpoint_close(theirs);
	else
		*ret_theirs = theirs;
	return r;
}

int stream_pipe_from_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs)
{
	return stream_pipe(base, ret_ours, ret_theirs, 0);
}

int stream_pipe_to_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs)
{
	return stream_pipe(base, ret_ours, ret_theirs, 1);
}

int stream_pipe_by_name(struct event_base *base, const char *name,
	bool to_child, struct stream **ret_ours, struct endpoint **ret_theirs)
{
	(void)name;
	return stream_pipe(base, ret_ours, ret_theirs, to_child);
}

const char *endpoint_name(const struct endpoint *ep)
{
	(void)ep;
	return NULL;
}

int stream_open_fifo(struct event_base *base, const char *path,
	struct stream **ret, struct err *e)
{
	struct stat st;
	auto_fd int fd = -1;
	int r;

	/* O_RDWR on a FIFO never blocks and is both ends at once: fifo(7) */
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, -errno, "open stdio FIFO '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return err_set(e, -EINVAL,
			"stdio path '%s' is no FIFO; use file:// for a file",
			path);
	r = stream_from_fd(base, fd_take(&fd), ret);
	if (r < 0)
		return err_sys(e, r, "stdio FIFO '%s'", path);
	(*ret)->named = true;
	return 0;
}

static void make_parents(const char *path)
{
	char dir[4096];
	char *p;

	if (strlen(path) >= sizeof(dir))
		return;
	strcpy(dir, path);
	for (p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(dir, 0711); /* open() tells if it did not help */
		*p = '/';
	}
}

void stream_dial_for(unsigned seconds)
{
	(void)seconds;
}

int stream_open_log(struct event_base *base, const char *path,
	struct stream **ret, struct err *e)
{
	int fd, r;

	make_parents(path);
	fd = open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
		0644);
	if (fd < 0)
		return err_sys(e, -errno, "open log '%s'", path);
	r = stream_from_fd(base, fd, ret);
	return r < 0 ? err_sys(e, r, "open log '%s'", path) : 0;
}

int stream_open_null(struct event_base *base, struct stream **ret)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : stream_from_fd(base, fd, ret);
}

int stream_connect(struct event_base *base, const char *address,
	struct stream **ret, struct err *e)
{
	auto_fd int fd = -1;
	int r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, -errno, "socket for '%s'", address);
	r = address_connect(fd, address);
	if (r < 0)
		return err_sys(e, r, "connect to '%s'", address);
	r = stream_from_fd(base, fd_take(&fd), ret);
	return r < 0 ? err_sys(e, r, "connect to '%s'", address) : 0;
}
