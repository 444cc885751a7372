/* SPDX-License-Identifier: Apache-2.0 */
/* The server, met with bytes: what a well-behaved peer never sends. */
#include "ttrpc/server.h"

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ttrpc.pb-c.h"
#include "util_ttrpc.h"

static struct world *w;
static int fd;

static void setup(void)
{
	w = world_new();
	fd = world_socket(w);
}

static void teardown(void)
{
	close(fd);
	world_free(w);
}

static bool say(uint32_t id, const char *text)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	q.text = (char *)text;
	return raw_request(w, fd, id, 0, "Say", &q.base, 0);
}

/* Whether id gives this code, with a text that contains this. */
static bool answers(uint32_t id, enum ttrpc_code code, const char *contains)
{
	char text[256] = "";
	int got = raw_response(w, fd, id, text);

	if (got == (int)code && strstr(text, contains))
		return true;
	ck_abort_msg("stream %u: %d '%s'", id, got, text);
	return false;
}

/* Whether the connection still works, on a fresh id. */
static bool lives(uint32_t id)
{
	return say(id, "alive") && answers(id, TTRPC_OK, "alive");
}

START_TEST(test_byte_at_a_time)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	int pair[2];
	char buf[4096];
	ssize_t n, i;

	/* the bytes of two requests */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	q.text = (char *)"slowly";
	raw_request(w, pair[0], 1, 0, "Say", &q.base, 0);
	raw_request(w, pair[0], 3, 0, "Say", &q.base, 0);
	n = read(pair[1], buf, sizeof(buf));
	for (i = 0; i < n; i++) {
		ck_assert(raw_write(w, fd, buf + i, 1));
		world_settle(w);
	}
	ck_assert(answers(1, TTRPC_OK, "slowly"));
	ck_assert(answers(3, TTRPC_OK, "slowly"));
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* ---- what is answered with a status ---- */

START_TEST(test_even_id)
{
	static const uint32_t ids[] = {0, 2, 0xfffffffe};
	size_t i;

	for (i = 0; i < 3; i++) {
		ck_assert(say(ids[i], "x"));
		ck_assert(answers(ids[i], TTRPC_INVALID_ARGUMENT, "odd"));
	}
	ck_assert(lives(1));
	ck_assert_uint_eq(w->n_said, 1);
}
END_TEST

START_TEST(test_used_id)
{
	ck_assert(lives(5));
	ck_assert(say(5, "x"));
	ck_assert(answers(5, TTRPC_INVALID_ARGUMENT, "must increment"));
	ck_assert(say(3, "x"));
	ck_assert(answers(3, TTRPC_INVALID_ARGUMENT, "must increment"));
	ck_assert(lives(7));
	ck_assert(lives(0xffffffff));
	ck_assert_uint_eq(w->n_said, 3);
}
END_TEST

/* An open call survives somebody's second use of its id. */
START_TEST(test_used_id_open)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	ck_assert(raw_request(w, fd, 1, 0, "Hold", &q.base, 0));
	ck_assert(world_wait(w, w->n_held));
	ck_assert(say(1, "x"));
	ck_assert(answers(1, TTRPC_INVALID_ARGUMENT, "must increment"));
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "as planned");
	ck_assert(answers(1, TTRPC_ABORTED, "as planned"));
}
END_TEST

START_TEST(test_bad_envelope)
{
	ck_assert(raw_frame(w, fd, 1, FRAME_REQUEST, 0, "\xff\xff\xff", 3));
	ck_assert(answers(1, TTRPC_INVALID_ARGUMENT, "unmarshal request"));
	/* a string that claims 4 GiB */
	ck_assert(raw_frame(
		w, fd, 3, FRAME_REQUEST, 0, "\x0a\xff\xff\xff\xff\x0f", 6));
	ck_assert(answers(3, TTRPC_INVALID_ARGUMENT, "unmarshal request"));
	ck_assert(lives(5));
}
END_TEST

START_TEST(test_empty_request)
{
	ck_assert(raw_frame(w, fd, 1, FRAME_REQUEST, 0, NULL, 0));
	ck_assert(answers(1, TTRPC_UNIMPLEMENTED, "service "));
	ck_assert(lives(3));
}
END_TEST

/* A request whose payload is the given bytes. */
static bool request_with(uint32_t id, const void *payload, size_t n)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	uint8_t *buf;
	size_t size;
	bool ok;

	q.service = (char *)ECHO;
	q.method = (char *)"Say";
	q.payload.data = (uint8_t *)payload;
	q.payload.len = n;
	size = protobuf_c_message_get_packed_size(&q.base);
	buf = malloc(size);
	protobuf_c_message_pack(&q.base, buf);
	ok = raw_frame(w, fd, id, FRAME_REQUEST, 0, buf, size);
	free(buf);
	return ok;
}

START_TEST(test_bad_payload)
{
	ck_assert(request_with(1, "\x0a\x05hi", 4));
	ck_assert(answers(1, TTRPC_INVALID_ARGUMENT, "unmarshal payload"));
	ck_assert(lives(3));
	ck_assert_uint_eq(w->n_said, 1);
}
END_TEST

/* Two bytes on the wire, a hundred in memory: 2,000,000 empty parts. */
START_TEST(test_amplification)
{
	const size_t n = 4000000;
	uint8_t *parts = malloc(n);
	size_t i;

	for (i = 0; i < n; i += 2) {
		parts[i] = 3 << 3 | 2;
		parts[i + 1] = 0;
	}
	ck_assert(request_with(1, parts, n));
	ck_assert(answers(1, TTRPC_RESOURCE_EXHAUSTED, "too much memory"));
	/* fields nobody knows are kept by protobuf-c, too */
	for (i = 0; i < n; i += 2)
		parts[i] = 9 << 3;
	ck_assert(request_with(3, parts, n));
	ck_assert(answers(3, TTRPC_RESOURCE_EXHAUSTED, "too much memory"));
	ck_assert(lives(5));
	ck_assert_uint_eq(w->n_said, 1);
	free(parts);
}
END_TEST

START_TEST(test_response_and_unknown_type)
{
	ck_assert(raw_frame(w, fd, 1, FRAME_RESPONSE, 0, "hello", 5));
	ck_assert(raw_frame(w, fd, 1, 0, 0, "hello", 5));
	ck_assert(raw_frame(w, fd, 1, 77, 0xff, "hello", 5));
	ck_assert(lives(1));
}
END_TEST

START_TEST(test_data_without_stream)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	ck_assert(raw_frame(w, fd, 1, FRAME_DATA, 0, NULL, 0));
	ck_assert(answers(1, TTRPC_INVALID_ARGUMENT, "no longer active"));
	/* a unary call ends when data comes for it */
	ck_assert(raw_request(w, fd, 3, 0, "Hold", &q.base, 0));
	ck_assert(raw_frame(w, fd, 3, FRAME_DATA, 0, NULL, 0));
	ck_assert(answers(3, TTRPC_INVALID_ARGUMENT, "unary"));
	ck_assert_uint_eq(w->n_canceled, 1);
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "dropped");
	ck_assert(lives(5));
}
END_TEST

/* ---- sizes ---- */

static bool oversize(uint32_t id, uint8_t type, uint32_t size)
{
	struct frame f = {size, id, type, 0};
	static char waste[1 << 20];
	uint8_t header[FRAME_HEADER_SIZE];
	uint32_t n;

	frame_encode(&f, header);
	if (!raw_write(w, fd, header, sizeof(header)))
		return false;
	for (; size > 0; size -= n) {
		n = size < sizeof(waste) ? size : (uint32_t)sizeof(waste);
		if (!raw_write(w, fd, waste, n))
			return false;
	}
	return true;
}

START_TEST(test_oversize)
{
	ck_assert(oversize(1, FRAME_REQUEST, FRAME_DATA_MAX + 1));
	ck_assert(answers(1, TTRPC_RESOURCE_EXHAUSTED,
		"message length 4194305 exceed maximum message size of "
		"4194304"));
	ck_assert(oversize(3, FRAME_REQUEST, 40 << 20));
	ck_assert(answers(3, TTRPC_RESOURCE_EXHAUSTED, "41943040"));
	ck_assert(lives(5));
	/* exactly 4 MiB is legal, though no Request here */
	ck_assert(oversize(7, FRAME_REQUEST, FRAME_DATA_MAX));
	ck_assert(answers(7, TTRPC_INVALID_ARGUMENT, "unmarshal"));
	ck_assert(lives(9));
}
END_TEST

/* Nothing is held of what is passed over. */
START_TEST(test_oversize_memory)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, after;
	struct frame f = {200 << 20, 1, FRAME_REQUEST, 0};
	uint8_t header[FRAME_HEADER_SIZE];
	static char waste[1 << 20];
	int i;

	frame_encode(&f, header);
	ck_assert(raw_write(w, fd, header, sizeof(header)));
	for (i = 0; i < 100; i++)
		ck_assert(raw_write(w, fd, waste, sizeof(waste)));
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	ck_assert_uint_le(after, before + 4096);
	for (i = 0; i < 100; i++)
		ck_assert(raw_write(w, fd, waste, sizeof(waste)));
	ck_assert(answers(1, TTRPC_RESOURCE_EXHAUSTED, "exceed"));
	ck_assert(lives(3));
}
END_TEST

/* ---- what closes the connection, and only that one ---- */

START_TEST(test_garbage_closes)
{
	int other = world_socket(w);

	ck_assert(raw_write(w, fd, "GET / HTTP/1.1\r\n\r\n", 18));
	ck_assert(raw_at_end(w, fd));
	ck_assert_uint_eq(ttrpc_server_connections(w->server), 1);
	close(fd);
	fd = other;
	ck_assert(lives(1));
}
END_TEST

START_TEST(test_cut_off)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct frame f = {100, 3, FRAME_REQUEST, 0};
	uint8_t header[FRAME_HEADER_SIZE];

	ck_assert(raw_request(w, fd, 1, 0, "Hold", &q.base, 0));
	ck_assert(world_wait(w, w->n_held));
	frame_encode(&f, header);
	ck_assert(raw_write(w, fd, header, _i));
	shutdown(fd, SHUT_WR);
	ck_assert(raw_at_end(w, fd));
	ck_assert_uint_eq(w->n_canceled, 1);
	ck_assert_uint_eq(w->n_idle, 1);
}
END_TEST

/* A reset: we close with unread data in our queue. */
START_TEST(test_reset_within_frame)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct frame f = {100000, 5, FRAME_REQUEST, 0};
	uint8_t header[FRAME_HEADER_SIZE];

	ck_assert(raw_request(w, fd, 1, 0, "Hold", &q.base, 0));
	ck_assert(say(3, "never read"));
	ck_assert(world_wait(w, w->n_held && w->n_said));
	frame_encode(&f, header);
	ck_assert(raw_write(w, fd, header, sizeof(header)));
	ck_assert(raw_write(w, fd, "some of it", 10));
	world_settle(w);
	close(fd);
	ck_assert(world_wait(w, w->n_idle));
	ck_assert_uint_eq(w->n_canceled, 1);
	fd = world_socket(w);
	ck_assert(lives(1));
}
END_TEST

/* ---- half a connection ---- */

START_TEST(test_half_closed)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	ck_assert(raw_request(w, fd, 1, 0, "Hold", &q.base, 0));
	ck_assert(say(3, "after"));
	shutdown(fd, SHUT_WR);
	ck_assert(answers(3, TTRPC_OK, "after"));
	world_settle(w);
	ck_assert_uint_eq(w->n_canceled, 0);
	ck_assert_uint_eq(ttrpc_server_connections(w->server), 1);
	/* nothing spins meanwhile */
	ck_assert_int_eq(
		event_base_get_num_events(w->base, EVENT_BASE_COUNT_ADDED), 0);
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "at last");
	ck_assert(answers(1, TTRPC_ABORTED, "at last"));
	ck_assert(raw_at_end(w, fd));
	ck_assert_uint_eq(w->n_idle, 1);
}
END_TEST

START_TEST(test_half_closed_idle)
{
	ck_assert(lives(1));
	shutdown(fd, SHUT_WR);
	ck_assert(raw_at_end(w, fd));
}
END_TEST

/* A large answer is written to its end before the connection goes. */
START_TEST(test_half_closed_big)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	q.n = 3 << 20;
	ck_assert(raw_request(w, fd, 1, 0, "Big", &q.base, 0));
	shutdown(fd, SHUT_WR);
	world_settle(w);
	ck_assert(!ttrpc_server_flushed(w->server));
	ck_assert(answers(1, TTRPC_OK, ""));
	ck_assert(raw_at_end(w, fd));
}
END_TEST

/* ---- time ---- */

START_TEST(test_timeouts)
{
	static const int64_t none[] = {0, INT64_MAX, INT64_MAX / 2};
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		ck_assert(raw_request(
			w, fd, 2 * i + 1, 0, "Hold", &q.base, none[i]));
		ck_assert(world_wait(w, w->n_held == i + 1));
	}
	/* the connection, no timer */
	ck_assert_int_eq(
		event_base_get_num_events(w->base, EVENT_BASE_COUNT_ADDED), 1);
	ck_assert(raw_request(w, fd, 11, 0, "Hold", &q.base, -1));
	ck_assert(answers(11, TTRPC_DEADLINE_EXCEEDED, "deadline"));
	ck_assert(raw_request(w, fd, 13, 0, "Hold", &q.base, INT64_MIN));
	ck_assert(answers(13, TTRPC_DEADLINE_EXCEEDED, "deadline"));
	ck_assert_uint_eq(w->n_held, 3);
	ck_assert(raw_request(w, fd, 15, 0, "Hold", &q.base, 1));
	ck_assert(answers(15, TTRPC_DEADLINE_EXCEEDED, "deadline"));
	ck_assert_uint_eq(w->n_held, 4);
	ck_assert_uint_eq(w->n_canceled, 1);
	ck_assert(lives(17));
}
END_TEST

START_TEST(test_deadline_passes)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	uint64_t start_ms = world_now_ms();

	ck_assert(raw_request(w, fd, 1, 0, "Hold", &q.base, 100 * 1000000));
	ck_assert(answers(1, TTRPC_DEADLINE_EXCEEDED, "deadline exceeded"));
	ck_assert_uint_ge(world_now_ms() - start_ms, 90); /* coarse clock */
	ck_assert_uint_lt(world_now_ms() - start_ms, 2000);
	/* its peer goes later: nobody is told twice */
	close(fd);
	ck_assert(world_wait(w, w->n_idle));
	ck_assert_uint_eq(w->n_canceled, 1);
	fd = world_socket(w);
}
END_TEST

/* A status text that is no UTF-8 would make Go refuse the response. */
START_TEST(test_status_text_is_utf8)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	q.text = (char *)"name \xc3\xa9 \xff cut \xc3";
	q.n = TTRPC_NOT_FOUND;
	ck_assert(raw_request(w, fd, 1, 0, "Fail", &q.base, 0));
	ck_assert(answers(1, TTRPC_NOT_FOUND, "name \xc3\xa9 ? cut ?"));
}
END_TEST

static Suite *server_suite(void)
{
	const TTest *const tests[] = {test_byte_at_a_time, test_even_id,
		test_used_id, test_used_id_open, test_bad_envelope,
		test_empty_request, test_bad_payload, test_amplification,
		test_response_and_unknown_type, test_data_without_stream,
		test_oversize, test_oversize_memory, test_garbage_closes,
		test_reset_within_frame, test_half_closed,
		test_half_closed_idle, test_half_closed_big, test_timeouts,
		test_deadline_passes, test_status_text_is_utf8};
	Suite *s = suite_create("server");
	TCase *t = tcase_create("server");
	size_t i;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	/* within the header, at its end */
	tcase_add_loop_test(t, test_cut_off, 1, FRAME_HEADER_SIZE + 1);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(server_suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
