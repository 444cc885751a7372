/* SPDX-License-Identifier: Apache-2.0 */
/* stdio with a terminal, and how it is drained. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_clock.h"
#include "util_pty.h"
#include "util_scene.h"
#include "util_test.h"

enum { KIB = 1024 };

static void on_drained_again(void *arg)
{
	struct scene *s = arg;

	s->drained_again++;
}

/* ---- the drain ---- */

static void end_process(void)
{
	int i;

	for (i = 0; i < 3; i++)
		fd_close(&scene.proc[i]);
}

START_TEST(test_drain)
{
	scene_open();
	scene_put(scene.proc[1], "a");
	scene_put(scene.proc[2], "b");
	end_process();
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_uint_eq(scene.drained, 0);
	ck_assert_int_eq(scene_pass(50), 0);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	ck_assert_str_eq(scene_get(scene.client[1]), "a");
	ck_assert_str_eq(scene_get(scene.client[2]), "b");
	ck_assert(scene_at_end(scene.client[1]));
	scene_pass(20000);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(loop_is_idle(scene.base));
	scene_end();
}
END_TEST

/* Somebody else holds the output open and is silent: bounded. */
START_TEST(test_drain_is_quiet)
{
	int64_t ms;

	scene_open();
	scene_put(scene.proc[1], "all I have");
	stdio_drain(scene.stdio, scene_drained, &scene);
	ms = scene_pass(60000);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert_int_ge(ms, STDIO_QUIET_MS - 200);
	ck_assert_int_le(ms, STDIO_QUIET_MS + 500);
	ck_assert(stdio_was_cut(scene.stdio));
	ck_assert_str_eq(scene_get(scene.client[1]), "all I have");
	ck_assert(scene_at_end(scene.client[1]));
	scene_end();
}
END_TEST

/* One of the two ends, the other is held. */
START_TEST(test_drain_half)
{
	scene_open();
	fd_close(&scene.proc[1]);
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_int_le(scene_pass(60000), STDIO_QUIET_MS + 500);
	ck_assert(stdio_was_cut(scene.stdio));
	ck_assert(scene_at_end(scene.client[1]));
	scene_end();
}
END_TEST

/* It ends as soon as the last one lets go. */
START_TEST(test_drain_let_go)
{
	scene_open();
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_int_eq(scene_pass(500), 500);
	scene_put(scene.proc[1], "late");
	end_process();
	ck_assert_int_eq(scene_pass(50), 0);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	ck_assert_str_eq(scene_get(scene.client[1]), "late");
	scene_end();
}
END_TEST

/* Fills the output until nothing moves any more; how much went. */
static size_t fill_output(void)
{
	static char buf[4 * KIB];
	size_t sum = 0;
	ssize_t n;

	while ((n = write(scene.proc[1], buf, sizeof(buf))) > 0) {
		sum += (size_t)n;
		loop_settle(scene.base);
	}
	return sum;
}

/* Nobody reads, and there is more than fits: bounded as well, by more. */
START_TEST(test_drain_blocked)
{
	int64_t ms;

	scene_open();
	fill_output();
	end_process();
	stdio_drain(scene.stdio, scene_drained, &scene);
	ms = scene_pass(60000);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert_int_ge(ms, STDIO_DRAIN_MS - 500);
	ck_assert_int_le(ms, STDIO_DRAIN_MS + 500);
	ck_assert(stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

/* Less than fits, but nobody is there to read it. */
START_TEST(test_drain_without_a_client)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "x");
	end_process();
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_int_le(scene_pass(60000), STDIO_DRAIN_MS + 500);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

/* A slow reader that does read gets everything. */
START_TEST(test_drain_slow_reader)
{
	static char buf[1000];
	size_t got = 0, sent;
	ssize_t n;

	scene_open();
	sent = fill_output();
	end_process();
	stdio_drain(scene.stdio, scene_drained, &scene);
	while ((n = read(scene.client[1], buf, sizeof(buf))) != 0) {
		got += n > 0 ? (size_t)n : 0;
		loop_settle(scene.base);
		clock_skip_ms(50);
		loop_settle(scene.base);
	}
	ck_assert_uint_eq(got, sent);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

/* A grandchild that talks on for ever does not make Delete wait for ever. */
START_TEST(test_drain_chatter)
{
	char buf[256];
	int64_t ms;

	scene_open();
	stdio_drain(scene.stdio, scene_drained, &scene);
	for (ms = 0; ms < 6 * STDIO_DRAIN_MS && !scene.drained; ms += 100) {
		ck_assert_int_gt(write(scene.proc[1], "still here\n", 11), 0);
		scene_pass(100);
		while (read(scene.client[1], buf, sizeof(buf)) > 0)
			;
	}
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

START_TEST(test_drain_twice)
{
	scene_open();
	stdio_drain(scene.stdio, scene_drained, &scene);
	stdio_drain(scene.stdio, on_drained_again, &scene);
	end_process();
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 0);
	ck_assert_uint_eq(scene.drained_again, 1);
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert_uint_eq(scene.drained_again, 1);
	scene_end();
}
END_TEST

START_TEST(test_drain_before_start)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

START_TEST(test_close_while_draining)
{
	scene_open();
	scene_put(scene.proc[1], "x");
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	stdio_close(scene.stdio);
	scene.stdio = NULL;
	scene_pass(20000);
	ck_assert_uint_eq(scene.drained, 0);
	stdio_close(NULL);
	scene_end();
}
END_TEST

static void close_when_drained(void *arg)
{
	struct scene *s = arg;

	s->drained++;
	stdio_close(s->stdio);
	s->stdio = NULL;
}

START_TEST(test_close_in_drained)
{
	scene_open();
	end_process();
	stdio_drain(scene.stdio, close_when_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	scene_end();
}
END_TEST

/* ---- terminals ---- */

static void begin_terminal(void)
{
	scene_begin();
	scene_make_fifos();
	scene.config.err = NULL;
	scene.config.terminal = true;
	scene.config.dir = here(".");
	scene.config.name = "tty.sock";
}

/* The runtime sends a terminal; its other side is the process's. */
static void give_terminal(void)
{
	int master = pty_open(&scene.proc[0]);
	struct err e;
	int r;

	fcntl(scene.proc[0], F_SETFL, O_NONBLOCK);
	pty_give(stdio_console_socket(scene.stdio), master);
	close(master);
	r = stdio_start(scene.stdio, &e);
	ck_assert_msg(r == 0, "%s", e.msg);
}

START_TEST(test_terminal)
{
	struct endpoint *ends[3];
	struct winsize ws;
	int i;

	begin_terminal();
	scene_open_stdio();
	stdio_endpoints(scene.stdio, ends);
	for (i = 0; i < 3; i++)
		ck_assert_ptr_null(ends[i]);
	ck_assert_str_eq(stdio_console_socket(scene.stdio), here("./tty.sock"));
	ck_assert_int_eq(stdio_resize(scene.stdio, 80, 24), -ENOTTY);
	scene.client[0] = scene_open_fifo("in", O_WRONLY);
	scene.client[1] = scene_open_fifo("out", O_RDONLY);
	give_terminal();
	ck_assert(!file_exists("tty.sock"));
	scene_put(scene.client[0], "ls\n");
	ck_assert_str_eq(scene_get(scene.proc[0]), "ls\n");
	scene_put(scene.proc[0], "files");
	ck_assert_str_eq(scene_get(scene.client[1]), "files");
	ck_assert_int_eq(stdio_resize(scene.stdio, 132, 50), 0);
	ck_assert_int_eq(ioctl(scene.proc[0], TIOCGWINSZ, &ws), 0);
	ck_assert_int_eq(ws.ws_col, 132);
	ck_assert_int_eq(ws.ws_row, 50);
	ck_assert(wait_for(NULL, loop_is_idle(scene.base)));
	scene_end();
}
END_TEST

START_TEST(test_terminal_ends)
{
	begin_terminal();
	scene_open_stdio();
	scene.client[1] = scene_open_fifo("out", O_RDONLY);
	give_terminal();
	scene_put(scene.proc[0], "bye");
	fd_close(&scene.proc[0]);
	ck_assert_str_eq(scene_get(scene.client[1]), "bye");
	scene_pass(10);
	ck_assert(scene_at_end(scene.client[1]));
	ck_assert_int_le(stdio_resize(scene.stdio, 1, 1), 0); /* harmless */
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_int_eq(scene_pass(50), 0);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

/* Closing stdin of a terminal ends neither the terminal nor its output. */
START_TEST(test_terminal_close_stdin)
{
	begin_terminal();
	scene_open_stdio();
	scene.client[0] = scene_open_fifo("in", O_WRONLY);
	scene.client[1] = scene_open_fifo("out", O_RDONLY);
	scene_put(scene.client[0], "early");
	stdio_close_stdin(scene.stdio);
	give_terminal();
	ck_assert_str_eq(scene_get(scene.proc[0]), "early");
	ck_assert(!scene_at_end(scene.proc[0]));
	scene_put(scene.proc[0], "still here");
	ck_assert_str_eq(scene_get(scene.client[1]), "still here");
	ck_assert_int_eq(stdio_resize(scene.stdio, 10, 10), 0);
	scene_end();
}
END_TEST

/* Writes ten bytes to the terminal, if they go. */
static size_t type(void)
{
	ssize_t n = write(scene.proc[0], "0123456789", 10);

	return n > 0 ? (size_t)n : 0;
}

/* Nobody wants the output: the process can write all the same. */
START_TEST(test_terminal_to_nowhere)
{
	size_t sum = 0;

	begin_terminal();
	scene.config.in = scene.config.out = NULL;
	scene_open_stdio();
	give_terminal();
	ck_assert(wait_for(scene.base, (sum += type()) > 20000));
	ck_assert(wait_for(NULL, loop_is_idle(scene.base)));
	stdio_drain(scene.stdio, scene_drained, &scene);
	fd_close(&scene.proc[0]);
	scene_pass(20000);
	ck_assert_uint_eq(scene.drained, 1);
	scene_end();
}
END_TEST

START_TEST(test_terminal_that_never_comes)
{
	struct err e;

	begin_terminal();
	scene_open_stdio();
	ck_assert_int_eq(stdio_start(scene.stdio, &e), -EPROTO);
	ck_assert_int_eq(e.code, -EPROTO);
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	stdio_close(scene.stdio);
	scene.stdio = NULL;
	ck_assert(!file_exists("tty.sock"));
	scene_end();
}
END_TEST

START_TEST(test_close_removes_the_socket)
{
	begin_terminal();
	scene_open_stdio();
	ck_assert(file_exists("tty.sock"));
	stdio_close(scene.stdio);
	scene.stdio = NULL;
	ck_assert(!file_exists("tty.sock"));
	scene_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_drain, test_drain_is_quiet,
		test_drain_half, test_drain_let_go, test_drain_blocked,
		test_drain_without_a_client, test_drain_slow_reader,
		test_drain_chatter, test_drain_twice, test_drain_before_start,
		test_close_while_draining, test_close_in_drained, test_terminal,
		test_terminal_ends, test_terminal_close_stdin,
		test_terminal_to_nowhere, test_terminal_that_never_comes,
		test_close_removes_the_socket, NULL};

	return suite_run("stdio_ends", tests);
}
