/* SPDX-License-Identifier: Apache-2.0 */
/* The client, met with bytes: the test is the server. */
#include "ttrpc/client.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ttrpc.pb-c.h"
#include "ttrpc/conn.h"
#include "util_ttrpc.h"

static struct world *w;
static struct ttrpc_client *c;
static int fd;

static void setup(void)
{
	w = world_new();
	c = world_client_of(w, &fd);
}

static void teardown(void)
{
	ttrpc_client_free(c);
	close(fd);
	world_free(w);
}

/* Reads the request that must have come. */
static void take_request(uint32_t id)
{
	struct frame f;
	uint8_t *data;

	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.id, id);
	ck_assert_uint_eq(f.type, FRAME_REQUEST);
	ck_assert_uint_eq(f.flags, 0);
	free(data);
}

static bool respond(uint32_t id, int code, const char *message,
	const void *payload, size_t n)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Ttrpc__Response r = TTRPC__RESPONSE__INIT;
	uint8_t buf[1024];

	status.code = code;
	status.message = (char *)message;
	r.status = code ? &status : NULL;
	r.payload.data = (uint8_t *)payload;
	r.payload.len = n;
	return raw_frame(w, fd, id, FRAME_RESPONSE, 0, buf,
		ttrpc__response__pack(&r, buf));
}

/* Whether the client still works. */
static bool lives(uint32_t id)
{
	struct outcome o;

	if (echo_call(c, "Say", "", 0, 0, &o) < 0)
		return false;
	take_request(id);
	return respond(id, 0, "", "\x0a\x02ok", 4) && world_wait(w, o.runs) &&
	       o.code == TTRPC_OK && strcmp(o.text, "ok") == 0;
}

START_TEST(test_request_bytes)
{
	static const char *const want = ECHO;
	Ttrpc__Request *q;
	struct outcome o;
	struct frame f;
	uint8_t *data;

	ck_assert_int_eq(echo_call(c, "Say", "hello", 7, 1500, &o), 0);
	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.id, 1);
	ck_assert_uint_eq(f.type, FRAME_REQUEST);
	ck_assert_uint_eq(f.flags, 0);
	q = ttrpc__request__unpack(NULL, f.length, data);
	ck_assert_ptr_nonnull(q);
	ck_assert_str_eq(q->service, want);
	ck_assert_str_eq(q->method, "Say");
	ck_assert_int_eq(q->timeout_nano, 1500000000);
	ck_assert_uint_eq(q->n_metadata, 1);
	ck_assert_str_eq(q->metadata[0]->key, "containerd-namespace-ttrpc");
	ck_assert_str_eq(q->metadata[0]->value, "test-ns");
	ck_assert_uint_eq(q->payload.len, 9);
	ck_assert_mem_eq(q->payload.data, "\x0a\x05hello\x10\x07", 9);
	ttrpc__request__free_unpacked(q, NULL);
	free(data);
	ck_assert(respond(1, 0, "", NULL, 0));
	ck_assert(world_wait(w, o.runs));
}
END_TEST

START_TEST(test_ids_grow)
{
	uint32_t i;

	for (i = 0; i < 10; i++)
		ck_assert(lives(2 * i + 1));
}
END_TEST

START_TEST(test_byte_at_a_time)
{
	static const char wire[] = "\0\0\0\x06\0\0\0\x01\x02\0"
				   "\x12\x04\x0a\x02ok";
	struct outcome o;
	size_t i;

	echo_call(c, "Say", "", 0, 0, &o);
	take_request(1);
	for (i = 0; i < sizeof(wire) - 1; i++) {
		ck_assert_uint_eq(o.runs, 0);
		ck_assert(raw_write(w, fd, wire + i, 1));
	}
	ck_assert(world_wait(w, o.runs));
	ck_assert_str_eq(o.text, "ok");
}
END_TEST

START_TEST(test_odd_status)
{
	static const int codes[] = {2, 16, 17, 99, -1, INT32_MIN};
	struct outcome o;
	uint32_t i;

	for (i = 0; i < 6; i++) {
		echo_call(c, "Say", "", 0, 0, &o);
		take_request(2 * i + 1);
		ck_assert(respond(2 * i + 1, codes[i], "odd", NULL, 0));
		ck_assert(world_wait(w, o.runs));
		ck_assert_int_eq((int)o.code, codes[i]);
		ck_assert_str_eq(o.message, "odd");
		ck_assert_ptr_nonnull(ttrpc_code_name(o.code));
	}
}
END_TEST

/* A status that says OK is none. */
START_TEST(test_ok_status)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Ttrpc__Response r = TTRPC__RESPONSE__INIT;
	struct outcome o;
	uint8_t buf[64];

	r.status = &status;
	echo_call(c, "Say", "", 0, 0, &o);
	take_request(1);
	ck_assert(raw_frame(w, fd, 1, FRAME_RESPONSE, 0, buf,
		ttrpc__response__pack(&r, buf)));
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_OK);
	ck_assert(o.has_response);
}
END_TEST

START_TEST(test_bad_response)
{
	struct outcome o;

	echo_call(c, "Say", "", 0, 0, &o);
	take_request(1);
	ck_assert(raw_frame(w, fd, 1, FRAME_RESPONSE, 0, "\xff\xff", 2));
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_INTERNAL);
	echo_call(c, "Say", "", 0, 0, &o);
	take_request(3);
	ck_assert(respond(3, 0, "", "\x0a\x7f", 2));
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_INTERNAL);
	ck_assert(lives(5));
}
END_TEST

START_TEST(test_data_for_unary)
{
	struct outcome o;

	echo_call(c, "Say", "", 0, 0, &o);
	take_request(1);
	ck_assert(raw_frame(w, fd, 1, FRAME_DATA, 0, NULL, 0));
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_INTERNAL);
	ck_assert(lives(3));
}
END_TEST

/* Answers to nobody: unknown ids, even ids, twice the same. */
START_TEST(test_stray_responses)
{
	ck_assert(respond(77, 0, "", NULL, 0));
	ck_assert(respond(0, 5, "x", NULL, 0));
	ck_assert(respond(2, 5, "x", NULL, 0));
	ck_assert(lives(1));
	ck_assert(respond(1, 5, "again", NULL, 0));
	ck_assert(raw_frame(w, fd, 1, 44, 0, "later", 5));
	ck_assert(lives(3));
}
END_TEST

START_TEST(test_oversize)
{
	struct frame f = {FRAME_DATA_MAX + 1, 3, FRAME_RESPONSE, 0};
	char *waste = calloc(1, FRAME_DATA_MAX + 1);
	uint8_t header[FRAME_HEADER_SIZE];
	struct outcome o[3];
	int i;

	for (i = 0; i < 3; i++)
		echo_call(c, "Say", "", 0, 0, &o[i]);
	for (i = 0; i < 3; i++)
		take_request(2 * (uint32_t)i + 1);
	frame_encode(&f, header);
	ck_assert(raw_write(w, fd, header, sizeof(header)));
	ck_assert(raw_write(w, fd, waste, FRAME_DATA_MAX + 1));
	ck_assert(world_wait(w, o[1].runs));
	ck_assert_int_eq(o[1].code, TTRPC_RESOURCE_EXHAUSTED);
	ck_assert_ptr_nonnull(strstr(o[1].message, "4194305"));
	ck_assert_uint_eq(o[0].runs + o[2].runs, 0);
	ck_assert(respond(1, 0, "", NULL, 0));
	ck_assert(respond(5, 0, "", NULL, 0));
	ck_assert(world_wait(w, o[0].runs && o[2].runs));
	ck_assert_int_eq(o[0].code, TTRPC_OK);
	ck_assert_int_eq(o[2].code, TTRPC_OK);
	free(waste);
}
END_TEST

START_TEST(test_late_answer)
{
	struct outcome o;

	echo_call(c, "Say", "", 0, 20, &o);
	take_request(1);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_DEADLINE_EXCEEDED);
	ck_assert(respond(1, 0, "", NULL, 0));
	ck_assert(lives(3));
	ck_assert_uint_eq(o.runs, 1);
}
END_TEST

static unsigned n_closed;
static int closed_error;

static void closed_cb(int error, void *arg)
{
	(void)arg;
	closed_error = error;
	n_closed++;
}

/* The ways a connection breaks, and what closed() is told. */
static void breaks(int mode, int want)
{
	struct outcome o[2];
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ttrpc_client_free(c);
	c = ttrpc_client_new(
		w->base, world_stream(w, pair[0]), closed_cb, NULL);
	echo_call(c, "Say", "", 0, 0, &o[0]);
	echo_call(c, "Say", "", 0, 5000, &o[1]);
	if (mode == 1) /* reset: a request was not read */
		world_settle(w);
	else
		ck_assert_int_gt(read(pair[1], (char[999]){0}, 999), 0);
	if (mode == 2) /* within a frame */
		ck_assert_int_eq(write(pair[1], "\0\0\0\7\0\0", 6), 6);
	if (mode == 3)
		ck_assert_int_eq(write(pair[1], "HTTP/1.1 400 BAD", 16), 16);
	else
		close(pair[1]);
	ck_assert(world_wait(w, n_closed));
	ck_assert_int_eq(closed_error, want);
	ck_assert_int_eq(o[0].code, TTRPC_UNAVAILABLE);
	ck_assert_int_eq(o[1].code, TTRPC_UNAVAILABLE);
	world_settle(w);
	ck_assert_uint_eq(n_closed, 1);
	ck_assert_uint_eq(o[0].runs + o[1].runs, 2);
	if (mode == 3)
		close(pair[1]);
}

START_TEST(test_breaks)
{
	static const int want[] = {0, -ECONNRESET, -EPROTO, -EPROTO};

	breaks(_i, want[_i]);
}
END_TEST

/* The server has gone, and nobody has noticed yet. */
START_TEST(test_call_to_nobody)
{
	struct outcome o;

	close(fd);
	fd = -1;
	ck_assert_int_eq(echo_call(c, "Say", "", 0, 0, &o), -EPIPE);
	ck_assert_int_eq(echo_call(c, "Say", "", 0, 1000, &o), -EPIPE);
	world_settle(w);
	ck_assert_uint_eq(o.runs, 0);
}
END_TEST

/* A server that does not read: calls are queued, within bounds. */
START_TEST(test_full)
{
	char *text = malloc((1 << 20) + 1);
	static struct outcome o[100];
	int i, r = 0;

	memset(text, 'x', 1 << 20);
	text[1 << 20] = '\0';
	for (i = 0; i < 100 && r == 0; i++)
		r = echo_call(c, "Say", text, 0, 0, &o[i]);
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_int_ge(i, CONN_QUEUE_HIGH >> 20);
	ck_assert_int_le(i, (CONN_QUEUE_MAX >> 20) + 2);
	/* though it could not write, it reads */
	ck_assert(respond(1, TTRPC_ABORTED, "x", NULL, 0));
	ck_assert(world_wait(w, o[0].runs));
	/* and what was queued arrives */
	for (r = 0; r < i - 1; r++)
		take_request(2 * (uint32_t)r + 1);
	ck_assert(lives(2 * (uint32_t)i - 1));
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_request_bytes, test_ids_grow,
		test_byte_at_a_time, test_odd_status, test_ok_status,
		test_bad_response, test_data_for_unary, test_stray_responses,
		test_oversize, test_late_answer, test_call_to_nobody,
		test_full};
	Suite *s = suite_create("client");
	TCase *t = tcase_create("client");
	SRunner *r;
	size_t i;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, test_breaks, 0, 4);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
