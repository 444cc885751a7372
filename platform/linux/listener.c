/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/listener.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "platform/linux/address.h"
#include "platform/linux/fd.h"

/* A daemon that restarts dials all its shims at once, one connection each; a
 * handful of clients more is plenty. */
#define LISTEN_BACKLOG 64

/* How long accepting rests when the process is out of descriptors. */
static const struct timeval accept_pause = {.tv_usec = 100000};

struct listener {
	int fd;
	struct event_base *base; /* borrowed */
	struct event *ev;
	struct event *resume;
	listener_cb cb;
	void *arg;
};

int listener_bind(const char *address, struct listener **ret, struct err *e)
{
	auto_fd int fd = -1;
	struct listener *l;
	mode_t old;
	int r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, -errno, "socket");
	old = umask(0177);
	r = address_bind(fd, address);
	umask(old);
	if (r < 0)
		return err_sys(e, r, "bind socket '%s'", address);
	if (listen(fd, LISTEN_BACKLOG) < 0) {
		r = -errno;
		listener_unlink(address);
		return err_sys(e, r, "listen on '%s'", address);
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		listener_unlink(address);
		return err_set(e, -ENOMEM, "no memory for a listener");
	}
	l->fd = fd_take(&fd);
	*ret = l;
	return 0;
}

static bool peer_is_welcome(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return false;
	return cred.uid == geteuid() || cred.uid == 0;
}

/* Out of descriptors or memory: the pending peer would wake us for ever. */
static void listener_rest(struct listener *l)
{
	event_del(l->ev);
	event_add(l->resume, &accept_pause);
}

static void listener_resume(evutil_socket_t unused, short what, void *arg)
{
	struct listener *l = arg;

	(void)unused;
	(void)what;
	event_add(l->ev, NULL);
}

static void listener_ready(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct stream *s;
	auto_fd int fd = -1;

	(void)what;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			errno == ENOBUFS)
			listener_rest(l);
		return;
	}
	if (peer_is_welcome(fd) &&
		stream_from_fd(l->base, fd_take(&fd), &s) == 0)
		l->cb(s, l->arg);
}

int listener_start(
	struct listener *l, struct event_base *base, listener_cb cb, void *arg)
{
	/* once more: peers ask who listens (SO_PEERCRED), and it is this
	 * process from now on */
	if (listen(l->fd, LISTEN_BACKLOG) < 0)
		return -errno;
	l->base = base;
	l->cb = cb;
	l->arg = arg;
	l->ev = event_new(base, l->fd, EV_READ | EV_PERSIST, listener_ready, l);
	l->resume = event_new(base, -1, 0, listener_resume, l);
	if (!l->ev || !l->resume || event_add(l->ev, NULL) < 0)
		return -ENOMEM;
	return 0;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	if (l->ev)
		event_free(l->ev);
	if (l->resume)
		event_free(l->resume);
	fd_close(&l->fd);
	free(l);
}

int listener_unlink(const char *address)
{
	if (unlink(address_path(address)) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* A process that was killed closes what it has open one by one, the last first:
 * its connections are gone, and its socket takes another one still. Its memory
 * went before that, and with it its command line. */
static bool peer_is_dying(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	auto_fd int file = -1;
	char path[64], c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0 ||
		cred.pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", cred.pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	return file >= 0 && read(file, &c, 1) == 0;
}

int listener_probe(const char *address)
{
	int64_t pid;

	return listener_owner(address, &pid);
}

int listener_owner(const char *address, int64_t *ret_pid)
{
	auto_fd int fd = -1;
	struct ucred peer = {0};
	socklen_t n = sizeof(peer);
	int r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = address_connect(fd, address);
	if (r == 0 && peer_is_dying(fd))
		return -ECONNREFUSED;
	if (r == 0)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n);
	if (r == -EAGAIN) /* its queue is full: it is alive */
		r = 0;
	if (r == 0)
		*ret_pid = peer.pid;
	return r;
}
