/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that take more than they should: memory stays bounded, and nobody else
 * notices. */
#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ttrpc.pb-c.h"
#include "ttrpc/conn.h"
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

/* Writes requests until the server stops taking them. */
static unsigned flood(int to, const char *method, uint32_t n, uint32_t id)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	Ttrpc__Request r = TTRPC__REQUEST__INIT;
	uint8_t payload[64], buf[FRAME_HEADER_SIZE + 128];
	struct frame f = {0, id, FRAME_REQUEST, 0};
	unsigned sent = 0, stuck = 0;
	size_t size;

	q.n = n;
	r.service = (char *)ECHO;
	r.method = (char *)method;
	r.payload.data = payload;
	r.payload.len = protobuf_c_message_pack(&q.base, payload);
	size = protobuf_c_message_pack(&r.base, buf + FRAME_HEADER_SIZE);
	f.length = (uint32_t)size;
	while (stuck < 100) {
		frame_encode(&f, buf);
		/* unix(7): a small write goes in whole or not at all */
		if (write(to, buf, FRAME_HEADER_SIZE + size) > 0) {
			f.id += 2;
			sent++;
			stuck = 0;
		} else {
			stuck++;
		}
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	return sent;
}

static size_t heap(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void stops_reading(const char *method, uint32_t n, size_t max)
{
	size_t before = heap();
	int other = world_socket(w), first = fd;
	unsigned sent, i;

	sent = flood(fd, method, n, 1);
	ck_assert_uint_le(heap(), before + max);
	ck_assert(!ttrpc_server_flushed(w->server));
	/* it harms nobody else */
	fd = other;
	for (i = 0; i < 100; i++)
		ck_assert(lives(2 * i + 1));
	/* and is served once it reads again */
	fd = first;
	for (i = 0; i < sent; i++)
		ck_assert_int_ge(raw_response(w, fd, 2 * i + 1, NULL), 0);
	ck_assert(ttrpc_server_flushed(w->server));
	ck_assert(lives(2 * sent + 1));
	ck_assert_uint_le(heap(), before + 4096);
	close(other);
}

START_TEST(test_reader_stops_big)
{
	stops_reading("Big", 4000000, CONN_QUEUE_MAX + 8192);
}
END_TEST

START_TEST(test_reader_stops_middling)
{
	stops_reading("Big", 100000, CONN_QUEUE_MAX + 8192);
}
END_TEST

START_TEST(test_reader_stops_small)
{
	/* small chunks: the count includes what malloc takes, nearly */
	stops_reading("Say", 0, 2 * CONN_QUEUE_MAX);
}
END_TEST

/* Many calls were open before the peer stopped: their answers don't fit. */
START_TEST(test_answers_overflow)
{
	enum { N = 2000, SIZE = 50000 };
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;
	unsigned i, ok = 0, refused = 0;
	size_t before;

	for (i = 0; i < N; i++)
		ck_assert(raw_request(w, fd, 2 * i + 1, 0, "Hold", &q.base, 0));
	ck_assert(world_wait(w, w->n_held == N));
	before = heap();
	r.data.len = SIZE;
	r.data.data = calloc(1, SIZE);
	for (i = 0; i < N; i++)
		ttrpc_call_reply(w->held[i], &r.base);
	w->n_held = 0;
	ck_assert_uint_le(heap(), before + CONN_QUEUE_MAX + (1 << 20));
	free(r.data.data);
	for (i = 0; i < N; i++) {
		int code = raw_response(w, fd, 2 * i + 1, NULL);

		ok += code == TTRPC_OK;
		refused += code == TTRPC_RESOURCE_EXHAUSTED;
	}
	ck_assert_uint_eq(ok + refused, N);
	ck_assert_uint_ge(ok, CONN_QUEUE_HIGH / SIZE);
	ck_assert_uint_ge(refused, 1);
	ck_assert(lives(2 * N + 1));
}
END_TEST

/* Refusals that fit nowhere either: that connection is given up. */
START_TEST(test_refusals_overflow)
{
	enum { N = HELD_MAX };
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;
	unsigned i;
	int other = world_socket(w);

	for (i = 0; i < N; i++)
		ck_assert(raw_request(w, fd, 2 * i + 1, 0, "Hold", &q.base, 0));
	ck_assert(world_wait(w, w->n_held == N));
	r.data.len = 2000;
	r.data.data = calloc(1, r.data.len);
	for (i = 0; i < N; i++)
		ttrpc_call_reply(w->held[i], &r.base);
	free(r.data.data);
	w->n_held = 0;
	ck_assert(world_wait(w, ttrpc_server_connections(w->server) == 1));
	close(fd);
	fd = other;
	ck_assert(lives(1));
}
END_TEST

/* Open calls that keep a lot of metadata. */
START_TEST(test_held_memory)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	Ttrpc__KeyValue kv = TTRPC__KEY_VALUE__INIT, *kvs = &kv;
	char *value = malloc((3 << 20) + 1);
	uint8_t *buf;
	size_t size;
	uint32_t i;

	memset(value, 'v', 3 << 20);
	value[3 << 20] = '\0';
	kv.key = (char *)"containerd-namespace-ttrpc";
	kv.value = value;
	q.service = (char *)ECHO;
	q.method = (char *)"Hold";
	q.metadata = &kvs;
	q.n_metadata = 1;
	size = protobuf_c_message_get_packed_size(&q.base);
	buf = malloc(size);
	protobuf_c_message_pack(&q.base, buf);
	for (i = 0; i < 5; i++)
		ck_assert(raw_frame(
			w, fd, 2 * i + 1, FRAME_REQUEST, 0, buf, size));
	ck_assert(raw_frame(w, fd, 11, FRAME_REQUEST, 0, buf, size));
	ck_assert(answers(11, TTRPC_RESOURCE_EXHAUSTED, "too many calls"));
	ck_assert_uint_eq(w->n_held, 5);
	/* room again */
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "enough");
	ck_assert(answers(9, TTRPC_ABORTED, "enough"));
	ck_assert(raw_frame(w, fd, 13, FRAME_REQUEST, 0, buf, size));
	ck_assert(world_wait(w, w->n_held == 5));
	free(value);
	free(buf);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ttrpc load");
	TCase *t = tcase_create("load");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_reader_stops_big);
	tcase_add_test(t, test_reader_stops_middling);
	tcase_add_test(t, test_reader_stops_small);
	tcase_add_test(t, test_answers_overflow);
	tcase_add_test(t, test_refusals_overflow);
	tcase_add_test(t, test_held_memory);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
