/* SPDX-License-Identifier: Apache-2.0 */
#include "util_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_test.h"

struct ends ends;

static void on_ready(struct stream *s, unsigned what, void *arg)
{
	ck_assert_ptr_eq(arg, &ends);
	ends.times++;
	ends.what = what;
	if (ends.close)
		stream_close(s);
}

struct stream *ends_stream_of(int fd)
{
	struct stream *s;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stream_from_fd(ends.base, fd, &s), 0);
	stream_set_cb(s, on_ready, &ends);
	return s;
}

/* The stream's end of a pair, and in *other the test's. */
struct stream *ends_socket_with(int *other)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*other = fds[1];
	return ends_stream_of(fds[0]);
}

struct stream *ends_pipe_from(int *other)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	*other = fds[1];
	return ends_stream_of(fds[0]);
}

struct stream *ends_pipe_to(int *other)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	*other = fds[0];
	return ends_stream_of(fds[1]);
}

struct stream *ends_fifo_with(const char *path)
{
	struct stream *s;
	struct err e;

	if (!file_exists(path))
		ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(stream_open_fifo(ends.base, path, &s, &e), 0);
	stream_set_cb(s, on_ready, &ends);
	return s;
}

/* What the loop tells in so many turns. */
unsigned ends_told_in(unsigned turns)
{
	ends.times = ends.what = 0;
	while (turns-- > 0)
		loop_turn(ends.base);
	return ends.times;
}

void ends_fill(struct stream *s)
{
	static char zeros[65536];
	ssize_t n;

	do {
		n = stream_write(s, zeros, sizeof(zeros));
	} while (n > 0);
	ck_assert_int_eq(n, -EAGAIN);
}
