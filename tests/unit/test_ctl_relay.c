/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_test.h"

enum { LOTS = 3000000 };

struct scene {
	struct event_base *base;
	struct ctl_relay *relay;
	unsigned n_done, n_gone;
	int error;
};

static void on_done(int error, void *arg)
{
	struct scene *s = arg;

	s->n_done++;
	s->error = error;
}

static void begin(struct scene *s, int from, int to)
{
	*s = (struct scene){.base = event_base_new()};
	s->relay = ctl_relay_new(s->base, from, to, on_done, s);
	ck_assert_ptr_nonnull(s->relay);
	ck_assert_uint_eq(s->n_done, 0);
}

static void end(struct scene *s)
{
	ctl_relay_free(s->relay);
	event_base_free(s->base);
}

static char pattern(size_t at)
{
	return (char)((at * 2654435761u) >> 13);
}

static void set_nonblocking(int fd)
{
	ck_assert_int_eq(
		fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL)), 0);
}

/* Writes and reads as much as goes; the relay's ends are others. */
static void pump(struct scene *s, int in, int out)
{
	size_t put = 0, got = 0, i;
	char buf[4096];
	ssize_t r;

	set_nonblocking(in);
	set_nonblocking(out);
	while (got < LOTS) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = pattern(put + i);
		i = LOTS - put < sizeof(buf) ? LOTS - put : sizeof(buf);
		r = i ? write(in, buf, i) : 0;
		put += r > 0 ? (size_t)r : 0;
		if (put == LOTS && in >= 0) {
			close(in);
			in = -1;
		}
		loop_turn(s->base);
		r = read(out, buf, sizeof(buf));
		for (i = 0; r > 0 && i < (size_t)r; i++)
			ck_assert(buf[i] == pattern(got + i));
		got += r > 0 ? (size_t)r : 0;
	}
	ck_assert(wait_for(s->base, s->n_done == 1));
	ck_assert_int_eq(s->error, 0);
	ck_assert(ctl_relay_is_done(s->relay));
	ck_assert_uint_eq(ctl_relay_bytes(s->relay), LOTS);
}

START_TEST(test_blocking_pipes)
{
	struct scene s;
	int a[2], b[2];

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	begin(&s, a[0], b[1]);
	pump(&s, a[1], b[0]);
	end(&s);
	close(b[0]);
}
END_TEST

START_TEST(test_sockets)
{
	struct scene s;
	int a[2], b[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), 0);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), 0);
	begin(&s, a[0], b[1]);
	pump(&s, a[1], b[0]);
	end(&s);
	close(b[0]);
}
END_TEST

START_TEST(test_files)
{
	char *text = malloc(LOTS), *copy = malloc(LOTS + 1);
	struct scene s;
	size_t i;

	for (i = 0; i < LOTS; i++)
		text[i] = pattern(i);
	put_file("from", text, LOTS);
	begin(&s, open("from", O_RDONLY | O_CLOEXEC),
		open("to", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert(wait_for(s.base, s.n_done == 1));
	ck_assert_int_eq(s.error, 0);
	end(&s);
	ck_assert_uint_eq(get_file("to", copy, LOTS + 1), LOTS);
	ck_assert_mem_eq(text, copy, LOTS);
	free(text);
	free(copy);
}
END_TEST

START_TEST(test_reader_gone)
{
	struct scene s;
	int a[2], b[2];

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	begin(&s, a[0], b[1]);
	close(b[0]);
	ck_assert_int_eq(write(a[1], "x", 1), 1);
	ck_assert(wait_for(s.base, s.n_done == 1));
	ck_assert_int_eq(s.error, -EPIPE);
	end(&s);
	close(a[1]);
}
END_TEST

static void on_gone(void *arg)
{
	struct scene *s = arg;

	s->n_gone++;
}

static bool is_empty(int pipe)
{
	int n = -1;

	return ioctl(pipe, FIONREAD, &n) == 0 && n == 0;
}

/* It takes all that comes, tells once, and ends with the source. */
START_TEST(test_outlives_the_reader)
{
	static char data[60000];
	struct scene s;
	int a[2], b[2], i;

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	begin(&s, a[0], b[1]);
	ctl_relay_outlive(s.relay, on_gone);
	close(b[0]);
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(
			write(a[1], data, sizeof(data)), (ssize_t)sizeof(data));
		ck_assert(wait_for(s.base, is_empty(a[1])));
	}
	ck_assert_uint_eq(s.n_gone, 1);
	ck_assert_uint_eq(s.n_done, 0);
	close(a[1]);
	ck_assert(wait_for(s.base, s.n_done == 1));
	ck_assert_int_eq(s.error, 0);
	end(&s);
}
END_TEST

START_TEST(test_disk_full)
{
	struct scene s;
	int a[2];

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	begin(&s, a[0], open("/dev/full", O_WRONLY | O_CLOEXEC));
	ck_assert_int_eq(write(a[1], "x", 1), 1);
	ck_assert(wait_for(s.base, s.n_done == 1));
	ck_assert_int_eq(s.error, -ENOSPC);
	end(&s);
	close(a[1]);
}
END_TEST

/* A FIFO that nobody has opened yet is no end: fifo(7). */
START_TEST(test_fifo)
{
	struct scene s;
	int b[2], in;

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	begin(&s, open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC), b[1]);
	ck_assert(loop_is_idle(s.base) || s.n_done == 0);
	ck_assert_uint_eq(s.n_done, 0);
	in = open("fifo", O_WRONLY | O_CLOEXEC);
	pump(&s, in, b[0]);
	end(&s);
	close(b[0]);
}
END_TEST

START_TEST(test_stuck)
{
	struct scene s;
	char buf[100000] = "";
	int a[2], b[2];

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(a[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	begin(&s, a[0], b[1]);
	loop_settle(s.base);
	ck_assert(!ctl_relay_is_stuck(s.relay));
	ck_assert_int_eq(write(a[1], buf, sizeof(buf)), (int)sizeof(buf));
	loop_settle(s.base);
	ck_assert(ctl_relay_is_stuck(s.relay));
	ck_assert_uint_eq(s.n_done, 0);
	end(&s);
	close(a[1]);
	close(b[0]);
}
END_TEST

/* Others who have the same pipe must not see it turn non-blocking. */
START_TEST(test_own)
{
	int a[2], fd, own;

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	own = ctl_relay_own(a[0]);
	ck_assert_int_ge(own, 0);
	ck_assert(fcntl(own, F_GETFL) & O_NONBLOCK);
	ck_assert(!(fcntl(a[0], F_GETFL) & O_NONBLOCK));
	close(own);
	put_text("file", "abc"); /* the same offset, for `> file` of a shell */
	fd = open("file", O_WRONLY | O_CLOEXEC);
	own = ctl_relay_own(fd);
	ck_assert_int_eq(write(own, "x", 1), 1);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 1);
	close(own);
	close(fd);
	close(a[0]);
	close(a[1]);
	ck_assert_int_eq(ctl_relay_own(a[0]), -EBADF);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_blocking_pipes, test_sockets,
		test_files, test_reader_gone, test_outlives_the_reader,
		test_disk_full, test_fifo, test_stuck, test_own, NULL};

	return suite_run("ctl relay", tests);
}
