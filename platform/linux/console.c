/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/console.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "platform/linux/address.h"
#include "platform/linux/fd.h"

struct console {
	struct event_base *base; /* borrowed */
	char *path;              /* NULL once removed */
	int listen_fd;
	int master;
};

static void console_unlisten(struct console *c)
{
	if (c->path)
		unlink(c->path);
	free(c->path);
	c->path = NULL;
	fd_close(&c->listen_fd);
}

static int console_listen(struct console *c)
{
	unlink(c->path);
	c->listen_fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return -errno;
	/* nobody else can connect between bind and chmod: not listening yet */
	if (address_bind(c->listen_fd, c->path) < 0 ||
		chmod(c->path, 0600) < 0 || listen(c->listen_fd, 1) < 0)
		return -errno;
	return 0;
}

int console_new(struct event_base *base, const char *dir, const char *name,
	struct console **ret, struct err *e)
{
	struct console *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a console");
	c->base = base;
	c->listen_fd = c->master = -1;
	if (asprintf(&c->path, "%s/%s", dir, name) < 0) {
		c->path = NULL;
		console_close(c);
		return err_set(e, -ENOMEM, "no memory for a console");
	}
	r = console_listen(c);
	if (r < 0) {
		err_sys(e, r, "console socket '%s'", c->path);
		console_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* unix(7): SCM_RIGHTS. Every descriptor that came is taken or closed. */
static int receive_fd(int conn)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(4 * sizeof(int))];
	} control;
	char data[4096]; /* the runtime sends a name along */
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	struct cmsghdr *h;
	int fd = -1;

	if (recvmsg(conn, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	for (h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		size_t i, n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(h) + i * sizeof(int),
				sizeof(int));
			if (fd < 0)
				fd = got;
			else
				close(got);
		}
	}
	return fd < 0 ? -EPROTO : fd;
}

const char *console_socket(const struct console *c)
{
	return c->path;
}

static int console_streams(struct console *c, struct stream **ret_output,
	struct stream **ret_input)
{
	struct stream *output;
	int r;

	r = stream_from_fd(
		c->base, fcntl(c->master, F_DUPFD_CLOEXEC, 0), &output);
	if (r < 0)
		return r;
	r = stream_from_fd(
		c->base, fcntl(c->master, F_DUPFD_CLOEXEC, 0), ret_input);
	if (r < 0)
		stream_close(output);
	else
		*ret_output = output;
	return r;
}

int console_receive(struct console *c, struct stream **ret_output,
	struct stream **ret_input, struct err *e)
{
	auto_fd int conn = -1, fd = -1;
	int r;

	conn = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (conn < 0)
		return err_set(e, -EPROTO,
			"the runtime never connected to the console socket");
	fd = receive_fd(conn);
	if (fd < 0 || !isatty(fd))
		return err_set(e, -EPROTO,
			"the runtime sent no terminal over the console socket");
	console_unlisten(c);
	c->master = fd_take(&fd);
	r = console_streams(c, ret_output, ret_input);
	return r < 0 ? err_sys(e, r, "console") : 0;
}

int console_resize(struct console *c, uint32_t width, uint32_t height)
{
	struct winsize ws = {.ws_row = (unsigned short)height,
		.ws_col = (unsigned short)width};

	if (c->master < 0)
		return -ENOTTY;
	if (width > 65535 || height > 65535)
		return -EINVAL;
	return ioctl(c->master, TIOCSWINSZ, &ws) < 0 ? -errno : 0;
}

void console_finish(struct console *c)
{
	(void)c;
}

void console_close(struct console *c)
{
	if (!c)
		return;
	console_unlisten(c);
	fd_close(&c->master);
	free(c);
}
