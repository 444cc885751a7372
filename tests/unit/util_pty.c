/* SPDX-License-Identifier: Apache-2.0 */
#include "util_pty.h"

#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "platform/linux/address.h"
#include "platform/linux/fd.h"
#include "util_test.h"

int pty_open(int *ret_slave)
{
	struct termios raw;
	int master;

	ck_assert_int_eq(openpty(&master, ret_slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(*ret_slave, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(*ret_slave, TCSANOW, &raw), 0);
	return master;
}

int pty_connect(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (address_connect(fd, path) < 0)
		fd_close(&fd);
	return fd;
}

void pty_send(int sock, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(64 * sizeof(int))];
	} control = {0};
	char name[] = "/dev/pts/0";
	struct iovec iov = {name, sizeof(name)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;

	ck_assert_uint_le(n, 64);
	if (n > 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(sock, &msg, 0), sizeof(name));
}

void pty_give(const char *path, int fd)
{
	int sock = pty_connect(path);

	ck_assert_int_ge(sock, 0);
	pty_send(sock, &fd, 1);
	close(sock);
}
