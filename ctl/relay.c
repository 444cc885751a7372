/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/relay.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define TURNS_MAX 16 /* then the rest of the loop has its turn */

struct end {
	int fd;
	bool pollable; /* or always ready: a regular file, /dev/null */
	bool is_socket;
	bool ready;
	/* A blocking descriptor that is ready takes this much for sure:
	 * pipe(7), PIPE_BUF. */
	size_t most;
	struct event *ev;
};

struct ctl_relay {
	struct event_base *base; /* borrowed */
	struct end from, to;
	struct event *again;
	size_t start, n; /* what is in the buffer */
	bool ended, done;
	int error;
	unsigned long long bytes;
	ctl_relay_cb cb;
	void (*gone)(void *arg); /* NULL: it ends if nobody reads any more */
	bool dropping;           /* nobody does */
	void *arg;
	char buf[BUFFER_SIZE];
};

static const struct timeval at_once;

static void relay_pump(struct ctl_relay *r);

int ctl_relay_own(int fd)
{
	int flags = fcntl(fd, F_GETFL), got = -1;
	struct stat st;
	char path[64];

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		got = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC |
					 O_NOCTTY);
	}
	if (got < 0)
		got = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return got < 0 ? -errno : got;
}

static bool is_pollable(int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC);
	bool yes;

	if (ep < 0)
		return true;
	yes = epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0 || errno != EPERM;
	close(ep);
	return yes;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_relay *r = arg;

	(void)fd;
	if (what & EV_READ)
		r->from.ready = true;
	if (what & EV_WRITE)
		r->to.ready = true;
	relay_pump(r);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	relay_pump(arg);
}

static int end_init(struct ctl_relay *r, struct end *x, short what)
{
	struct stat st;
	int flags = fcntl(x->fd, F_GETFL);

	x->pollable = is_pollable(x->fd);
	x->is_socket = fstat(x->fd, &st) == 0 && S_ISSOCK(st.st_mode);
	x->most = x->is_socket || !x->pollable || (flags & O_NONBLOCK)
			  ? BUFFER_SIZE
			  : PIPE_BUF;
	if (!x->pollable)
		return 0;
	x->ev = event_new(r->base, x->fd, what, on_ready, r);
	return x->ev ? 0 : -ENOMEM;
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

static ssize_t end_read(struct end *x, char *buf, size_t n)
{
	n = at_most(n, x->most);
	return x->is_socket ? recv(x->fd, buf, n, MSG_DONTWAIT)
			    : read(x->fd, buf, n);
}

static ssize_t end_write(struct end *x, const char *buf, size_t n)
{
	n = at_most(n, x->most);
	return x->is_socket ? send(x->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL)
			    : write(x->fd, buf, n);
}

/* True if it may be tried now; false if it has to be waited for. */
static bool end_is_ready(const struct end *x)
{
	return x->ready || !x->pollable;
}

/* What a failed read or write means. */
static void end_failed(struct ctl_relay *r, struct end *x, bool reading)
{
	x->ready = false;
	if (errno == EAGAIN || errno == EINTR)
		return;
	if (reading && errno == EIO) /* a terminal that has gone: tty_io */
		r->ended = true;
	else
		r->error = -errno;
}

static void relay_read(struct ctl_relay *r)
{
	ssize_t got = end_read(&r->from, r->buf, sizeof(r->buf));

	r->start = 0;
	if (got < 0) {
		end_failed(r, &r->from, true);
	} else if (got == 0) {
		r->ended = true;
	} else {
		r->n = r->dropping ? 0 : (size_t)got;
		/* one readiness is good for one read of a blocking one */
		r->from.ready = r->from.most == BUFFER_SIZE;
	}
}

static void relay_write(struct ctl_relay *r)
{
	ssize_t put = end_write(&r->to, r->buf + r->start, r->n);

	if (put < 0 && errno == EPIPE && r->gone) {
		r->dropping = true;
		r->n = 0;
		r->gone(r->arg);
		return;
	}
	if (put < 0) {
		end_failed(r, &r->to, false);
		return;
	}
	r->to.ready = r->to.most == BUFFER_SIZE;
	r->start += (size_t)put;
	r->n -= (size_t)put;
	r->bytes += (unsigned long long)put;
}

/* Moves what can be moved; false once it cannot go on without waiting. */
static bool relay_turn(struct ctl_relay *r)
{
	if (r->error || (r->ended && r->n == 0))
		return false;
	if (r->n > 0) {
		if (!end_is_ready(&r->to))
			return false;
		relay_write(r);
		return true;
	}
	if (!end_is_ready(&r->from))
		return false;
	relay_read(r);
	return true;
}

static void relay_finish(struct ctl_relay *r)
{
	r->done = true;
	r->cb(r->error, r->arg);
}

static bool is_over(const struct ctl_relay *r)
{
	return r->error || (r->ended && r->n == 0);
}

static int relay_wait(struct ctl_relay *r, bool again)
{
	if (again)
		return event_add(r->again, &at_once);
	return event_add(r->n > 0 ? r->to.ev : r->from.ev, NULL);
}

static void relay_pump(struct ctl_relay *r)
{
	int turns = 0;

	if (r->done)
		return;
	while (turns < TURNS_MAX && relay_turn(r))
		turns++;
	if (!is_over(r) && relay_wait(r, turns == TURNS_MAX) < 0)
		r->error = -ENOMEM;
	if (is_over(r))
		relay_finish(r);
}

struct ctl_relay *ctl_relay_new(
	struct event_base *base, int from, int to, ctl_relay_cb done, void *arg)
{
	struct ctl_relay *r = calloc(1, sizeof(*r));

	if (!r) {
		close(from);
		close(to);
		return NULL;
	}
	r->base = base;
	r->from.fd = from;
	r->to.fd = to;
	r->cb = done;
	r->arg = arg;
	r->again = evtimer_new(base, on_again, r);
	if (!r->again || end_init(r, &r->from, EV_READ) < 0 ||
		end_init(r, &r->to, EV_WRITE) < 0 ||
		event_add(r->again, &at_once) < 0) {
		ctl_relay_free(r);
		return NULL;
	}
	return r;
}

void ctl_relay_outlive(struct ctl_relay *r, void (*gone)(void *arg))
{
	r->gone = gone;
}

static void end_clear(struct end *x)
{
	if (x->ev)
		event_free(x->ev);
	close(x->fd);
}

void ctl_relay_free(struct ctl_relay *r)
{
	if (!r)
		return;
	if (r->again)
		event_free(r->again);
	end_clear(&r->from);
	end_clear(&r->to);
	free(r);
}

bool ctl_relay_is_done(const struct ctl_relay *r)
{
	return r->done;
}

unsigned long long ctl_relay_bytes(const struct ctl_relay *r)
{
	return r->bytes;
}

bool ctl_relay_is_stuck(const struct ctl_relay *r)
{
	return r->n > 0;
}
