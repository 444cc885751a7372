/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_ends.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_pty.h"
#include "util_test.h"

/* ---- watching ---- */

START_TEST(test_level_triggered)
{
	struct stream *s;
	char buf[8];
	int other;

	ends.base = event_base_new();
	s = ends_socket_with(&other);
	ck_assert_int_eq(stream_watch(s, STREAM_READ), 0);
	ck_assert_uint_eq(ends_told_in(3), 0);
	ck_assert_int_eq(write(other, "ab", 2), 2);
	ck_assert_uint_eq(ends_told_in(3), 3);
	ck_assert_uint_eq(ends.what, STREAM_READ);
	ck_assert_int_eq(stream_read(s, buf, 1), 1);
	ck_assert_uint_eq(ends_told_in(3), 3);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 1);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), -EAGAIN);
	ck_assert_uint_eq(ends_told_in(3), 0);
	close(other); /* the end counts as ready */
	ck_assert_uint_eq(ends_told_in(3), 3);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 0);
	stream_close(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_watch_changes)
{
	static const unsigned steps[] = {STREAM_WRITE, STREAM_WRITE,
		STREAM_READ | STREAM_WRITE, STREAM_READ, 0, 0, STREAM_READ,
		STREAM_WRITE, 0, STREAM_READ | STREAM_WRITE};
	struct stream *s;
	unsigned i;
	int other;

	ends.base = event_base_new();
	s = ends_socket_with(&other);
	ck_assert_int_eq(stream_watch(s, 0), 0);
	ck_assert_int_eq(write(other, "x", 1), 1);
	for (i = 0; i < LENGTH(steps); i++) {
		ck_assert_int_eq(stream_watch(s, steps[i]), 0);
		ck_assert_uint_eq(ends_told_in(2), steps[i] ? 2 : 0);
		ck_assert_uint_eq(ends.what, steps[i]);
	}
	stream_close(s);
	close(other);
	event_base_free(ends.base);
}
END_TEST

/* epoll(7) knows no regular files. */
START_TEST(test_always_ready)
{
	static const char *const paths[] = {"file", "/dev/null"};
	struct stream *s;
	unsigned i;

	ends.base = event_base_new();
	put_text("file", "");
	for (i = 0; i < LENGTH(paths); i++) {
		s = ends_stream_of(open(paths[i], O_RDWR | O_CLOEXEC));
		ck_assert_int_eq(stream_watch(s, STREAM_WRITE), 0);
		ck_assert_uint_eq(ends_told_in(3), 3);
		ck_assert_uint_eq(ends.what, STREAM_WRITE);
		ck_assert_int_eq(
			stream_watch(s, STREAM_READ | STREAM_WRITE), 0);
		ck_assert_uint_eq(ends_told_in(3), 3);
		ck_assert_uint_eq(ends.what, STREAM_READ | STREAM_WRITE);
		ck_assert_int_eq(stream_watch(s, 0), 0);
		ck_assert(loop_is_idle(ends.base));
		ck_assert_int_eq(stream_watch(s, STREAM_READ), 0);
		ck_assert_uint_eq(ends_told_in(3), 3);
		stream_close(s);
		ck_assert(loop_is_idle(ends.base));
	}
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_close_from_callback)
{
	int other;

	ends.base = event_base_new();
	ends.close = true;
	stream_watch(ends_socket_with(&other), STREAM_READ | STREAM_WRITE);
	ck_assert_uint_eq(ends_told_in(3), 1);
	close(other);
	stream_watch(ends_stream_of(open("/dev/null", O_RDWR | O_CLOEXEC)),
		STREAM_READ | STREAM_WRITE);
	ck_assert_uint_eq(ends_told_in(3), 1);
	ck_assert(loop_is_idle(ends.base));
	stream_close(NULL);
	event_base_free(ends.base);
}
END_TEST

/* ---- kinds ---- */

START_TEST(test_terminal)
{
	int master, slave;
	struct stream *s;
	char buf[8];

	ends.base = event_base_new();
	master = pty_open(&slave);
	s = ends_stream_of(master);
	ck_assert_int_eq(write(slave, "bye", 3), 3);
	close(slave);
	stream_watch(s, STREAM_READ);
	ck_assert_uint_eq(ends_told_in(2), 2);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 3);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 0);
	stream_close(s);

	master = pty_open(&slave);
	s = ends_stream_of(slave);
	close(master);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 0);
	ck_assert_int_eq(stream_write(s, "x", 1), -EPIPE);
	stream_close(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_pipe_for_child)
{
	struct stream *from, *to;
	struct endpoint *in, *out;
	char buf[8];

	ends.base = event_base_new();
	ck_assert_int_eq(stream_pipe_from_child(ends.base, &from, &out), 0);
	ck_assert_int_eq(stream_pipe_to_child(ends.base, &to, &in), 0);
	ck_assert_int_eq(write(endpoint_fd(out), "out", 3), 3);
	ck_assert_int_eq(stream_write(to, "in", 2), 2);
	ck_assert_int_eq(stream_read(from, buf, sizeof(buf)), 3);
	ck_assert_int_eq(stream_read(from, buf, sizeof(buf)), -EAGAIN);
	ck_assert_int_eq(read(endpoint_fd(in), buf, sizeof(buf)), 2);
	/* the child's ends block, as programs expect */
	ck_assert(!(fcntl(endpoint_fd(in), F_GETFL) & O_NONBLOCK));
	ck_assert(!(fcntl(endpoint_fd(out), F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(fcntl(endpoint_fd(in), F_GETFD), FD_CLOEXEC);
	endpoint_close(in);
	endpoint_close(out);
	endpoint_close(NULL);
	ck_assert_int_eq(stream_read(from, buf, sizeof(buf)), 0);
	ck_assert_int_eq(stream_write(to, "x", 1), -EPIPE);
	stream_close(from);
	stream_close(to);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_zero_bytes)
{
	struct stream *s;
	int other;

	ends.base = event_base_new();
	s = ends_socket_with(&other);
	ck_assert_int_eq(stream_write(s, "", 0), 0);
	ck_assert_int_eq(shutdown(other, SHUT_WR), 0);
	ck_assert_int_eq(stream_write(s, "", 0), 0);
	ck_assert_int_eq(stream_write(s, "x", 1), 1);
	close(other); /* with a byte that was not read */
	ck_assert_int_eq(stream_write(s, "", 0), -EPIPE);
	ck_assert_int_eq(stream_write(s, "x", 1), -EPIPE);
	stream_close(s);
	s = ends_pipe_to(&other);
	ck_assert_int_eq(stream_write(s, "", 0), 0);
	close(other);
	ck_assert_int_eq(stream_write(s, "x", 1), -EPIPE);
	stream_close(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_pending)
{
	struct stream *s;
	int other;

	ends.base = event_base_new();
	s = ends_pipe_from(&other);
	ck_assert_uint_eq(stream_pending(s), 0);
	ck_assert_int_eq(write(other, "four", 4), 4);
	ck_assert_uint_eq(stream_pending(s), 4);
	stream_close(s);
	close(other);
	ck_assert_int_eq(stream_open_null(ends.base, &s), 0);
	ck_assert_uint_eq(stream_pending(s), 0);
	stream_close(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_log)
{
	struct stream *s;
	struct stat st;
	struct err e = {0};
	char buf[16];

	ends.base = event_base_new();
	put_text("log", "old ");
	ck_assert_int_eq(stream_open_log(ends.base, here("log"), &s, &e), 0);
	ck_assert_int_eq(stream_write(s, "new", 3), 3);
	stream_close(s);
	get_file("log", buf, sizeof(buf));
	ck_assert_str_eq(buf, "old new");
	ck_assert_int_eq(
		stream_open_log(ends.base, here("a/b/log"), &s, &e), 0);
	stream_close(s);
	ck_assert_int_eq(stat("a/b", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
	ck_assert_int_eq(stat("a/b/log", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(
		stream_open_log(ends.base, here("a/b"), &s, &e), -EISDIR);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(
		stream_open_log(ends.base, here("fifo"), &s, &e), -ENXIO);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_endpoints)
{
	struct endpoint *ep;
	struct stat st;
	char buf[8];

	ck_assert_int_eq(endpoint_null(&ep), 0);
	ck_assert_int_eq(write(endpoint_fd(ep), "x", 1), 1);
	ck_assert_int_eq(read(endpoint_fd(ep), buf, 1), 0);
	endpoint_close(ep);
	put_text("file", "ab");
	ck_assert_int_eq(endpoint_append("file", &ep), 0);
	ck_assert_int_eq(write(endpoint_fd(ep), "c", 1), 1);
	endpoint_close(ep);
	get_file("file", buf, sizeof(buf));
	ck_assert_str_eq(buf, "abc");
	ck_assert_int_eq(endpoint_append("new", &ep), 0);
	if (is_root())
		ck_assert_int_eq(endpoint_chown(ep, 65534, 65533), 0);
	endpoint_close(ep);
	ck_assert_int_eq(stat("new", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	if (is_root())
		ck_assert_uint_eq(st.st_gid, 65533);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(endpoint_append("link", &ep), -ELOOP);
}
END_TEST

/* ---- FIFOs ---- */

START_TEST(test_fifo_readers_come_and_go)
{
	struct stream *s;
	char buf[16];
	int fd;

	ends.base = event_base_new();
	s = ends_fifo_with("fifo");
	ck_assert_int_eq(stream_write(s, "first", 5), 5);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(read(fd, buf, 5), 5);
	close(fd);
	ck_assert_int_eq(stream_write(s, "second", 6), 6);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 6);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), -1); /* no end yet */
	ck_assert_int_eq(errno, EAGAIN);
	stream_close(s);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 0);
	close(fd);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_fifo_writers_come_and_go)
{
	struct stream *s;
	char buf[16];
	int fd, i;

	ends.base = event_base_new();
	s = ends_fifo_with("fifo");
	stream_watch(s, STREAM_READ);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(ends_told_in(3), 0);
		ck_assert_int_eq(stream_read(s, buf, 1), -EAGAIN);
		fd = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		ck_assert_int_eq(write(fd, "abc", 3), 3);
		close(fd);
		ck_assert_uint_eq(ends_told_in(3), 3);
		ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 3);
	}
	stream_close(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_fifo_that_is_none)
{
	struct stream *s = NULL;
	struct err e = {0};

	ends.base = event_base_new();
	put_text("file", "");
	ck_assert_int_eq(stream_open_fifo(ends.base, "file", &s, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "'file' is no FIFO"));
	ck_assert_int_eq(
		stream_open_fifo(ends.base, "/dev/null", &s, &e), -EINVAL);
	ck_assert_int_eq(stream_open_fifo(ends.base, "gone", &s, &e), -ENOENT);
	ck_assert_int_eq(stream_open_fifo(ends.base, ".", &s, &e), -EISDIR);
	ck_assert_ptr_null(s);
	event_base_free(ends.base);
}
END_TEST

START_TEST(test_linger)
{
	struct stream *s;
	char buf[8];
	int fd, other;

	ends.base = event_base_new();
	s = ends_fifo_with("fifo");
	ck_assert_int_eq(stream_linger(s), STREAM_TAKEN); /* empty */
	ck_assert_int_eq(stream_write(s, "last", 4), 4);
	stream_watch(s, STREAM_WRITE);
	ck_assert_int_eq(stream_linger(s), STREAM_LEFT_ALONE);
	ck_assert_int_eq(stream_linger(s), STREAM_LEFT_ALONE);
	ck_assert_uint_eq(ends_told_in(3), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(stream_linger(s), STREAM_BEING_READ);
	close(fd); /* went without reading */
	ck_assert_int_eq(stream_linger(s), STREAM_LEFT_ALONE);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 4);
	close(fd);
	ck_assert_int_eq(stream_linger(s), STREAM_TAKEN);
	stream_close(s);
	/* not a FIFO with a name */
	s = ends_pipe_to(&other);
	ck_assert_int_eq(stream_write(s, "x", 1), 1);
	ck_assert_int_eq(stream_linger(s), STREAM_TAKEN);
	stream_close(s);
	close(other);
	s = ends_socket_with(&other);
	ck_assert_int_eq(stream_linger(s), STREAM_TAKEN);
	stream_close(s);
	close(other);
	event_base_free(ends.base);
}
END_TEST

/* ---- moving ---- */

static struct stream *source(char kind, int *other)
{
	*other = -1;
	if (kind == 'p')
		return ends_pipe_from(other);
	if (kind == 's')
		return ends_socket_with(other);
	if (kind == 'n')
		return ends_stream_of(open("/dev/null", O_RDWR | O_CLOEXEC));
	if (kind == 'r')
		put_text("from", "moved");
	return ends_stream_of(open("from", O_RDONLY | O_CLOEXEC));
}

static struct stream *destination(char kind, int *other)
{
	*other = -1;
	if (kind == 'p')
		return ends_pipe_to(other);
	if (kind == 's')
		return ends_socket_with(other);
	if (kind == 'n')
		return ends_stream_of(open("/dev/null", O_RDWR | O_CLOEXEC));
	if (kind == 'a')
		return ends_stream_of(open(
			"to", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	return ends_stream_of(open("to", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* What stream_move() says about five bytes in a source of this kind. */
static ssize_t move(const char *pair)
{
	struct stream *from, *to;
	int in, out;
	ssize_t n;

	from = source(pair[0], &in);
	to = destination(pair[1], &out);
	if (in >= 0)
		ck_assert_int_eq(write(in, "moved", 5), 5);
	n = stream_move(from, to, 100);
	if (n > 0 && out >= 0) {
		char buf[8];

		ck_assert_int_eq(read(out, buf, sizeof(buf)), n);
		ck_assert_mem_eq(buf, "moved", 5);
	}
	stream_close(from);
	stream_close(to);
	fd_close(&in);
	fd_close(&out);
	return n;
}

START_TEST(test_move_every_pair)
{
	static const struct {
		const char *pair;
		ssize_t n;
	} cases[] = {{"pp", 5}, {"ps", 5}, {"pn", 5}, {"pr", 5}, {"sp", 5},
		{"rp", 5}, {"np", -EOPNOTSUPP}, {"ss", -EOPNOTSUPP},
		{"sn", -EOPNOTSUPP}, {"sr", -EOPNOTSUPP}, {"rs", -EOPNOTSUPP},
		{"pa", -EOPNOTSUPP}, {"rr", -EOPNOTSUPP}};
	unsigned i;

	ends.base = event_base_new();
	for (i = 0; i < LENGTH(cases); i++)
		ck_assert_msg(
			move(cases[i].pair) == cases[i].n, "%s", cases[i].pair);
	event_base_free(ends.base);
}
END_TEST

static void move_errors(char from_kind, char to_kind)
{
	struct stream *from = NULL, *to = NULL;
	int in, out;
	ssize_t n;

	from = source(from_kind, &in);
	to = destination(to_kind, &out);
	ck_assert_int_eq(stream_move(from, to, 100), -EAGAIN);
	ends_fill(to);
	ck_assert_int_eq(stream_move(from, to, 100), -EAGAIN);
	ck_assert_int_eq(write(in, "abc", 3), 3);
	ck_assert_int_eq(stream_move(from, to, 100), -ENOBUFS);
	close(out);
	ck_assert_int_eq(stream_move(from, to, 100), -EPIPE);
	stream_close(to);
	to = destination(to_kind, &out);
	close(in);
	ck_assert_int_gt(stream_move(from, to, 100), 0);
	ends_fill(to);
	n = stream_move(from, to, 100);
	/* both are true; a socket's end can't be seen without reading */
	ck_assert(n == 0 || (from_kind == 's' && n == -ENOBUFS));
	stream_close(to);
	close(out);
	to = destination(to_kind, &out);
	ck_assert_int_eq(stream_move(from, to, 100), 0);
	stream_close(from);
	stream_close(to);
	close(out);
}

START_TEST(test_move_errors)
{
	ends.base = event_base_new();
	move_errors('p', 'p');
	move_errors('p', 's');
	move_errors('s', 'p');
	event_base_free(ends.base);
}
END_TEST

/* ---- connecting ---- */

START_TEST(test_connect)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "sock"};
	char name[200];
	struct stream *s = NULL;
	struct err e = {0};
	int fd, i, r;

	ends.base = event_base_new();
	ck_assert_int_eq(stream_connect(ends.base, "gone", &s, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "connect to 'gone'"));
	memset(name, 'n', sizeof(name));
	name[199] = '\0';
	ck_assert_int_eq(
		stream_connect(ends.base, name, &s, &e), -ENAMETOOLONG);
	ck_assert_int_eq(
		stream_connect(ends.base, here(name), &s, &e), -ENAMETOOLONG);
	ck_assert_int_eq(stream_connect(ends.base, "unix://", &s, &e), -EINVAL);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(
		stream_connect(ends.base, "sock", &s, &e), -ECONNREFUSED);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(listen(fd, 1), 0);
	for (i = 0, r = 0; i < 10 && r == 0; i++) {
		r = stream_connect(ends.base, here("sock"), &s, &e);
		if (r == 0)
			stream_close(s);
	}
	ck_assert_int_eq(r, -EAGAIN); /* nobody accepts */
	close(fd);
	event_base_free(ends.base);
}
END_TEST

/* ---- memory ---- */

/* One of each, with the nth allocation failing. */
static void live(unsigned n)
{
	struct endpoint *eps[4] = {0};
	struct stream *ss[6] = {0};
	unsigned i;
	int other;

	oom_at(n);
	if (stream_pipe_from_child(ends.base, &ss[0], &eps[0]) == 0)
		stream_watch(ss[0], STREAM_READ);
	stream_pipe_to_child(ends.base, &ss[1], &eps[1]);
	if (stream_open_fifo(ends.base, "fifo", &ss[2], NULL) == 0 &&
		stream_watch(ss[2], STREAM_READ) == 0)
		stream_watch(ss[2], STREAM_READ | STREAM_WRITE);
	if (stream_open_log(ends.base, "log", &ss[3], NULL) == 0)
		stream_watch(ss[3], STREAM_WRITE);
	stream_open_null(ends.base, &ss[4]);
	other = stream_connect(ends.base, "sock", &ss[5], NULL);
	endpoint_null(&eps[2]);
	endpoint_append("log", &eps[3]);
	oom_off();
	ck_assert(other == 0 || other == -ENOMEM);
	for (i = 0; i < LENGTH(ss); i++)
		stream_close(ss[i]);
	for (i = 0; i < LENGTH(eps); i++)
		endpoint_close(eps[i]);
}

START_TEST(test_out_of_memory)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "sock"};
	unsigned fds;
	int fd;

	oom_begin();
	ends.base = event_base_new();
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	fds = count_fds();
	OOM_SWEEP(n)
	{
		live(n);
		ck_assert_uint_eq(count_fds(), fds);
	}
	close(fd);
	event_base_free(ends.base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_level_triggered, test_watch_changes,
		test_always_ready, test_close_from_callback, test_terminal,
		test_pipe_for_child, test_zero_bytes, test_pending, test_log,
		test_endpoints, test_fifo_readers_come_and_go,
		test_fifo_writers_come_and_go, test_fifo_that_is_none,
		test_linger, test_move_every_pair, test_move_errors,
		test_connect, test_out_of_memory, NULL};

	return suite_run("stream", tests);
}
