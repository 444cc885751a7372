/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "platform/linux/fd.h"
#include "platform/listener.h"
#include "platform/seccomp.h"
#include "platform/text.h"

/* Calls that one filter gets answered before the loop goes on. */
#define CALLS_PER_TURN 64

/* Runtimes that are about to send something, and how much that may be. */
#define CONNECTIONS_MAX 64
#define STATE_MAX (16U << 20)
#define FDS_MAX 4

/* A runtime that sends the state of its container. */
struct sender {
	struct sender *next;
	struct seccomp_agent *agent;
	struct stream *stream;
	size_t n; /* bytes so far */
};

struct notifier {
	struct notifier *next;
	struct seccomp_agent *agent;
	int fd;
	struct event *ev;
};

struct seccomp_agent {
	struct event_base *base; /* borrowed */
	const struct seccomp_agent_ops *ops;
	void *arg;
	struct listener *listener;
	struct sender *senders;
	struct notifier *notifiers;
	unsigned n_senders, n_notifiers;
	struct seccomp_notif_sizes sizes;
	char *address;
};

static void notifier_close(struct notifier *n)
{
	event_free(n->ev);
	fd_close(&n->fd);
	free(n);
}

static void notifier_free(struct notifier *n)
{
	struct notifier **at = &n->agent->notifiers;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->agent->n_notifiers--;
	notifier_close(n);
}

static void read_comm(struct seccomp_call *call)
{
	char path[64];
	auto_fd int fd = -1;
	ssize_t n;

	if (call->pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)call->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, call->comm, sizeof(call->comm));
	if (n > 0)
		call->comm[n - 1] = '\0'; /* the newline */
	else
		call->comm[0] = '\0';
	text_make_printable(call->comm);
}

/* The kernel's structs may be larger than those that we were built with. */
static int receive(const struct notifier *n, struct seccomp_notif *ret)
{
	union {
		struct seccomp_notif notif;
		char room[512];
	} u;

	if (n->agent->sizes.seccomp_notif > sizeof(u))
		return -E2BIG;
	memset(&u, 0, sizeof(u));
	if (ioctl(n->fd, SECCOMP_IOCTL_NOTIF_RECV, &u) < 0)
		return -errno;
	*ret = u.notif;
	return 0;
}

static int reply(const struct notifier *n, uint64_t id, uint32_t verdict)
{
	union {
		struct seccomp_notif_resp resp;
		char room[512];
	} u;

	memset(&u, 0, sizeof(u));
	u.resp.id = id;
	if ((verdict & ~SECCOMP_SAYS_DATA) == SECCOMP_SAYS_ERRNO)
		u.resp.error = -(int)(verdict & SECCOMP_SAYS_DATA);
	else
		u.resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	return ioctl(n->fd, SECCOMP_IOCTL_NOTIF_SEND, &u) < 0 ? -errno : 0;
}

/* -ENOENT: whoever called did not wait, as a signal came. */
static int answer_one(const struct notifier *n)
{
	const struct seccomp_agent *a = n->agent;
	struct seccomp_notif notif = {0};
	struct seccomp_call call = {0};
	int r = receive(n, &notif);

	if (r < 0)
		return r;
	call.arch = notif.data.arch;
	call.nr = notif.data.nr;
	call.ip = notif.data.instruction_pointer;
	memcpy(call.args, notif.data.args, sizeof(call.args));
	call.pid = notif.pid;
	read_comm(&call);
	r = reply(n, notif.id, a->ops->decide(&call, a->arg));
	if (r == 0 && a->ops->answered)
		a->ops->answered(a->arg);
	return r;
}

static void notifier_ready(evutil_socket_t fd, short what, void *arg)
{
	struct notifier *n = arg;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int i, r = 0;

	(void)what;
	for (i = 0; i < CALLS_PER_TURN; i++) {
		if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
			break;
		r = answer_one(n);
		if (r < 0 && r != -ENOENT && r != -EINTR)
			break;
	}
	/* the last process under this filter is gone, or the kernel is not
	 * what we take it for: then it answers ENOSYS */
	if (r == -E2BIG || r == -EINVAL ||
		(p.revents & (POLLHUP | POLLERR | POLLNVAL) &&
			!(p.revents & POLLIN)))
		notifier_free(n);
}

/* A descriptor is a filter's if it understands its calls: there is no call of
 * number 0. */
static bool is_notifier(int fd)
{
	uint64_t id = 0;

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 &&
	       errno == ENOENT;
}

static void add_notifier(struct seccomp_agent *a, int fd)
{
	struct notifier *n = calloc(1, sizeof(*n));

	if (n)
		n->ev = event_new(
			a->base, fd, EV_READ | EV_PERSIST, notifier_ready, n);
	if (!n || !n->ev || event_add(n->ev, NULL) < 0) {
		if (n && n->ev)
			event_free(n->ev);
		free(n);
		close(fd); /* the kernel answers ENOSYS */
		a->ops->refused("no memory for a seccomp filter", a->arg);
		return;
	}
	n->agent = a;
	n->fd = fd;
	n->next = a->notifiers;
	a->notifiers = n;
	a->n_notifiers++;
}

/* Takes exactly one of what came along; the rest is closed. */
static void take_fds(struct seccomp_agent *a, struct msghdr *m)
{
	struct cmsghdr *c;
	int fds[FDS_MAX], n = 0, i;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t got = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; (size_t)i < got / sizeof(int) && n < FDS_MAX; i++)
			memcpy(&fds[n++],
				CMSG_DATA(c) + (size_t)i * sizeof(int),
				sizeof(int));
	}
	if (n == 1 && !(m->msg_flags & MSG_CTRUNC) && is_notifier(fds[0])) {
		add_notifier(a, fds[0]);
		return;
	}
	for (i = 0; i < n; i++)
		close(fds[i]);
	if (n > 0)
		a->ops->refused("what was sent to the seccomp listener is not "
				"one filter's descriptor",
			a->arg);
}

static void sender_close(struct sender *s)
{
	stream_close(s->stream);
	free(s);
}

static void sender_free(struct sender *s)
{
	struct sender **at = &s->agent->senders;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->agent->n_senders--;
	sender_close(s);
}

/* The state itself is read, so that the runtime can write it, and not used. */
static void sender_ready(struct stream *stream, unsigned what, void *arg)
{
	struct sender *s = arg;
	char text[4096];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {text, sizeof(text)};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n =
		recvmsg(stream_fd(stream), &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		take_fds(s->agent, &m);
		s->n += (size_t)n;
	}
	if (n <= 0 || s->n > STATE_MAX)
		sender_free(s);
}

static void accepted(struct stream *stream, void *arg)
{
	struct seccomp_agent *a = arg;
	struct sender *s = calloc(1, sizeof(*s));

	if (!s || a->n_senders >= CONNECTIONS_MAX) {
		free(s);
		stream_close(stream);
		a->ops->refused("too many connections, or no memory", a->arg);
		return;
	}
	s->agent = a;
	s->stream = stream;
	s->next = a->senders;
	a->senders = s;
	a->n_senders++;
	stream_set_cb(stream, sender_ready, s);
	if (stream_watch(stream, STREAM_READ) < 0)
		sender_free(s);
}

static int listen_at(struct seccomp_agent *a, struct err *e)
{
	int r = listener_bind(a->address, &a->listener, e);

	if (r == -EADDRINUSE && listener_probe(a->address) < 0 &&
		listener_unlink(a->address) == 0)
		r = listener_bind(a->address, &a->listener, e);
	if (r < 0)
		return r;
	r = listener_start(a->listener, a->base, accepted, a);
	return r < 0 ? err_sys(e, r, "listen for seccomp filters") : 0;
}

int seccomp_agent_new(struct event_base *base, const char *address,
	const struct seccomp_agent_ops *ops, void *arg,
	struct seccomp_agent **ret, struct err *e)
{
	struct seccomp_agent *a = calloc(1, sizeof(*a));
	int r;

	if (a)
		a->address = strdup(address);
	if (!a || !a->address) {
		free(a);
		return err_set(e, -ENOMEM, "no memory for a seccomp agent");
	}
	a->base = base;
	a->ops = ops;
	a->arg = arg;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &a->sizes) < 0)
		r = err_sys(e, -errno, "seccomp notifications");
	else
		r = listen_at(a, e);
	if (r < 0) {
		if (a->listener)
			listener_unlink(a->address);
		listener_close(a->listener);
		free(a->address);
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

unsigned seccomp_agent_filters(const struct seccomp_agent *a)
{
	return a->n_notifiers;
}

void seccomp_agent_free(struct seccomp_agent *a)
{
	struct sender *s, *next_s;
	struct notifier *n, *next_n;

	if (!a)
		return;
	for (s = a->senders; s; s = next_s) {
		next_s = s->next;
		sender_close(s);
	}
	for (n = a->notifiers; n; n = next_n) {
		next_n = n->next;
		notifier_close(n);
	}
	listener_close(a->listener);
	listener_unlink(a->address);
	free(a->address);
	free(a);
}
