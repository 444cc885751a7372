/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/stream.h"

#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

static struct event_base *base;
static unsigned told, told_what;

static void on_told(struct stream *s, unsigned what, void *arg)
{
	(void)s;
	(void)arg;
	told++;
	told_what = what;
}

/* Both ends as streams. */
static void pair(struct stream **ret_a, struct stream **ret_b)
{
	wchar_t name[PIPE_NAME_MAX];
	HANDLE a, b;

	base = event_base_new();
	pipe_fresh_name(name);
	ck_assert_int_eq(pipe_listen(name, PIPE_ACCESS_DUPLEX, true, 1,
				 PIPE_FOR_ALL_OF_US, &a),
		0);
	ck_assert_int_eq(pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &b), 0);
	ck_assert_int_eq(stream_from_handle(base, a, ret_a), 0);
	ck_assert_int_eq(stream_from_handle(base, b, ret_b), 0);
	stream_set_cb(*ret_a, on_told, NULL);
	stream_set_cb(*ret_b, on_told, NULL);
	told = told_what = 0;
}

static unsigned told_in(unsigned turns)
{
	unsigned before = told;

	told_what = 0;
	while (turns-- > 0) {
		loop_turn(base);
		Sleep(2);
	}
	return told - before;
}

START_TEST(test_both_ways)
{
	struct stream *a, *b;
	char buf[16];

	pair(&a, &b);
	ck_assert_int_eq(stream_read(a, buf, 4), -EAGAIN);
	ck_assert_int_eq(stream_write(b, "ping", 4), 4);
	ck_assert_uint_eq(read_some(base, a, buf, 4), 4);
	ck_assert_mem_eq(buf, "ping", 4);
	ck_assert_int_eq(stream_write(a, "pong!", 5), 5);
	ck_assert_uint_eq(read_some(base, b, buf, 2), 2);
	ck_assert_uint_eq(stream_pending(b), 3);
	ck_assert_uint_eq(read_some(base, b, buf, 3), 3);
	ck_assert_mem_eq(buf, "ng!", 3);
	stream_close(a);
	ck_assert(at_end(base, b));
	ck_assert_int_eq(stream_write(b, "x", 1), -EPIPE);
	ck_assert_int_eq(stream_write(b, "", 0), -EPIPE);
	stream_close(b);
	event_base_free(base);
}
END_TEST

START_TEST(test_level_triggered)
{
	struct stream *a, *b;
	char buf[8];

	pair(&a, &b);
	ck_assert_int_eq(stream_watch(a, STREAM_READ), 0);
	ck_assert_uint_eq(told_in(5), 0);
	ck_assert_int_eq(stream_write(b, "ab", 2), 2);
	ck_assert(wait_for(base, told > 0));
	ck_assert_uint_ge(told_in(4), 3);
	ck_assert_uint_eq(told_what, STREAM_READ);
	ck_assert_int_eq(stream_read(a, buf, 1), 1);
	ck_assert_uint_ge(told_in(4), 3);
	ck_assert_int_eq(stream_read(a, buf, 8), 1);
	told_in(3);
	ck_assert_uint_eq(told_in(5), 0);
	ck_assert_int_eq(stream_watch(a, STREAM_WRITE), 0);
	ck_assert_uint_ge(told_in(4), 3);
	ck_assert_uint_eq(told_what, STREAM_WRITE);
	ck_assert_int_eq(stream_watch(a, 0), 0);
	ck_assert_uint_eq(told_in(4), 0);
	ck_assert_int_eq(stream_watch(a, STREAM_READ), 0);
	stream_close(b); /* the end counts as ready */
	told = 0;
	ck_assert(wait_for(base, told > 0));
	ck_assert_int_eq(stream_read(a, buf, 8), 0);
	stream_close(a);
	event_base_free(base);
}
END_TEST

/* What has been written stays for who reads later, also after a close. */
START_TEST(test_close_keeps_what_is_written)
{
	struct stream *a, *b;
	char buf[16];

	pair(&a, &b);
	ck_assert_int_eq(stream_write(a, "last words", 10), 10);
	ck_assert_int_eq(stream_linger(a), STREAM_TAKEN);
	stream_close(a);
	ck_assert_uint_eq(read_some(base, b, buf, 16), 10);
	ck_assert_mem_eq(buf, "last words", 10);
	ck_assert(at_end(base, b));
	stream_close(b);
	event_base_free(base);
}
END_TEST

START_TEST(test_back_pressure)
{
	struct stream *a, *b;
	static char out[50000], in[50000];
	size_t sent = 0, got = 0, i;
	ssize_t w;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	pair(&a, &b);
	/* until there is no room, which is soon */
	while (sent < 100 * sizeof(out)) {
		w = stream_write(a, out + sent % sizeof(out),
			sizeof(out) - sent % sizeof(out));
		if (w == -EAGAIN)
			break;
		ck_assert_int_gt(w, 0);
		sent += (size_t)w;
	}
	ck_assert_uint_lt(sent, 1 << 20);
	ck_assert_int_eq(stream_watch(a, STREAM_WRITE), 0);
	ck_assert_uint_eq(told_in(5), 0);
	ck_assert_int_eq(stream_linger(a), STREAM_BEING_READ);
	ck_assert_uint_gt(stream_unread(a), 0);
	while (got < sent) {
		size_t n = sent - got < sizeof(in) ? sent - got : sizeof(in);

		n = read_some(base, b, in, n);
		ck_assert_uint_gt(n, 0);
		for (i = 0; i < n; i++)
			ck_assert(in[i] == out[(got + i) % sizeof(out)]);
		got += n;
	}
	told = 0;
	ck_assert(wait_for(base, told > 0));
	ck_assert_uint_eq(stream_unread(a), 0);
	stream_close(a);
	stream_close(b);
	event_base_free(base);
}
END_TEST

/* Operations that are under way are canceled, and leak nothing. */
START_TEST(test_close_while_busy)
{
	struct stream *a, *b;
	static char out[65536];
	unsigned i;

	for (i = 0; i < 50; i++) {
		pair(&a, &b);
		stream_watch(a, STREAM_READ | STREAM_WRITE);
		stream_watch(b, STREAM_READ);
		while (stream_write(a, out, sizeof(out)) > 0)
			;
		if (i % 2)
			loop_turn(base);
		stream_close(i % 3 ? a : b);
		if (i % 5)
			loop_turn(base);
		stream_close(i % 3 ? b : a);
		event_base_free(base);
	}
}
END_TEST

static void close_it(struct stream *s, unsigned what, void *arg)
{
	(void)what;
	(void)arg;
	told++;
	stream_close(s);
}

START_TEST(test_close_from_callback)
{
	struct stream *a, *b;

	pair(&a, &b);
	stream_set_cb(a, close_it, NULL);
	stream_watch(a, STREAM_READ | STREAM_WRITE);
	ck_assert(wait_for(base, told == 1));
	ck_assert_uint_eq(told_in(4), 0);
	ck_assert(at_end(base, b));
	stream_close(b);
	event_base_free(base);
}
END_TEST

START_TEST(test_log_and_null)
{
	struct stream *s;
	struct err e;
	char buf[32];

	base = event_base_new();
	ck_assert_int_eq(stream_open_log(base, here("a/b/log"), &s, &e), 0);
	stream_set_cb(s, on_told, NULL);
	stream_watch(s, STREAM_WRITE);
	ck_assert_uint_ge(told_in(4), 3);
	ck_assert_int_eq(stream_write(s, "one ", 4), 4);
	stream_close(s);
	ck_assert_int_eq(stream_open_log(base, here("a/b/log"), &s, &e), 0);
	ck_assert_int_eq(stream_write(s, "two", 3), 3);
	stream_close(s);
	get_file("a/b/log", buf, sizeof(buf));
	ck_assert_str_eq(buf, "one two");
	ck_assert_int_eq(stream_open_null(base, &s), 0);
	ck_assert_int_eq(stream_write(s, "gone", 4), 4);
	ck_assert_int_eq(stream_read(s, buf, 4), 0);
	stream_close(s);
	ck_assert_int_lt(stream_open_log(base, here("a/b"), &s, &e), 0);
	event_base_free(base);
}
END_TEST

/* ---- stdio: we dial, and dial again ---- */

static HANDLE serve(const wchar_t *name)
{
	HANDLE h;

	ck_assert_int_eq(pipe_listen(name, PIPE_ACCESS_DUPLEX, false, 0,
				 PIPE_FOR_ALL_OF_US, &h),
		0);
	return h;
}

START_TEST(test_redial)
{
	wchar_t name[PIPE_NAME_MAX];
	char text[PIPE_NAME_MAX], buf[32];
	struct stream *s, *daemon;
	struct err e;
	HANDLE h;
	DWORD n;

	base = event_base_new();
	pipe_fresh_name(name);
	ck_assert_int_eq(win_narrow(name, text, sizeof(text)), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &s, &e), -ENOENT);
	ck_assert_int_eq(stream_from_handle(base, serve(name), &daemon), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &s, &e), 0);
	ck_assert_int_eq(stream_write(s, "before", 6), 6);
	ck_assert_uint_eq(read_some(base, daemon, buf, 6), 6);
	stream_close(daemon);
	ck_assert_int_eq(stream_linger(s), STREAM_TAKEN);
	/* nobody is there: what is written waits */
	ck_assert_int_eq(stream_write(s, "between", 7), 7);
	ck_assert_int_eq(stream_write(s, "no", 2), -EAGAIN);
	ck_assert_int_eq(stream_linger(s), STREAM_LEFT_ALONE);
	ck_assert_uint_eq(stream_unread(s), 7);
	h = serve(name);
	ck_assert(wait_for(base, PeekNamedPipe(h, NULL, 0, NULL, &n, NULL)));
	ck_assert_int_eq(stream_from_handle(base, h, &daemon), 0);
	ck_assert_uint_eq(read_some(base, daemon, buf, 7), 7);
	ck_assert_mem_eq(buf, "between", 7);
	ck_assert(wait_for(base, stream_write(s, "after", 5) == 5));
	ck_assert_uint_eq(read_some(base, daemon, buf, 5), 5);
	stream_close(s);
	stream_close(daemon);
	event_base_free(base);
}
END_TEST

/* Nobody comes in the time that there is for it: that is the end. */
START_TEST(test_dial_for)
{
	wchar_t name[PIPE_NAME_MAX];
	char text[PIPE_NAME_MAX];
	struct stream *s, *daemon;
	struct err e;

	base = event_base_new();
	pipe_fresh_name(name);
	ck_assert_int_eq(win_narrow(name, text, sizeof(text)), 0);
	ck_assert_int_eq(stream_from_handle(base, serve(name), &daemon), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &s, &e), 0);
	stream_close(daemon);
	stream_dial_for(1);
	ck_assert_int_eq(stream_write(s, "lost", 4), 4);
	ck_assert_int_eq(stream_write(s, "no", 2), -EAGAIN);
	ck_assert(wait_for(base, stream_write(s, "no", 2) == -EPIPE));
	ck_assert_uint_eq(stream_unread(s), 0);
	stream_dial_for(0);
	stream_close(s);
	event_base_free(base);
}
END_TEST

/* The daemon has made its pipes and does not wait at them yet. */
START_TEST(test_dial_while_busy)
{
	struct stream *out, *in, *daemon[2];
	wchar_t name[PIPE_NAME_MAX];
	char text[PIPE_NAME_MAX], buf[32];
	HANDLE taken, by, h[2];
	struct err e;
	unsigned i;
	DWORD n;

	base = event_base_new();
	pipe_fresh_name(name);
	ck_assert_int_eq(win_narrow(name, text, sizeof(text)), 0);
	taken = serve(name);
	ck_assert_int_eq(pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &by), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &out, &e), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &in, &e), 0);
	stream_set_cb(in, on_told, NULL);
	ck_assert_int_eq(stream_watch(in, STREAM_READ), 0);
	ck_assert_int_eq(stream_read(in, buf, 1), -EAGAIN);
	ck_assert_int_eq(stream_write(out, "first", 5), -EAGAIN);
	told_in(10);
	for (i = 0; i < 2; i++) {
		h[i] = serve(name);
		ck_assert(wait_for(
			base, PeekNamedPipe(h[i], NULL, 0, NULL, &n, NULL)));
		ck_assert_int_eq(stream_from_handle(base, h[i], &daemon[i]), 0);
		ck_assert_int_eq(stream_write(daemon[i], "typed", 5), 5);
	}
	ck_assert(wait_for(base, stream_write(out, "first", 5) == 5));
	ck_assert_uint_eq(read_some(base, in, buf, 5), 5);
	ck_assert_mem_eq(buf, "typed", 5);
	ck_assert(wait_for(base, stream_read(daemon[0], buf, 5) == 5 ||
					 stream_read(daemon[1], buf, 5) == 5));
	ck_assert_mem_eq(buf, "first", 5);
	stream_close(out);
	stream_close(in);
	stream_close(daemon[0]);
	stream_close(daemon[1]);
	CloseHandle(taken);
	CloseHandle(by);
	event_base_free(base);
}
END_TEST

/* Nobody comes in time. */
START_TEST(test_dial_in_vain)
{
	struct stream *out, *in;
	wchar_t name[PIPE_NAME_MAX];
	char text[PIPE_NAME_MAX], buf[8];
	HANDLE taken, by;
	struct err e;

	base = event_base_new();
	pipe_fresh_name(name);
	ck_assert_int_eq(win_narrow(name, text, sizeof(text)), 0);
	taken = serve(name);
	ck_assert_int_eq(pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &by), 0);
	stream_dial_for(1);
	ck_assert_int_eq(stream_open_fifo(base, text, &out, &e), 0);
	ck_assert_int_eq(stream_open_fifo(base, text, &in, &e), 0);
	stream_set_cb(in, on_told, NULL);
	told = 0;
	ck_assert_int_eq(stream_watch(in, STREAM_READ), 0);
	ck_assert_int_eq(stream_write(out, "first", 5), -EAGAIN);
	ck_assert(wait_for(base, stream_write(out, "x", 1) != -EAGAIN));
	ck_assert_int_lt(stream_write(out, "x", 1), 0);
	ck_assert(wait_for(base, told > 0));
	ck_assert_int_lt(stream_read(in, buf, 8), 0);
	stream_dial_for(0);
	stream_close(out);
	stream_close(in);
	CloseHandle(taken);
	CloseHandle(by);
	event_base_free(base);
}
END_TEST

START_TEST(test_bad_names)
{
	static const char *const bad[] = {"", "/fifo", "C:\\file",
		"\\\\.\\pipe", "\\\\.\\pipe\\", "\\\\.\\mailslot\\x", "pipe",
		"\xff"};
	struct stream *s;
	struct err e;
	unsigned i;

	base = event_base_new();
	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(
			stream_open_fifo(base, bad[i], &s, &e), -EINVAL);
	ck_assert_int_eq(
		stream_connect(base, "\\\\.\\pipe\\wisp-nobody", &s, &e),
		-ENOENT);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_both_ways, test_level_triggered,
		test_close_keeps_what_is_written, test_back_pressure,
		test_close_while_busy, test_close_from_callback,
		test_log_and_null, test_redial, test_dial_for,
		test_dial_while_busy, test_dial_in_vain, test_bad_names, NULL};

	return suite_run("windows stream", tests);
}
