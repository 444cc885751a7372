/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/stream.h"

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ttrpc/conn.h"
#include "util_ttrpc.h"

enum { BIDI = TTRPC_STREAM_CLIENT | TTRPC_STREAM_SERVER };

/* What became of a stream. */
struct heard {
	struct outcome end;
	unsigned n;
	char texts[256]; /* all of them */
	size_t bytes;
	unsigned writables;
	bool cancel;                      /* at the first message */
	struct ttrpc_client *free_client; /* at the first message */
};

static struct world *w;
static struct ttrpc_client *c;

static void setup(void)
{
	w = world_new();
	c = world_client(w);
}

static void teardown(void)
{
	ttrpc_client_free(c);
	world_free(w);
}

static void on_message(
	struct ttrpc_stream *st, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoResponse *r = (const void *)m;
	struct heard *h = arg;

	h->n++;
	h->bytes += r->data.len;
	if (strlen(h->texts) + strlen(r->text) < sizeof(h->texts))
		strcat(h->texts, r->text);
	if (h->free_client) {
		ttrpc_client_free(h->free_client);
		c = NULL;
	}
	if (h->cancel)
		ttrpc_stream_cancel(st);
}

static void on_writable(struct ttrpc_stream *st, void *arg)
{
	struct heard *h = arg;

	(void)st;
	h->writables++;
}

static void on_done(const struct ttrpc_result *r, void *arg)
{
	struct heard *h = arg;

	outcome_cb(r, &h->end);
}

static const struct ttrpc_stream_cbs cbs = {on_message, on_writable, on_done};

static struct ttrpc_stream *start(const char *method, unsigned kind,
	const char *text, uint32_t n, uint32_t timeout_ms, struct heard *h)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct ttrpc_stream *st = NULL;

	memset(h, 0, sizeof(*h));
	q.text = (char *)(text ? text : "");
	q.n = n;
	ck_assert_int_eq(
		ttrpc_stream_open(c, ECHO, echo_method(method), kind,
			text ? &q.base : NULL, timeout_ms, "ns", &cbs, h, &st),
		0);
	ck_assert_uint_eq(h->end.runs, 0);
	return st;
}

static int put(struct ttrpc_stream *st, const char *text)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	q.text = (char *)text;
	return ttrpc_stream_send(st, &q.base);
}

/* ---- the kinds ---- */

START_TEST(test_client_streams)
{
	struct heard h;
	struct ttrpc_stream *st =
		start("Join", TTRPC_STREAM_CLIENT, NULL, 0, 0, &h);

	ck_assert_int_eq(put(st, "one "), 0);
	ck_assert_int_eq(put(st, ""), 0); /* an empty message is one */
	ck_assert_int_eq(put(st, "two"), 0);
	world_settle(w);
	ck_assert_uint_eq(h.end.runs, 0);
	ck_assert_int_eq(ttrpc_stream_close_send(st), 0);
	ck_assert_int_eq(put(st, "three"), -EINVAL);
	ck_assert_int_eq(ttrpc_stream_close_send(st), -EINVAL);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert_str_eq(h.end.text, "one two");
	ck_assert_uint_eq(w->n_closed, 1);
}
END_TEST

START_TEST(test_client_streams_nothing)
{
	struct heard h;
	struct ttrpc_stream *st =
		start("Join", TTRPC_STREAM_CLIENT, NULL, 0, 0, &h);

	ck_assert_int_eq(ttrpc_stream_close_send(st), 0);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert(h.end.has_response);
	ck_assert_str_eq(h.end.text, "");
}
END_TEST

START_TEST(test_server_streams)
{
	struct heard h;
	struct ttrpc_stream *st =
		start("Count", TTRPC_STREAM_SERVER, "", 100, 0, &h);

	ck_assert_int_eq(put(st, "not my turn"), -EINVAL);
	ck_assert_int_eq(ttrpc_stream_close_send(st), -EINVAL);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert(!h.end.has_response);
	ck_assert_uint_eq(h.n, 100);
	ck_assert_uint_eq(w->n_closed, 1);
}
END_TEST

START_TEST(test_server_streams_nothing)
{
	struct heard h;

	start("Count", TTRPC_STREAM_SERVER, "", 0, 0, &h);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert_uint_eq(h.n, 0);
}
END_TEST

START_TEST(test_both_stream)
{
	struct heard h;
	struct ttrpc_stream *st = start("Chat", BIDI, NULL, 0, 0, &h);

	ck_assert_int_eq(put(st, "a"), 0);
	ck_assert(world_wait(w, h.n == 1));
	ck_assert_int_eq(put(st, "b"), 0);
	ck_assert_int_eq(put(st, "c"), 0);
	ck_assert(world_wait(w, h.n == 3));
	ck_assert_str_eq(h.texts, "abc");
	ck_assert_int_eq(ttrpc_stream_close_send(st), 0);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert_uint_eq(w->n_canceled, 0);
}
END_TEST

/* The request may bring the first message. */
START_TEST(test_first_message)
{
	struct heard h;
	struct ttrpc_stream *st = start("Chat", BIDI, "first", 0, 0, &h);

	ck_assert_int_eq(put(st, "stop"), 0);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	/* the last message comes as a message, with the end behind it */
	ck_assert_str_eq(h.texts, "firststop");
	ck_assert(!h.end.has_response);
}
END_TEST

START_TEST(test_many_streams)
{
	enum { N = 500 };
	static struct heard h[N];
	struct ttrpc_stream *st[N];
	int i, j;

	for (i = 0; i < N; i++)
		st[i] = start("Chat", BIDI, NULL, 0, 0, &h[i]);
	for (j = 0; j < 5; j++) {
		for (i = 0; i < N; i++)
			ck_assert_int_eq(put(st[i], "x"), 0);
		world_settle(w);
	}
	for (i = 0; i < N; i++)
		ck_assert_int_eq(ttrpc_stream_close_send(st[i]), 0);
	world_settle(w);
	for (i = 0; i < N; i++) {
		ck_assert_uint_eq(h[i].end.runs, 1);
		ck_assert_uint_eq(h[i].n, 5);
	}
}
END_TEST

/* ---- errors ---- */

START_TEST(test_server_fails)
{
	struct heard h;
	struct ttrpc_stream *st = start("Chat", BIDI, NULL, 0, 0, &h);

	ck_assert_int_eq(put(st, "a"), 0);
	ck_assert_int_eq(put(st, "fail"), 0);
	ck_assert_int_eq(put(st, "too late"), 0);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_ABORTED);
	ck_assert_str_eq(h.end.message, "as you wish");
	ck_assert_str_eq(h.texts, "a");
	world_settle(w);
	ck_assert_uint_eq(h.end.runs, 1);
}
END_TEST

START_TEST(test_unknown_stream)
{
	struct heard h;

	start("Missing", BIDI, NULL, 0, 0, &h);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_UNIMPLEMENTED);
}
END_TEST

START_TEST(test_deadline)
{
	struct heard h;

	start("Chat", BIDI, NULL, 0, 50, &h);
	ck_assert(world_wait(w, h.end.runs && w->n_canceled));
	ck_assert_int_eq(h.end.code, TTRPC_DEADLINE_EXCEEDED);
}
END_TEST

START_TEST(test_client_goes)
{
	struct heard h;

	start("Join", TTRPC_STREAM_CLIENT, "kept by the handler", 0, 0, &h);
	world_settle(w);
	ttrpc_client_free(c);
	c = NULL;
	ck_assert_int_eq(h.end.code, TTRPC_CANCELED);
	ck_assert(world_wait(w, w->n_canceled));
}
END_TEST

START_TEST(test_server_goes)
{
	struct heard h;
	struct ttrpc_stream *st = start("Chat", BIDI, NULL, 0, 0, &h);

	world_settle(w);
	close(world_socket(w)); /* of no concern */
	ttrpc_stream_cancel(NULL);
	/* the handler's call would leak: end it as handlers do */
	ck_assert_int_eq(put(st, "fail"), 0);
	ck_assert(world_wait(w, h.end.runs));
	st = start("Missing", BIDI, NULL, 0, 0, &h);
	ttrpc_server_free(w->server);
	w->server = NULL;
	while (put(st, "x") == 0)
		;
	ck_assert_int_eq(put(st, "x"), -EPIPE);
	ck_assert_uint_eq(h.end.runs, 0);
	ck_assert(world_wait(w, h.end.runs));
	ck_assert_int_eq(h.end.code, TTRPC_UNAVAILABLE);
}
END_TEST

START_TEST(test_cancel)
{
	struct heard h;
	struct ttrpc_stream *st = start("Chat", BIDI, "a", 0, 0, &h);

	ck_assert_int_eq(put(st, "b"), 0);
	ttrpc_stream_cancel(st);
	world_settle(w);
	ck_assert_uint_eq(h.n + h.end.runs, 0);
	/* the server's side lasts as long as the connection */
	ttrpc_client_free(c);
	c = NULL;
	ck_assert(world_wait(w, w->n_canceled));
}
END_TEST

START_TEST(test_cancel_in_message)
{
	struct heard h;

	start("Count", TTRPC_STREAM_SERVER, "", 10, 0, &h);
	h.cancel = true;
	world_settle(w);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.end.runs, 0);
}
END_TEST

START_TEST(test_free_client_in_message)
{
	struct heard h;

	start("Count", TTRPC_STREAM_SERVER, "", 10, 0, &h);
	h.free_client = c;
	h.cancel = _i;
	world_settle(w);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.end.runs, 1);
	ck_assert_int_eq(h.end.code, TTRPC_CANCELED);
}
END_TEST

/* ---- back-pressure ---- */

START_TEST(test_server_waits)
{
	size_t before = mallinfo2().hblkhd + mallinfo2().uordblks, most = 0;
	struct heard h;

	/* 100 MB, and a client that lets the loop run slowly */
	start("Count", TTRPC_STREAM_SERVER, "big", 1000, 0, &h);
	while (!h.end.runs) {
		size_t now;

		event_base_loop(w->base, EVLOOP_ONCE);
		now = mallinfo2().hblkhd + mallinfo2().uordblks;
		most = now > most ? now : most;
	}
	ck_assert_int_eq(h.end.code, TTRPC_OK);
	ck_assert_uint_eq(h.n, 1000);
	ck_assert_uint_eq(h.bytes, 1000 * 100000);
	ck_assert_uint_le(most, before + CONN_QUEUE_MAX + (1 << 20));
}
END_TEST

START_TEST(test_client_waits)
{
	struct heard h;
	struct ttrpc_stream *st;
	char *text = malloc(100001);
	unsigned n = 0;
	int fd;

	memset(text, 'x', 100000);
	text[100000] = '\0';
	ttrpc_client_free(c);
	c = world_client_of(w, &fd);
	st = start("Join", TTRPC_STREAM_CLIENT, NULL, 0, 0, &h);
	while (put(st, text) == 0)
		n++;
	ck_assert_int_eq(put(st, text), -EAGAIN);
	ck_assert_int_eq(ttrpc_stream_close_send(st), -EAGAIN);
	ck_assert_uint_le(n, CONN_QUEUE_MAX / 100000);
	ck_assert_uint_eq(h.writables, 0);
	while (!h.writables) {
		ck_assert_int_gt(read(fd, text, 100000), 0);
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	ck_assert_int_eq(put(st, ""), 0);
	ck_assert_int_eq(ttrpc_stream_close_send(st), 0);
	ttrpc_client_free(c);
	c = NULL;
	close(fd);
	free(text);
}
END_TEST

/* ---- the server, met with bytes ---- */

static bool answers(int fd, uint32_t id, enum ttrpc_code code, const char *text)
{
	char got[256] = "";

	return raw_response(w, fd, id, got) == (int)code && strstr(got, text);
}

START_TEST(test_raw_frames)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	int fd = world_socket(w);
	struct frame f;
	uint8_t *data;

	/* Data with the end in the same frame, as PROTOCOL.md allows */
	ck_assert(raw_request(w, fd, 1, FRAME_REMOTE_OPEN, "Chat", NULL, 0));
	ck_assert(raw_frame(
		w, fd, 1, FRAME_DATA, FRAME_REMOTE_CLOSED, "\x0a\2hi", 4));
	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.type, FRAME_DATA);
	ck_assert_uint_eq(f.flags, 0);
	ck_assert_uint_eq(f.length, 4);
	free(data);
	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.type, FRAME_DATA);
	ck_assert_uint_eq(f.flags, FRAME_REMOTE_CLOSED | FRAME_NO_DATA);
	ck_assert_uint_eq(f.length, 0);
	free(data);
	/* a client that does not stream says remote closed */
	q.n = 1;
	ck_assert(raw_request(
		w, fd, 3, FRAME_REMOTE_CLOSED, "Count", &q.base, 0));
	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.flags, 0);
	ck_assert(raw_read(w, fd, &f, &data));
	ck_assert_uint_eq(f.flags, FRAME_REMOTE_CLOSED | FRAME_NO_DATA);
	close(fd);
}
END_TEST

/* Flags that do not match the method. */
START_TEST(test_raw_flags)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	int fd = world_socket(w);

	q.text = (char *)"u";
	/* unary for a client stream: that message is all there is */
	ck_assert(raw_request(w, fd, 1, 0, "Join", &q.base, 0));
	ck_assert(answers(fd, 1, TTRPC_OK, "u"));
	/* unary where the server streams: the peer can't take that */
	ck_assert(raw_request(w, fd, 3, 0, "Count", &q.base, 0));
	ck_assert(answers(fd, 3, TTRPC_INVALID_ARGUMENT, "streams"));
	/* a stream for a unary method */
	ck_assert(raw_request(w, fd, 5, FRAME_REMOTE_OPEN, "Say", &q.base, 0));
	ck_assert(answers(fd, 5, TTRPC_OK, "u"));
	close(fd);
}
END_TEST

START_TEST(test_raw_data_errors)
{
	int fd = world_socket(w);
	uint32_t i;

	for (i = 1; i <= 9; i += 2)
		ck_assert(raw_request(
			w, fd, i, FRAME_REMOTE_OPEN, "Chat", NULL, 0));
	/* malformed */
	ck_assert(raw_frame(w, fd, 1, FRAME_DATA, 0, "\xff", 1));
	ck_assert(answers(fd, 1, TTRPC_INVALID_ARGUMENT, "unmarshal data"));
	ck_assert_uint_eq(w->n_canceled, 1);
	/* on what that ended */
	ck_assert(raw_frame(w, fd, 1, FRAME_DATA, 0, NULL, 0));
	ck_assert(answers(fd, 1, TTRPC_INVALID_ARGUMENT, "no longer active"));
	/* the client does not stream: a close is harmless, data is not */
	ck_assert(raw_request(w, fd, 11, FRAME_REMOTE_OPEN, "Join", NULL, 0));
	ck_assert(raw_frame(w, fd, 11, FRAME_DATA,
		FRAME_REMOTE_CLOSED | FRAME_NO_DATA, "ignored", 7));
	ck_assert(answers(fd, 11, TTRPC_OK, ""));
	/* oversize data ends its stream only */
	{
		char *waste = calloc(1, FRAME_DATA_MAX + 1);

		ck_assert(raw_frame(
			w, fd, 3, FRAME_DATA, 0, waste, FRAME_DATA_MAX + 1));
		free(waste);
	}
	ck_assert(answers(fd, 3, TTRPC_RESOURCE_EXHAUSTED, "4194305"));
	ck_assert_uint_eq(w->n_canceled, 2);
	ck_assert(raw_frame(w, fd, 5, FRAME_DATA, 0, "\x0a\4fail", 6));
	ck_assert(answers(fd, 5, TTRPC_ABORTED, "as you wish"));
	/* the peer half-closes: what it never finished is canceled */
	shutdown(fd, SHUT_WR);
	ck_assert(raw_at_end(w, fd));
	ck_assert_uint_eq(w->n_canceled, 4);
	close(fd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_client_streams,
		test_client_streams_nothing, test_server_streams,
		test_server_streams_nothing, test_both_stream,
		test_first_message, test_many_streams, test_server_fails,
		test_unknown_stream, test_deadline, test_client_goes,
		test_server_goes, test_cancel, test_cancel_in_message,
		test_server_waits, test_client_waits, test_raw_frames,
		test_raw_flags, test_raw_data_errors};
	Suite *s = suite_create("ttrpc stream");
	TCase *t = tcase_create("stream");
	SRunner *r;
	size_t i;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, test_free_client_in_message, 0, 2);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
