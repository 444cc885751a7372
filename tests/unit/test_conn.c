/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/conn.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo.pb-c.h"
#include "platform/linux/fd.h"

/* What a test wants the connection to do in a callback. */
enum action { NOTHING, FREE, FAIL, FINISH, SEND, REFILL };

struct seen {
	unsigned frames, skipped, eofs, writables, closed;
	struct frame last;
	uint8_t data[64]; /* of the last frame */
	int skip_error, error;
	enum action on_frame, on_skipped, on_eof, on_writable;
};

static struct event_base *base;
static struct seen seen;
static struct conn *conn;
static int fd;

static int send_text(const char *text, size_t data_size, bool important)
{
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;
	struct envelope m = {.body = &r.base};
	struct frame f = {.id = 1, .type = FRAME_DATA};
	int got;

	r.text = (char *)text;
	r.data.len = data_size;
	r.data.data = calloc(1, data_size ? data_size : 1);
	got = conn_send(conn, &f, &m, important);
	free(r.data.data);
	return got;
}

static void put_frame(uint32_t length, uint8_t type, const char *data, size_t n)
{
	struct frame f = {length, 1, type, 0};
	uint8_t header[FRAME_HEADER_SIZE];

	frame_encode(&f, header);
	ck_assert_int_eq(write(fd, header, sizeof(header)), sizeof(header));
	if (n > 0)
		ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
}

static void act(enum action a)
{
	struct conn *c = conn;

	if (a == FREE) {
		conn = NULL;
		conn_free(c);
	} else if (a == FAIL) {
		conn_fail(c, -EBADF);
	} else if (a == FINISH) {
		conn_finish(c);
	} else if (a == SEND) {
		send_text("from a callback", 0, false);
	} else if (a == REFILL) {
		put_frame(0, FRAME_DATA, NULL, 0);
	}
}

static void on_frame(const struct frame *f, const uint8_t *data, void *arg)
{
	struct seen *s = arg;

	s->frames++;
	s->last = *f;
	ck_assert((f->length == 0) == (data == NULL));
	memcpy(s->data, data ? data : (const uint8_t *)"",
		f->length < sizeof(s->data) ? f->length : sizeof(s->data));
	act(s->on_frame);
}

static void on_skipped(const struct frame *f, int error, void *arg)
{
	struct seen *s = arg;

	s->skipped++;
	s->last = *f;
	s->skip_error = error;
	act(s->on_skipped);
}

static void on_eof(void *arg)
{
	struct seen *s = arg;

	s->eofs++;
	act(s->on_eof);
}

static void on_writable(void *arg)
{
	struct seen *s = arg;

	s->writables++;
	act(s->on_writable);
}

static void on_closed(int error, void *arg)
{
	struct seen *s = arg;

	s->closed++;
	s->error = error;
}

static const struct conn_ops ops = {
	on_frame, on_skipped, on_eof, on_writable, on_closed};

static void settle(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void setup(void)
{
	struct stream *s;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fd = fds[1];
	ck_assert_int_eq(stream_from_fd(base, fds[0], &s), 0);
	ck_assert_int_eq(
		conn_new(base, s, CONN_THROTTLE, &ops, &seen, &conn), 0);
}

static void teardown(void)
{
	conn_free(conn);
	close(fd);
	event_base_free(base);
}

/* Reads what is there. */
static size_t drain(void)
{
	static char waste[1 << 20];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(fd, waste, sizeof(waste))) > 0)
		sum += (size_t)n;
	return sum;
}

static size_t drain_all(void)
{
	size_t n, sum = 0;

	do {
		settle();
		n = drain();
		sum += n;
	} while (n > 0);
	return sum;
}

/* What malloc keeps at hand counts as used. */
enum { TCACHE = 2048 };

static size_t heap(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

/* ---- receiving ---- */

START_TEST(test_frames)
{
	put_frame(5, FRAME_REQUEST, "hello", 5);
	put_frame(0, FRAME_DATA, NULL, 0);
	settle();
	ck_assert_uint_eq(seen.frames, 2);
	ck_assert_mem_eq(seen.data, "hello", 5);
	ck_assert_uint_eq(seen.last.type, FRAME_DATA);
	ck_assert_uint_eq(seen.closed, 0);
}
END_TEST

START_TEST(test_cut_at_every_byte)
{
	uint8_t wire[FRAME_HEADER_SIZE + 4];
	struct frame f = {4, 9, FRAME_DATA, 0};
	size_t i;

	frame_encode(&f, wire);
	memcpy(wire + FRAME_HEADER_SIZE, "four", 4);
	for (i = 1; i < sizeof(wire); i++) {
		seen.frames = 0;
		ck_assert_int_eq(write(fd, wire, i), (ssize_t)i);
		settle();
		ck_assert_uint_eq(seen.frames, 0);
		ck_assert_int_eq(write(fd, wire + i, sizeof(wire) - i),
			(ssize_t)(sizeof(wire) - i));
		settle();
		ck_assert_uint_eq(seen.frames, 1);
		ck_assert_mem_eq(seen.data, "four", 4);
	}
}
END_TEST

START_TEST(test_skip)
{
	char data[1000] = {0};
	size_t left;

	put_frame(FRAME_DATA_MAX + 1, FRAME_REQUEST, NULL, 0);
	for (left = FRAME_DATA_MAX + 1; left > 0;) {
		size_t n = left < sizeof(data) ? left : sizeof(data);
		ssize_t got = write(fd, data, n);

		ck_assert_uint_eq(seen.skipped, 0);
		if (got > 0)
			left -= (size_t)got;
		settle();
	}
	ck_assert_uint_eq(seen.skipped, 1);
	ck_assert_int_eq(seen.skip_error, -EMSGSIZE);
	ck_assert_uint_eq(seen.last.length, FRAME_DATA_MAX + 1);
	put_frame(2, FRAME_REQUEST, "ok", 2);
	settle();
	ck_assert_uint_eq(seen.frames, 1);
}
END_TEST

/* Memory is taken for a frame while it is partly there, and for no longer. */
START_TEST(test_no_idle_buffer)
{
	size_t before = heap();
	int i;

	put_frame(100000, FRAME_REQUEST, "some", 4);
	settle();
	ck_assert_uint_eq(seen.frames, 0);
	for (i = 0; i < 99996; i += 4) {
		ck_assert_int_eq(write(fd, "more", 4), 4);
		settle();
	}
	ck_assert_uint_eq(seen.frames, 1);
	ck_assert_uint_le(heap(), before + TCACHE);
}
END_TEST

START_TEST(test_malformed)
{
	put_frame(5, FRAME_REQUEST, "hello", 5);
	ck_assert_int_eq(write(fd, "SSH-2.0-OpenSSH", 15), 15);
	settle();
	ck_assert_uint_eq(seen.frames, 1);
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_int_eq(seen.error, -EPROTO);
	ck_assert_int_eq(send_text("", 0, false), -EPIPE);
}
END_TEST

START_TEST(test_ends)
{
	/* 0: between frames; else within the header or the data */
	put_frame(5, FRAME_REQUEST, "hello", 5);
	put_frame(5, FRAME_REQUEST, "hello", 5);
	ck_assert_int_eq(write(fd, "\0\0\0\2\0\0\0\1\1\0xx", (size_t)_i), _i);
	close(fd);
	settle();
	ck_assert_uint_eq(seen.frames, _i == 12 ? 3 : 2);
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_uint_eq(seen.eofs, 0); /* it does not read either */
	ck_assert_int_eq(seen.error, _i % 12 ? -EPROTO : 0);
	fd = -1;
}
END_TEST

START_TEST(test_half_closed)
{
	shutdown(fd, SHUT_WR);
	settle();
	ck_assert_uint_eq(seen.eofs, 1);
	ck_assert_uint_eq(seen.closed, 0);
	ck_assert_int_eq(send_text("still", 0, false), 0);
	conn_finish(conn);
	ck_assert_int_eq(send_text("never", 0, false), -EPIPE);
	settle();
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_int_eq(seen.error, 0);
	ck_assert_uint_eq(drain(), FRAME_HEADER_SIZE + 7);
}
END_TEST

/* One peer that sends without end does not keep another waiting. */
START_TEST(test_turns)
{
	struct seen other = {0};
	struct conn *second;
	struct stream *s;
	int pair[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(stream_from_fd(base, pair[0], &s), 0);
	ck_assert_int_eq(conn_new(base, s, 0, &ops, &other, &second), 0);
	seen.on_frame = REFILL;
	put_frame(0, FRAME_DATA, NULL, 0);
	ck_assert_int_eq(write(pair[1], "\0\0\0\0\0\0\0\1\3\0", 10), 10);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(other.frames, 1);
	ck_assert_uint_ge(seen.frames, 10);
	conn_free(second);
	close(pair[1]);
}
END_TEST

/* ---- sending ---- */

START_TEST(test_send_at_once)
{
	size_t before = heap();
	char buf[100];

	ck_assert_int_eq(send_text("hi", 0, false), 0);
	ck_assert(conn_is_flushed(conn));
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), FRAME_HEADER_SIZE + 4);
	ck_assert_mem_eq(buf, "\0\0\0\4\0\0\0\1\3\0\x0a\2hi", 14);
	ck_assert_uint_le(heap(), before + TCACHE);
}
END_TEST

START_TEST(test_envelope)
{
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct envelope m = {&q.base, &r.base, 3};
	struct frame f = {.id = 7, .type = FRAME_REQUEST};
	char buf[100];

	q.text = (char *)"a";
	r.text = (char *)"b";
	ck_assert_int_eq(conn_send(conn, &f, &m, false), 0);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), FRAME_HEADER_SIZE + 8);
	ck_assert_mem_eq(buf, "\0\0\0\x8\0\0\0\7\1\0\x0a\1a\x1a\3\x0a\1b", 18);
	/* an empty field is left out, as proto3 has it */
	r.text = (char *)"";
	ck_assert_int_eq(conn_send(conn, &f, &m, false), 0);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), FRAME_HEADER_SIZE + 3);
}
END_TEST

START_TEST(test_send_sizes)
{
	static const size_t sizes[] = {0, 1, CONN_SMALL - 10, CONN_SMALL,
		CONN_SMALL + 10, 100000, FRAME_DATA_MAX - 5};
	size_t before = heap(), i, want = 0;

	for (i = 0; i < 7; i++) {
		ck_assert_int_eq(send_text("", sizes[i], false), 0);
		want += FRAME_HEADER_SIZE + sizes[i];
		want += sizes[i] > 0 ? 2 : 0;
		want += sizes[i] > 127 ? 1 : 0;
		want += sizes[i] > 16383 ? 1 : 0;
		want += sizes[i] > 2097151 ? 1 : 0;
	}
	ck_assert_int_eq(send_text("", FRAME_DATA_MAX - 4, false), -EMSGSIZE);
	ck_assert(!conn_is_flushed(conn));
	ck_assert_uint_eq(drain_all(), want);
	ck_assert(conn_is_flushed(conn));
	ck_assert_uint_le(heap(), before + TCACHE);
}
END_TEST

/* Fills the queue until it refuses. */
static unsigned fill(size_t size)
{
	unsigned n = 0;
	int r;

	while ((r = send_text("", size, false)) == 0)
		n++;
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert(conn_is_congested(conn));
	return n;
}

START_TEST(test_bounds)
{
	size_t before = heap(), sent;
	unsigned more = 0;

	sent = fill(100000);
	ck_assert_uint_le(heap(), before + CONN_QUEUE_MAX + 8192);
	/* only what must be said goes on top, bounded as well */
	while (send_text("important", 0, true) == 0)
		more++;
	ck_assert_uint_ge(more, 1000);
	ck_assert_uint_le(heap(),
		before + CONN_QUEUE_MAX + 2 * CONN_QUEUE_RESERVE + 200000);
	ck_assert_uint_eq(drain_all(),
		sent * (100000 + 14) + more * (FRAME_HEADER_SIZE + 11));
	ck_assert_uint_eq(seen.writables, 1);
	ck_assert_uint_le(heap(), before + TCACHE);
}
END_TEST

/* A maximal message always fits while the connection is not congested. */
START_TEST(test_largest_fits)
{
	while (!conn_is_congested(conn))
		ck_assert_int_eq(send_text("", FRAME_DATA_MAX - 5, false), 0);
	drain_all();
}
END_TEST

START_TEST(test_throttle)
{
	fill(1000000);
	put_frame(0, FRAME_DATA, NULL, 0);
	settle();
	ck_assert_uint_eq(seen.frames, 0);
	drain_all();
	ck_assert_uint_eq(seen.frames, 1);
}
END_TEST

START_TEST(test_finish_flushes)
{
	size_t n = fill(1000000);

	conn_finish(conn);
	ck_assert_uint_eq(drain_all(), n * (1000000 + 4 + FRAME_HEADER_SIZE));
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_int_eq(seen.error, 0);
}
END_TEST

START_TEST(test_peer_gone)
{
	size_t before = heap();

	fill(1000000);
	close(fd);
	fd = -1;
	settle();
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_int_eq(seen.error, -EPIPE);
	ck_assert_uint_eq(seen.writables, 0);
	ck_assert_uint_le(heap(), before + TCACHE);
}
END_TEST

/* closed() never runs inside conn_send(). */
START_TEST(test_send_to_nobody)
{
	close(fd);
	fd = -1;
	ck_assert_int_eq(send_text("", 0, false), -EPIPE);
	ck_assert_uint_eq(seen.closed, 0);
	settle();
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_int_eq(seen.error, -EPIPE);
}
END_TEST

/* ---- callbacks that end it ---- */

static void each_action(
	enum action *where, void (*cause)(void), const unsigned *count)
{
	enum action a;

	for (a = NOTHING; a <= SEND; a++) {
		if (a > NOTHING)
			setup();
		memset(&seen, 0, sizeof(seen));
		*where = a;
		cause();
		settle();
		ck_assert_uint_ge(*count, 1);
		if (a != NOTHING && a != SEND) {
			ck_assert_uint_eq(*count, 1);
			ck_assert_uint_eq(seen.closed, a != FREE);
		}
		drain_all();
		if (a < SEND)
			teardown();
	}
}

static void cause_frame(void)
{
	put_frame(3, FRAME_DATA, "abc", 3);
	put_frame(3, FRAME_DATA, "abc", 3);
}

static void cause_skipped(void)
{
	static char waste[100000];
	size_t i;

	put_frame(50 * sizeof(waste), FRAME_DATA, NULL, 0);
	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(write(fd, waste, sizeof(waste)),
			(ssize_t)sizeof(waste));
		settle();
	}
	if (seen.on_skipped == NOTHING || seen.on_skipped == SEND)
		cause_frame();
}

static void cause_eof(void)
{
	shutdown(fd, SHUT_WR);
}

static void cause_writable(void)
{
	fill(1000000);
	drain_all();
}

START_TEST(test_frame_ends_it)
{
	each_action(&seen.on_frame, cause_frame, &seen.frames);
}
END_TEST

START_TEST(test_skipped_ends_it)
{
	each_action(&seen.on_skipped, cause_skipped, &seen.skipped);
}
END_TEST

START_TEST(test_eof_ends_it)
{
	each_action(&seen.on_eof, cause_eof, &seen.eofs);
}
END_TEST

START_TEST(test_writable_ends_it)
{
	each_action(&seen.on_writable, cause_writable, &seen.writables);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_frames, test_cut_at_every_byte,
		test_skip, test_no_idle_buffer, test_malformed,
		test_half_closed, test_turns, test_send_at_once, test_envelope,
		test_send_sizes, test_bounds, test_largest_fits, test_throttle,
		test_finish_flushes, test_peer_gone, test_send_to_nobody,
		test_frame_ends_it, test_skipped_ends_it, test_eof_ends_it,
		test_writable_ends_it};
	Suite *s = suite_create("conn");
	TCase *t = tcase_create("conn");
	SRunner *r;
	size_t i;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, test_ends, 0, 13);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
