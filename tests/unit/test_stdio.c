/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_clock.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_pty.h"
#include "util_test.h"

enum { KIB = 1024 };

/* A container's process, and a client with the FIFOs "in", "out" and "err":
 * both are played by the test. */
struct scene {
	struct event_base *base;
	struct stdio *stdio;
	struct stdio_config config;
	int proc[3];   /* the process's descriptors */
	int client[3]; /* the client's ends of the FIFOs */
	unsigned drained, drained_again;
};

static struct scene sc;

static void on_drained(void *arg)
{
	struct scene *s = arg;

	s->drained++;
}

static void on_drained_again(void *arg)
{
	struct scene *s = arg;

	s->drained_again++;
}

static void scene_begin(void)
{
	int i;

	memset(&sc, 0, sizeof(sc));
	for (i = 0; i < 3; i++)
		sc.proc[i] = sc.client[i] = -1;
	clock_freeze();
	sc.base = event_base_new();
}

static void scene_end(void)
{
	int i;

	stdio_close(sc.stdio);
	for (i = 0; i < 3; i++) {
		fd_close(&sc.proc[i]);
		fd_close(&sc.client[i]);
	}
	event_base_free(sc.base);
}

static int open_end(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* The client makes its FIFOs and opens them for reading; writing needs the
 * shim to be there: fifo(7), ENXIO. */
static void make_fifos(void)
{
	ck_assert_int_eq(mkfifo("in", 0600), 0);
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(mkfifo("err", 0600), 0);
	sc.config.in = here("in");
	sc.config.out = here("out");
	sc.config.err = here("err");
}

static void open_client(void)
{
	sc.client[0] = open_end("in", O_WRONLY);
	sc.client[1] = open_end("out", O_RDONLY);
	sc.client[2] = open_end("err", O_RDONLY);
}

static void open_stdio(void)
{
	struct err e;
	int r = stdio_open(sc.base, &sc.config, &sc.stdio, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
}

/* What the runtime does: the process gets the descriptors. */
static void give_to_process(void)
{
	struct endpoint *ends[3];
	int i;

	stdio_endpoints(sc.stdio, ends);
	for (i = 0; i < 3; i++) {
		if (!ends[i])
			continue;
		sc.proc[i] = fcntl(endpoint_fd(ends[i]), F_DUPFD_CLOEXEC, 3);
		fcntl(sc.proc[i], F_SETFL, O_NONBLOCK);
	}
}

static void start_stdio(void)
{
	struct err e;
	int r;

	give_to_process();
	r = stdio_start(sc.stdio, &e);
	ck_assert_msg(r == 0, "%s", e.msg);
}

static void scene_open(void)
{
	scene_begin();
	make_fifos();
	open_stdio();
	open_client();
	start_stdio();
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void end(int *fd)
{
	fd_close(fd);
}

/* What can be read now, at most 255 bytes. */
static const char *get(int fd)
{
	static char text[256];
	ssize_t n;

	loop_settle(sc.base);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool at_end(int fd)
{
	char c;

	loop_settle(sc.base);
	return read(fd, &c, 1) == 0;
}

/* Lets time pass, until it is over or drained. Returns how much did. */
static int64_t pass(int64_t ms)
{
	int64_t gone;

	loop_settle(sc.base);
	for (gone = 0; gone < ms && !sc.drained; gone += 10) {
		clock_skip_ms(10);
		loop_turn(sc.base);
		loop_turn(sc.base);
	}
	return gone;
}

/* ---- bytes ---- */

START_TEST(test_three_fifos)
{
	scene_open();
	put(sc.client[0], "typed");
	ck_assert_str_eq(get(sc.proc[0]), "typed");
	put(sc.proc[1], "said");
	put(sc.proc[2], "cried");
	ck_assert_str_eq(get(sc.client[1]), "said");
	ck_assert_str_eq(get(sc.client[2]), "cried");
	ck_assert(loop_is_idle(sc.base));
	ck_assert_uint_eq(stdio_lost(sc.stdio), 0);
	scene_end();
}
END_TEST

START_TEST(test_ends_reach_the_client)
{
	scene_open();
	put(sc.proc[1], "last");
	end(&sc.proc[1]);
	ck_assert_str_eq(get(sc.client[1]), "last");
	ck_assert(at_end(sc.client[1]));
	ck_assert(!at_end(sc.client[2]));
	end(&sc.proc[2]);
	ck_assert(at_end(sc.client[2]));
	/* nothing of that ended stdin */
	put(sc.client[0], "more");
	ck_assert_str_eq(get(sc.proc[0]), "more");
	scene_end();
}
END_TEST

/* Clients come and go; the process sees neither an end nor a broken pipe. */
START_TEST(test_reattach)
{
	int i;

	scene_open();
	for (i = 0; i < 3; i++)
		end(&sc.client[i]);
	loop_settle(sc.base);
	ck_assert(!at_end(sc.proc[0]));
	put(sc.proc[1], "to nobody yet");
	loop_settle(sc.base);
	open_client();
	ck_assert_str_eq(get(sc.client[1]), "to nobody yet");
	put(sc.client[0], "hello again");
	ck_assert_str_eq(get(sc.proc[0]), "hello again");
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

START_TEST(test_no_client_at_all)
{
	scene_begin();
	make_fifos();
	open_stdio();
	start_stdio();
	put(sc.proc[1], "x");
	loop_settle(sc.base);
	ck_assert(!at_end(sc.proc[0]));
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

/* The process ends, and only then somebody reads. */
START_TEST(test_client_comes_after_the_end)
{
	scene_begin();
	make_fifos();
	open_stdio();
	start_stdio();
	put(sc.proc[1], "famous last words");
	end(&sc.proc[1]);
	loop_settle(sc.base);
	sc.client[1] = open_end("out", O_RDONLY);
	ck_assert_str_eq(get(sc.client[1]), "famous last words");
	pass(2000);
	ck_assert(at_end(sc.client[1]));
	scene_end();
}
END_TEST

START_TEST(test_null)
{
	struct endpoint *ends[3] = {(void *)1, (void *)1, (void *)1};
	int i;

	scene_begin();
	sc.config.in = "";
	open_stdio();
	stdio_endpoints(sc.stdio, ends);
	for (i = 0; i < 3; i++)
		ck_assert_ptr_null(ends[i]);
	ck_assert_ptr_null(stdio_console_socket(sc.stdio));
	start_stdio();
	stdio_close_stdin(sc.stdio);
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_uint_eq(sc.drained, 0);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	ck_assert_int_eq(stdio_resize(sc.stdio, 80, 24), -ENOTTY);
	scene_end();
}
END_TEST

static const char *uri_of(const char *scheme, const char *name)
{
	static char uris[4][4200];
	static unsigned next;
	char *uri = uris[next++ % LENGTH(uris)];

	snprintf(uri, sizeof(uris[0]), "%s://%s", scheme, here(name));
	return uri;
}

START_TEST(test_files)
{
	char text[64];

	scene_begin();
	put_text("log", "before\n");
	sc.config.out = sc.config.err = uri_of("file", "log");
	open_stdio();
	start_stdio();
	put(sc.proc[1], "one\n");
	loop_settle(sc.base);
	put(sc.proc[2], "two\n");
	loop_settle(sc.base);
	put(sc.proc[1], "three\n");
	loop_settle(sc.base);
	get_file("log", text, sizeof(text));
	ck_assert_str_eq(text, "before\none\ntwo\nthree\n");
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

START_TEST(test_file_in_new_folders)
{
	struct stat st;
	char text[16];

	scene_begin();
	sc.config.out = uri_of("file", "a/b%20c/log");
	open_stdio();
	start_stdio();
	put(sc.proc[1], "x");
	loop_settle(sc.base);
	get_file("a/b c/log", text, sizeof(text));
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(stat("a", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0711);
	scene_end();
}
END_TEST

/* A disk without room: the process goes on, the bytes are counted. */
START_TEST(test_lost)
{
	int i;

	scene_begin();
	sc.config.out = sc.config.err = "file:///dev/full";
	open_stdio();
	start_stdio();
	for (i = 0; i < 100; i++) {
		put(sc.proc[1], "0123456789");
		put(sc.proc[2], "0123456789");
		loop_settle(sc.base);
	}
	end(&sc.proc[1]);
	end(&sc.proc[2]);
	stdio_drain(sc.stdio, on_drained, &sc);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert_uint_eq(stdio_lost(sc.stdio), 2000);
	ck_assert(!stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

/* It is known while the process lives, too. */
START_TEST(test_lost_so_far)
{
	scene_begin();
	sc.config.out = "file:///dev/full";
	open_stdio();
	start_stdio();
	put(sc.proc[1], "0123456789");
	loop_settle(sc.base);
	ck_assert_uint_eq(stdio_lost(sc.stdio), 10);
	scene_end();
}
END_TEST

START_TEST(test_owner)
{
	struct endpoint *ends[3];
	struct stat st;
	int i;

	if (!is_root())
		return;
	scene_begin();
	make_fifos();
	sc.config.uid = 1000;
	sc.config.gid = 2000;
	open_stdio();
	stdio_endpoints(sc.stdio, ends);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(fstat(endpoint_fd(ends[i]), &st), 0);
		ck_assert_uint_eq(st.st_uid, 1000);
		ck_assert_uint_eq(st.st_gid, 2000);
	}
	scene_end();
}
END_TEST

/* ---- what is refused ---- */

static int try_open(struct err *e)
{
	unsigned fds = count_fds();
	int r = stdio_open(sc.base, &sc.config, &sc.stdio, e);

	ck_assert_ptr_null(sc.stdio);
	ck_assert_uint_eq(count_fds(), fds);
	ck_assert_int_eq(r, e->code);
	return r;
}

START_TEST(test_check)
{
	struct err e;

	ck_assert_int_eq(stdio_check(NULL, "", NULL, &e), 0);
	ck_assert_int_eq(stdio_check("/a", "file:///b", "/c", &e), 0);
	ck_assert_int_eq(stdio_check("x://", NULL, NULL, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stdin: ", 7), 0);
	ck_assert_int_eq(stdio_check(NULL, "relative", NULL, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stdout: ", 8), 0);
	ck_assert_int_eq(stdio_check(NULL, NULL, "/../a", &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stderr: ", 8), 0);
}
END_TEST

START_TEST(test_refused)
{
	struct err e;

	scene_begin();
	sc.config.in = here("missing");
	ck_assert_int_eq(try_open(&e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, here("missing")));
	put_text("file", "x");
	sc.config.in = here("file");
	ck_assert_int_eq(try_open(&e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "no FIFO"));
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	sc.config.in = here("dir");
	ck_assert_int_lt(try_open(&e), 0);
	sc.config.in = uri_of("file", "file");
	ck_assert_int_eq(try_open(&e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "stdin"));
	sc.config.in = NULL;
	sc.config.out = uri_of("file", "dir");
	ck_assert_int_lt(try_open(&e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "stdout"));
	sc.config.out = uri_of("file", "file/x");
	ck_assert_int_eq(try_open(&e), -ENOTDIR);
	scene_end();
}
END_TEST

/* One bad path, and none of the others is touched. */
START_TEST(test_nothing_is_opened_before_all_is_checked)
{
	static const char *const bad[] = {
		"relative", "http://x", "file://x", "file:///a%"};
	struct err e;
	size_t i;

	scene_begin();
	for (i = 0; i < LENGTH(bad); i++) {
		sc.config.out = uri_of("file", "new/log");
		sc.config.err = bad[i];
		ck_assert_int_eq(try_open(&e), -EINVAL);
		ck_assert(!file_exists("new"));
	}
	scene_end();
}
END_TEST

START_TEST(test_stdin_is_checked_like_the_others)
{
	struct err e;

	ck_assert_int_eq(stdio_check("file:///a", NULL, NULL, &e), -EINVAL);
}
END_TEST

START_TEST(test_unimplemented_is_known_before_anything_is_opened)
{
	struct err e;

	scene_begin();
	sc.config.out = uri_of("file", "new/log");
	sc.config.err = "binary:///bin/true";
	if (stdio_open(sc.base, &sc.config, &sc.stdio, &e) < 0) {
		ck_assert_int_eq(e.code, -ENOSYS);
		ck_assert(!file_exists("new"));
	}
	scene_end();
}
END_TEST

/* ---- the end of stdin ---- */

START_TEST(test_close_stdin)
{
	scene_open();
	put(sc.client[0], "before");
	stdio_close_stdin(sc.stdio);
	stdio_close_stdin(sc.stdio);
	ck_assert_str_eq(get(sc.proc[0]), "before");
	ck_assert(at_end(sc.proc[0]));
	put(sc.proc[1], "I go on");
	ck_assert_str_eq(get(sc.client[1]), "I go on");
	stdio_close_stdin(sc.stdio);
	loop_settle(sc.base);
	scene_end();
}
END_TEST

START_TEST(test_close_stdin_before_start)
{
	scene_begin();
	make_fifos();
	open_stdio();
	open_client();
	put(sc.client[0], "early");
	stdio_close_stdin(sc.stdio);
	stdio_close_stdin(sc.stdio);
	loop_settle(sc.base);
	start_stdio();
	ck_assert_str_eq(get(sc.proc[0]), "early");
	ck_assert(at_end(sc.proc[0]));
	scene_end();
}
END_TEST

/* The process does not read: all of it is kept for it all the same. */
START_TEST(test_close_stdin_while_blocked)
{
	static char buf[64 * KIB];
	size_t sent = 0, got = 0;
	ssize_t n;

	scene_open();
	while ((n = write(sc.client[0], buf, sizeof(buf))) > 0) {
		sent += (size_t)n;
		loop_settle(sc.base);
	}
	stdio_close_stdin(sc.stdio);
	loop_settle(sc.base);
	ck_assert_uint_gt(sent, 64 * KIB);
	do {
		n = read(sc.proc[0], buf, sizeof(buf));
		got += n > 0 ? (size_t)n : 0;
		loop_settle(sc.base);
	} while (n != 0 && got <= sent);
	ck_assert_uint_eq(got, sent);
	scene_end();
}
END_TEST

/* A process that closed its stdin has nothing more to be told. */
START_TEST(test_stdin_that_nobody_reads)
{
	scene_open();
	end(&sc.proc[0]);
	put(sc.client[0], "x");
	loop_settle(sc.base);
	stdio_close_stdin(sc.stdio);
	put(sc.proc[1], "still here");
	ck_assert_str_eq(get(sc.client[1]), "still here");
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

/* ---- the drain ---- */

static void end_process(void)
{
	int i;

	for (i = 0; i < 3; i++)
		end(&sc.proc[i]);
}

START_TEST(test_drain)
{
	scene_open();
	put(sc.proc[1], "a");
	put(sc.proc[2], "b");
	end_process();
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_uint_eq(sc.drained, 0);
	ck_assert_int_eq(pass(50), 0);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	ck_assert_str_eq(get(sc.client[1]), "a");
	ck_assert_str_eq(get(sc.client[2]), "b");
	ck_assert(at_end(sc.client[1]));
	pass(20000);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

/* Somebody else holds the output open and is silent: bounded. */
START_TEST(test_drain_is_quiet)
{
	int64_t ms;

	scene_open();
	put(sc.proc[1], "all I have");
	stdio_drain(sc.stdio, on_drained, &sc);
	ms = pass(60000);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert_int_ge(ms, STDIO_QUIET_MS - 200);
	ck_assert_int_le(ms, STDIO_QUIET_MS + 500);
	ck_assert(stdio_was_cut(sc.stdio));
	ck_assert_str_eq(get(sc.client[1]), "all I have");
	ck_assert(at_end(sc.client[1]));
	scene_end();
}
END_TEST

/* One of the two ends, the other is held. */
START_TEST(test_drain_half)
{
	scene_open();
	end(&sc.proc[1]);
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_int_le(pass(60000), STDIO_QUIET_MS + 500);
	ck_assert(stdio_was_cut(sc.stdio));
	ck_assert(at_end(sc.client[1]));
	scene_end();
}
END_TEST

/* It ends as soon as the last one lets go. */
START_TEST(test_drain_let_go)
{
	scene_open();
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_int_eq(pass(500), 500);
	put(sc.proc[1], "late");
	end_process();
	ck_assert_int_eq(pass(50), 0);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	ck_assert_str_eq(get(sc.client[1]), "late");
	scene_end();
}
END_TEST

/* Fills the output until nothing moves any more; how much went. */
static size_t fill_output(void)
{
	static char buf[4 * KIB];
	size_t sum = 0;
	ssize_t n;

	while ((n = write(sc.proc[1], buf, sizeof(buf))) > 0) {
		sum += (size_t)n;
		loop_settle(sc.base);
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
	stdio_drain(sc.stdio, on_drained, &sc);
	ms = pass(60000);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert_int_ge(ms, STDIO_DRAIN_MS - 500);
	ck_assert_int_le(ms, STDIO_DRAIN_MS + 500);
	ck_assert(stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

/* Less than fits, but nobody is there to read it. */
START_TEST(test_drain_without_a_client)
{
	scene_begin();
	make_fifos();
	open_stdio();
	start_stdio();
	put(sc.proc[1], "x");
	end_process();
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_int_le(pass(60000), STDIO_DRAIN_MS + 500);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(stdio_was_cut(sc.stdio));
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
	stdio_drain(sc.stdio, on_drained, &sc);
	while ((n = read(sc.client[1], buf, sizeof(buf))) != 0) {
		got += n > 0 ? (size_t)n : 0;
		loop_settle(sc.base);
		clock_skip_ms(50);
		loop_settle(sc.base);
	}
	ck_assert_uint_eq(got, sent);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

/* A grandchild that talks on for ever does not make Delete wait for ever. */
START_TEST(test_drain_chatter)
{
	char buf[256];
	int64_t ms;

	scene_open();
	stdio_drain(sc.stdio, on_drained, &sc);
	for (ms = 0; ms < 6 * STDIO_DRAIN_MS && !sc.drained; ms += 100) {
		ck_assert_int_gt(write(sc.proc[1], "still here\n", 11), 0);
		pass(100);
		while (read(sc.client[1], buf, sizeof(buf)) > 0)
			;
	}
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

START_TEST(test_drain_twice)
{
	scene_open();
	stdio_drain(sc.stdio, on_drained, &sc);
	stdio_drain(sc.stdio, on_drained_again, &sc);
	end_process();
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 0);
	ck_assert_uint_eq(sc.drained_again, 1);
	stdio_drain(sc.stdio, on_drained, &sc);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert_uint_eq(sc.drained_again, 1);
	scene_end();
}
END_TEST

START_TEST(test_drain_before_start)
{
	scene_begin();
	make_fifos();
	open_stdio();
	stdio_drain(sc.stdio, on_drained, &sc);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

START_TEST(test_close_while_draining)
{
	scene_open();
	put(sc.proc[1], "x");
	stdio_drain(sc.stdio, on_drained, &sc);
	loop_settle(sc.base);
	stdio_close(sc.stdio);
	sc.stdio = NULL;
	pass(20000);
	ck_assert_uint_eq(sc.drained, 0);
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
	stdio_drain(sc.stdio, close_when_drained, &sc);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	scene_end();
}
END_TEST

/* ---- terminals ---- */

static void begin_terminal(void)
{
	scene_begin();
	make_fifos();
	sc.config.err = NULL;
	sc.config.terminal = true;
	sc.config.dir = here(".");
	sc.config.name = "tty.sock";
}

/* The runtime sends a terminal; its other side is the process's. */
static void give_terminal(void)
{
	int master = pty_open(&sc.proc[0]);
	struct err e;
	int r;

	fcntl(sc.proc[0], F_SETFL, O_NONBLOCK);
	pty_give(stdio_console_socket(sc.stdio), master);
	close(master);
	r = stdio_start(sc.stdio, &e);
	ck_assert_msg(r == 0, "%s", e.msg);
}

START_TEST(test_terminal)
{
	struct endpoint *ends[3];
	struct winsize ws;
	int i;

	begin_terminal();
	open_stdio();
	stdio_endpoints(sc.stdio, ends);
	for (i = 0; i < 3; i++)
		ck_assert_ptr_null(ends[i]);
	ck_assert_str_eq(stdio_console_socket(sc.stdio), here("./tty.sock"));
	ck_assert_int_eq(stdio_resize(sc.stdio, 80, 24), -ENOTTY);
	sc.client[0] = open_end("in", O_WRONLY);
	sc.client[1] = open_end("out", O_RDONLY);
	give_terminal();
	ck_assert(!file_exists("tty.sock"));
	put(sc.client[0], "ls\n");
	ck_assert_str_eq(get(sc.proc[0]), "ls\n");
	put(sc.proc[0], "files");
	ck_assert_str_eq(get(sc.client[1]), "files");
	ck_assert_int_eq(stdio_resize(sc.stdio, 132, 50), 0);
	ck_assert_int_eq(ioctl(sc.proc[0], TIOCGWINSZ, &ws), 0);
	ck_assert_int_eq(ws.ws_col, 132);
	ck_assert_int_eq(ws.ws_row, 50);
	ck_assert(loop_is_idle(sc.base));
	scene_end();
}
END_TEST

START_TEST(test_terminal_ends)
{
	begin_terminal();
	open_stdio();
	sc.client[1] = open_end("out", O_RDONLY);
	give_terminal();
	put(sc.proc[0], "bye");
	end(&sc.proc[0]);
	ck_assert_str_eq(get(sc.client[1]), "bye");
	ck_assert(at_end(sc.client[1]));
	ck_assert_int_le(stdio_resize(sc.stdio, 1, 1), 0); /* harmless */
	stdio_drain(sc.stdio, on_drained, &sc);
	ck_assert_int_eq(pass(50), 0);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

/* Closing stdin of a terminal ends neither the terminal nor its output. */
START_TEST(test_terminal_close_stdin)
{
	begin_terminal();
	open_stdio();
	sc.client[0] = open_end("in", O_WRONLY);
	sc.client[1] = open_end("out", O_RDONLY);
	put(sc.client[0], "early");
	stdio_close_stdin(sc.stdio);
	give_terminal();
	ck_assert_str_eq(get(sc.proc[0]), "early");
	ck_assert(!at_end(sc.proc[0]));
	put(sc.proc[0], "still here");
	ck_assert_str_eq(get(sc.client[1]), "still here");
	ck_assert_int_eq(stdio_resize(sc.stdio, 10, 10), 0);
	scene_end();
}
END_TEST

/* Nobody wants the output: the process can write all the same. */
START_TEST(test_terminal_to_nowhere)
{
	size_t sum = 0;
	ssize_t n;
	int i;

	begin_terminal();
	sc.config.in = sc.config.out = NULL;
	open_stdio();
	give_terminal();
	for (i = 0; i < 1000; i++) {
		n = write(sc.proc[0], "0123456789", 10);
		sum += n > 0 ? (size_t)n : 0;
		loop_turn(sc.base);
	}
	ck_assert_uint_gt(sum, 9000);
	ck_assert(loop_is_idle(sc.base));
	stdio_drain(sc.stdio, on_drained, &sc);
	end(&sc.proc[0]);
	pass(20000);
	ck_assert_uint_eq(sc.drained, 1);
	scene_end();
}
END_TEST

START_TEST(test_terminal_that_never_comes)
{
	struct err e;

	begin_terminal();
	open_stdio();
	ck_assert_int_eq(stdio_start(sc.stdio, &e), -EPROTO);
	ck_assert_int_eq(e.code, -EPROTO);
	stdio_drain(sc.stdio, on_drained, &sc);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	stdio_close(sc.stdio);
	sc.stdio = NULL;
	ck_assert(!file_exists("tty.sock"));
	scene_end();
}
END_TEST

START_TEST(test_close_removes_the_socket)
{
	begin_terminal();
	open_stdio();
	ck_assert(file_exists("tty.sock"));
	stdio_close(sc.stdio);
	sc.stdio = NULL;
	ck_assert(!file_exists("tty.sock"));
	scene_end();
}
END_TEST

/* ---- memory ---- */

/* One life of a stdio, with the nth allocation failing. False: it was told
 * so, and nothing is left. */
static bool live(unsigned n)
{
	struct err e = {0};
	unsigned fds = count_fds();
	int r;

	oom_at(n);
	r = stdio_open(sc.base, &sc.config, &sc.stdio, &e);
	if (r == 0)
		r = stdio_start(sc.stdio, &e);
	if (oom_off() && r == 0) /* libevent's, which is tried again */
		r = -ENOMEM;
	ck_assert(r == 0 || r == -ENOMEM);
	stdio_close(sc.stdio);
	sc.stdio = NULL;
	ck_assert_uint_eq(count_fds(), fds);
	return r == 0;
}

START_TEST(test_out_of_memory)
{
	unsigned n = 1;

	oom_begin();
	scene_begin();
	make_fifos();
	while (!live(n))
		n++;
	ck_assert_uint_gt(n, 10);
	scene_end();
}
END_TEST

/* ---- loggers ---- */

static void open_logger(const char *out)
{
	int fds[2];

	scene_begin();
	sc.config.out = out;
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	sc.client[1] = fds[0];
	ck_assert_int_eq(
		stream_from_fd(sc.base, fds[1], &sc.config.to_logger[0]), 0);
}

START_TEST(test_logger)
{
	open_logger("binary:///bin/log?k=v");
	open_stdio();
	start_stdio();
	put(sc.proc[1], "line");
	ck_assert_str_eq(get(sc.client[1]), "line");
	fd_close(&sc.client[1]);
	put(sc.proc[1], "more");
	loop_settle(sc.base);
	put(sc.proc[1], "and more"); /* no EPIPE */
	loop_settle(sc.base);
	ck_assert_uint_eq(stdio_lost(sc.stdio), 12);
	stdio_drain(sc.stdio, on_drained, &sc);
	fd_close(&sc.proc[1]);
	loop_settle(sc.base);
	ck_assert_uint_eq(sc.drained, 1);
	ck_assert(!stdio_was_cut(sc.stdio));
	scene_end();
}
END_TEST

START_TEST(test_logger_is_closed_on_failure)
{
	struct err e;

	open_logger("binary:///bin/log");
	sc.config.err = "relative";
	ck_assert_int_eq(
		stdio_open(sc.base, &sc.config, &sc.stdio, &e), -EINVAL);
	ck_assert(at_end(sc.client[1]));
	scene_end();
}
END_TEST

START_TEST(test_logger_takes_no_input)
{
	struct err e;

	ck_assert_int_eq(
		stdio_check("binary:///bin/l", NULL, NULL, &e), -EINVAL);
	ck_assert_int_eq(
		stdio_check(NULL, "binary:///bin/l", "binary-v2:///bin/l", &e),
		0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_three_fifos,
		test_ends_reach_the_client, test_reattach,
		test_no_client_at_all, test_client_comes_after_the_end,
		test_null, test_files, test_file_in_new_folders, test_lost,
		test_lost_so_far, test_owner, test_check, test_refused,
		test_nothing_is_opened_before_all_is_checked,
		test_stdin_is_checked_like_the_others,
		test_unimplemented_is_known_before_anything_is_opened,
		test_close_stdin, test_close_stdin_before_start,
		test_close_stdin_while_blocked, test_stdin_that_nobody_reads,
		test_drain, test_drain_is_quiet, test_drain_half,
		test_drain_let_go, test_drain_blocked,
		test_drain_without_a_client, test_drain_slow_reader,
		test_drain_chatter, test_drain_twice, test_drain_before_start,
		test_close_while_draining, test_close_in_drained, test_terminal,
		test_terminal_ends, test_terminal_close_stdin,
		test_terminal_to_nowhere, test_terminal_that_never_comes,
		test_close_removes_the_socket, test_out_of_memory, test_logger,
		test_logger_is_closed_on_failure, test_logger_takes_no_input,
		NULL};

	return suite_run("stdio", tests);
}
