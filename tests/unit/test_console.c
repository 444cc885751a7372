/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_pty.h"
#include "util_test.h"

static struct event_base *base;
static struct console *console;
static struct stream *output, *input;
static struct err e;

static void begin(void)
{
	base = event_base_new();
	ck_assert_int_eq(console_new(base, here(""), "tty", &console, &e), 0);
}

static void end(void)
{
	stream_close(output);
	stream_close(input);
	console_close(console);
	event_base_free(base);
	ck_assert(!file_exists("tty"));
}

static int receive(void)
{
	return console_receive(console, &output, &input, &e);
}

/* An OCI runtime: sends a new terminal's master, keeps nothing, and what its
 * container prints is "hello". The slave stays with whoever has slave_fd. */
static int runtime(void)
{
	int slave, master = pty_open(&slave);
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pty_give(console_socket(console), master);
		_exit(write(slave, "hello", 5) == 5 ? 0 : 1);
	}
	close(master);
	ck_assert_int_eq(reap(pid), 0);
	return slave;
}

static void assert_read(int fd, struct stream *s, const char *want)
{
	char buf[64];
	ssize_t n = s ? stream_read(s, buf, sizeof(buf) - 1)
		      : read(fd, buf, sizeof(buf) - 1);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	ck_assert_str_eq(buf, want);
}

START_TEST(test_terminal)
{
	struct stat st;
	int slave;

	begin();
	ck_assert_int_eq(stat("tty", &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(console_resize(console, 80, 24), -ENOTTY);
	slave = runtime();
	ck_assert_int_eq(receive(), 0);
	ck_assert(!file_exists("tty"));
	assert_read(-1, output, "hello");
	ck_assert_int_eq(stream_write(input, "typed", 5), 5);
	assert_read(slave, NULL, "typed");
	close(slave);
	assert_read(-1, output, ""); /* its end */
	end();
}
END_TEST

START_TEST(test_resize)
{
	struct winsize ws;
	int slave;

	begin();
	slave = runtime();
	ck_assert_int_eq(receive(), 0);
	ck_assert_int_eq(console_resize(console, 132, 43), 0);
	ck_assert_int_eq(ioctl(slave, TIOCGWINSZ, &ws), 0);
	ck_assert_uint_eq(ws.ws_col, 132);
	ck_assert_uint_eq(ws.ws_row, 43);
	ck_assert_int_eq(console_resize(console, 65536, 43), -EINVAL);
	ck_assert_int_eq(console_resize(console, 1, 0xffffffff), -EINVAL);
	ck_assert_int_eq(console_resize(console, 65535, 0), 0);
	ck_assert_int_eq(ioctl(slave, TIOCGWINSZ, &ws), 0);
	ck_assert_uint_eq(ws.ws_col, 65535);
	/* the streams' end is not the terminal's */
	stream_close(output);
	stream_close(input);
	output = input = NULL;
	ck_assert_int_eq(console_resize(console, 80, 24), 0);
	ck_assert_int_eq(write(slave, "x", 1), 1);
	end();
	ck_assert_int_eq(write(slave, "x", 1), -1); /* hung up */
	ck_assert_int_eq(errno, EIO);
	close(slave);
}
END_TEST

START_TEST(test_nobody_came)
{
	begin();
	ck_assert_int_eq(receive(), -EPROTO);
	ck_assert_ptr_nonnull(strstr(e.msg, "never connected"));
	ck_assert_ptr_null(output);
	ck_assert_ptr_null(input);
	ck_assert(file_exists("tty"));
	end();
}
END_TEST

START_TEST(test_nothing_was_sent)
{
	int sock;

	begin();
	sock = pty_connect(console_socket(console));
	ck_assert_int_eq(receive(), -EPROTO); /* does not wait for it */
	ck_assert_ptr_nonnull(strstr(e.msg, "no terminal"));
	close(sock);
	sock = pty_connect(console_socket(console));
	close(sock);
	ck_assert_int_eq(receive(), -EPROTO);
	sock = pty_connect(console_socket(console));
	pty_send(sock, NULL, 0);
	ck_assert_int_eq(receive(), -EPROTO);
	close(sock);
	ck_assert_int_eq(console_resize(console, 80, 24), -ENOTTY);
	end();
}
END_TEST

START_TEST(test_no_terminal)
{
	int fd;

	begin();
	put_text("file", "x");
	fd = open("file", O_RDWR | O_CLOEXEC);
	pty_give(console_socket(console), fd);
	ck_assert_int_eq(receive(), -EPROTO);
	ck_assert_ptr_nonnull(strstr(e.msg, "no terminal"));
	close(fd);
	end();
}
END_TEST

/* All that is sent is closed, but for the first. */
START_TEST(test_many_were_sent)
{
	static const size_t numbers[] = {2, 4, 5, 64};
	int fds[64], slave, sock;
	unsigned i;

	for (i = 0; i < LENGTH(numbers); i++) {
		unsigned before, n;

		begin();
		fds[0] = pty_open(&slave);
		for (n = 1; n < LENGTH(fds); n++)
			fds[n] = fds[0];
		sock = pty_connect(console_socket(console));
		pty_send(sock, fds, numbers[i]);
		close(sock);
		before = count_fds();
		ck_assert_int_eq(receive(), 0);
		/* the master and two streams; it listens no more */
		ck_assert_uint_eq(count_fds(), before + 3 - 1);
		end();
		output = input = NULL;
		close(fds[0]);
		close(slave);
	}
}
END_TEST

/* A bundle's path may be longer than unix(7) allows. */
START_TEST(test_long_folder)
{
	char dir[256];
	int slave;

	memset(dir, 'd', 250);
	dir[250] = '\0';
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	base = event_base_new();
	ck_assert_int_eq(console_new(base, here(dir), "tty", &console, &e), 0);
	slave = runtime();
	ck_assert_int_eq(receive(), 0);
	assert_read(-1, output, "hello");
	close(slave);
	end();
	ck_assert_int_eq(rmdir(dir), 0); /* nothing in it */
}
END_TEST

START_TEST(test_new)
{
	base = event_base_new();
	ck_assert_int_eq(
		console_new(base, here("no"), "tty", &console, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "/no/tty'"));
	/* one that was left by a shim that died */
	put_text("tty", "");
	ck_assert_int_eq(console_new(base, here(""), "tty", &console, &e), 0);
	close(pty_connect(console_socket(console)));
	end(); /* before it received anything */
	console_close(NULL);
}
END_TEST

/* One life, with the nth allocation failing. */
static int live(unsigned n, int master)
{
	int r;

	console = NULL;
	output = input = NULL;
	oom_at(n);
	r = console_new(base, ".", "tty", &console, &e);
	oom_at(0);
	if (r < 0)
		return r;
	pty_give("tty", master);
	return 0;
}

START_TEST(test_out_of_memory)
{
	int slave, master = pty_open(&slave);
	unsigned fds, n, failed;

	oom_begin();
	base = event_base_new();
	fds = count_fds();
	ck_assert_int_eq(live(1, master), -ENOMEM);
	ck_assert_uint_eq(count_fds(), fds);
	for (n = 1, failed = 1; failed; n++) {
		int r;

		ck_assert_int_eq(live(0, master), 0);
		oom_at(n);
		r = receive();
		failed = oom_off();
		ck_assert_int_eq(r, failed ? -ENOMEM : 0);
		if (r == 0) {
			stream_close(output);
			stream_close(input);
		}
		console_close(console);
		ck_assert(!file_exists("tty"));
		ck_assert_uint_eq(count_fds(), fds);
	}
	ck_assert_uint_gt(n, 2);
	close(master);
	close(slave);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_terminal, test_resize,
		test_nobody_came, test_nothing_was_sent, test_no_terminal,
		test_many_were_sent, test_long_folder, test_new,
		test_out_of_memory, NULL};

	return suite_run("console", tests);
}
