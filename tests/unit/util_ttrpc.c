/* SPDX-License-Identifier: Apache-2.0 */
#include "util_ttrpc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "platform/linux/fd.h"
#include "ttrpc.pb-c.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test setup: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t world_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the echo service ---- */

static void reply_text(struct ttrpc_call *call, const char *text)
{
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;

	r.text = (char *)text;
	ttrpc_call_reply(call, &r.base);
}

static void echo_say(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;
	struct world *w = arg;

	w->n_said++;
	if (w->free_server) {
		ttrpc_server_free(w->server);
		w->server = NULL;
	}
	reply_text(call, q->text);
}

static void echo_canceled(struct ttrpc_call *call, void *arg)
{
	struct world *w = arg;

	(void)call;
	w->n_canceled++;
}

static void echo_hold(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	struct world *w = arg;
	const char *ns;

	(void)m;
	ns = ttrpc_call_metadata(call, "containerd-namespace-ttrpc");
	snprintf(w->metadata, sizeof(w->metadata), "%s", ns ? ns : "");
	must(w->n_held < HELD_MAX, "too many held calls");
	w->held[w->n_held++] = call;
	ttrpc_call_on_cancel(call, echo_canceled, w);
}

static void echo_fail(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;

	(void)arg;
	ttrpc_call_fail(call, (enum ttrpc_code)q->n, q->text);
}

static void echo_big(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;

	(void)arg;
	r.data.len = q->n & 0x7fffff; /* the fuzzer asks for anything */
	r.data.data = calloc(1, r.data.len + 1);
	if (r.data.data)
		ttrpc_call_reply(call, &r.base);
	else
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
	free(r.data.data);
}

static const ttrpc_handler echo_handlers[] = {
	echo_say, echo_hold, echo_fail, echo_big, NULL, /* Missing */
	NULL, NULL, NULL, /* Join, Count, Chat: see below */
};

/* ---- its streams ---- */

/* The text that Join keeps is the call's own pointer. */
static void stream_canceled(struct ttrpc_call *call, void *arg)
{
	echo_canceled(call, arg);
	free(ttrpc_call_user(call));
	ttrpc_call_fail(call, TTRPC_CANCELED, "never sent");
}

static void stream_open(struct ttrpc_call *call, void *arg)
{
	ttrpc_call_on_cancel(call, stream_canceled, arg);
}

/* Join: all texts in one. */
static void join_message(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;
	char *old = ttrpc_call_user(call), *text;

	(void)arg;
	text = malloc((old ? strlen(old) : 0) + strlen(q->text) + 1);
	if (!text) {
		free(old);
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
		return;
	}
	strcpy(text, old ? old : "");
	strcat(text, q->text);
	free(old);
	ttrpc_call_set_user(call, text);
}

static void join_closed(struct ttrpc_call *call, void *arg)
{
	char *text = ttrpc_call_user(call);
	struct world *w = arg;

	w->n_closed++;
	reply_text(call, text ? text : "");
	free(text);
}

/* Count: n messages, each of 100 kB if text is "big". */
static void count_go_on(struct ttrpc_call *call, void *arg)
{
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;
	static uint8_t zeros[100000];
	struct world *w = arg;
	int got = 0;

	r.data.data = zeros;
	r.data.len = w->big ? sizeof(zeros) : 0;
	while (w->to_send > 0 && got == 0) {
		got = ttrpc_call_send(call, &r.base);
		if (got == 0)
			w->to_send--;
	}
	if (got == -EAGAIN)
		return;
	if (got < 0)
		ttrpc_call_fail(call, TTRPC_ABORTED, strerror(-got));
	else
		ttrpc_call_reply(call, NULL);
}

static void count_message(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;
	struct world *w = arg;

	(void)call;
	w->to_send = q->n & 0xfff;
	w->big = strcmp(q->text, "big") == 0;
}

static void count_closed(struct ttrpc_call *call, void *arg)
{
	struct world *w = arg;

	w->n_closed++;
	count_go_on(call, arg);
}

/* Chat: each text comes back, "stop" ends it with a last message, "fail" with
 * an error, the client's end without. */
static void chat_message(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Wisp__Test__EchoRequest *q = (const void *)m;
	Wisp__Test__EchoResponse r = WISP__TEST__ECHO_RESPONSE__INIT;

	(void)arg;
	r.text = q->text;
	if (strcmp(q->text, "fail") == 0)
		ttrpc_call_fail(call, TTRPC_ABORTED, "as you wish");
	else if (strcmp(q->text, "stop") == 0)
		ttrpc_call_reply(call, &r.base);
	else if (ttrpc_call_send(call, &r.base) < 0)
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "can't send");
}

static void chat_closed(struct ttrpc_call *call, void *arg)
{
	struct world *w = arg;

	w->n_closed++;
	ttrpc_call_reply(call, NULL);
}

static const struct ttrpc_stream_handler join_handler = {
	stream_open, join_message, join_closed, NULL};
static const struct ttrpc_stream_handler count_handler = {
	stream_open, count_message, count_closed, count_go_on};
static const struct ttrpc_stream_handler chat_handler = {
	stream_open, chat_message, chat_closed, NULL};

/* ---- the world ---- */

static void world_idle(void *arg)
{
	struct world *w = arg;

	w->n_idle++;
}

const ProtobufCMethodDescriptor *echo_method(const char *name)
{
	return protobuf_c_service_descriptor_get_method_by_name(
		&wisp__test__echo__descriptor, name);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	signal(SIGPIPE, SIG_IGN);
	must(w, "world");
	w->base = event_base_new();
	must(w->base, "event base");
	w->server = ttrpc_server_new(w->base);
	must(w->server, "server");
	must(ttrpc_server_add(w->server, ECHO, &wisp__test__echo__descriptor,
		     echo_handlers, w) == 0,
		"service");
	must(ttrpc_server_add_stream(w->server, ECHO, echo_method("Join"),
		     TTRPC_STREAM_CLIENT, &join_handler, w) == 0,
		"Join");
	must(ttrpc_server_add_stream(w->server, ECHO, echo_method("Count"),
		     TTRPC_STREAM_SERVER, &count_handler, w) == 0,
		"Count");
	must(ttrpc_server_add_stream(w->server, ECHO, echo_method("Chat"),
		     TTRPC_STREAM_CLIENT | TTRPC_STREAM_SERVER, &chat_handler,
		     w) == 0,
		"Chat");
	ttrpc_server_on_idle(w->server, world_idle, w);
	return w;
}

void world_free(struct world *w)
{
	unsigned i;

	for (i = 0; i < w->n_held; i++)
		ttrpc_call_fail(w->held[i], TTRPC_CANCELED, "test is over");
	ttrpc_server_free(w->server);
	event_base_free(w->base);
	free(w);
}

struct stream *world_stream(struct world *w, int fd)
{
	struct stream *s = NULL;

	must(stream_from_fd(w->base, fd, &s) == 0, "stream");
	return s;
}

int world_socket(struct world *w)
{
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		     fds) == 0,
		"socketpair");
	must(ttrpc_server_accept(w->server, world_stream(w, fds[0])) == 0,
		"accept");
	return fds[1];
}

static void client_closed(int error, void *arg)
{
	(void)error;
	(void)arg;
}

struct ttrpc_client *world_client(struct world *w)
{
	struct ttrpc_client *c;

	c = ttrpc_client_new(
		w->base, world_stream(w, world_socket(w)), client_closed, w);
	must(c, "client");
	return c;
}

struct ttrpc_client *world_client_of(struct world *w, int *ret_fd)
{
	struct ttrpc_client *c;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		     fds) == 0,
		"socketpair");
	c = ttrpc_client_new(
		w->base, world_stream(w, fds[0]), client_closed, w);
	must(c, "client");
	*ret_fd = fds[1];
	return c;
}

void world_settle(struct world *w)
{
	int i;

	for (i = 0; i < 50; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

/* ---- bytes ---- */

bool raw_write(struct world *w, int fd, const void *buf, size_t n)
{
	uint64_t end_ms = world_now_ms() + WAIT_MS;
	const char *p = buf;

	while (n > 0 && world_now_ms() < end_ms) {
		ssize_t got = write(fd, p, n);

		if (got < 0 && errno != EAGAIN)
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	return n == 0;
}

bool raw_frame(struct world *w, int fd, uint32_t id, uint8_t type,
	uint8_t flags, const void *data, size_t n)
{
	struct frame f = {(uint32_t)n, id, type, flags};
	uint8_t header[FRAME_HEADER_SIZE];

	frame_encode(&f, header);
	return raw_write(w, fd, header, sizeof(header)) &&
	       raw_write(w, fd, data, n);
}

bool raw_request(struct world *w, int fd, uint32_t id, uint8_t flags,
	const char *method, const ProtobufCMessage *input, int64_t timeout_nano)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	uint8_t *payload = NULL, *buf;
	size_t n;
	bool ok;

	q.service = (char *)ECHO;
	q.method = (char *)method;
	q.timeout_nano = timeout_nano;
	if (input) {
		q.payload.len = protobuf_c_message_get_packed_size(input);
		q.payload.data = payload = malloc(q.payload.len + 1);
		protobuf_c_message_pack(input, payload);
	}
	n = protobuf_c_message_get_packed_size(&q.base);
	buf = malloc(n);
	protobuf_c_message_pack(&q.base, buf);
	ok = raw_frame(w, fd, id, FRAME_REQUEST, flags, buf, n);
	free(payload);
	free(buf);
	return ok;
}

static bool read_all(struct world *w, int fd, void *buf, size_t n)
{
	uint64_t end_ms = world_now_ms() + WAIT_MS;
	char *p = buf;

	while (n > 0 && world_now_ms() < end_ms) {
		ssize_t got = read(fd, p, n);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	return n == 0;
}

bool raw_read(struct world *w, int fd, struct frame *f, uint8_t **ret_data)
{
	uint8_t header[FRAME_HEADER_SIZE];

	if (!read_all(w, fd, header, sizeof(header)))
		return false;
	frame_decode(header, f);
	*ret_data = f->length ? malloc(f->length) : NULL;
	if (read_all(w, fd, *ret_data, f->length))
		return true;
	free(*ret_data);
	return false;
}

static void take_text(const Ttrpc__Response *r, char *text)
{
	Wisp__Test__EchoResponse *e;

	if (r->status && r->status->code) {
		snprintf(text, 256, "%s", r->status->message);
		return;
	}
	e = wisp__test__echo_response__unpack(
		NULL, r->payload.len, r->payload.data);
	must(e, "echo response");
	snprintf(text, 256, "%s", e->text);
	wisp__test__echo_response__free_unpacked(e, NULL);
}

int raw_response(struct world *w, int fd, uint32_t id, char *text)
{
	Ttrpc__Response *r;
	struct frame f;
	uint8_t *data;
	int code;

	if (!raw_read(w, fd, &f, &data))
		return -1;
	if (f.type != FRAME_RESPONSE || f.id != id || f.flags) {
		free(data);
		return -1;
	}
	r = ttrpc__response__unpack(NULL, f.length, data);
	free(data);
	if (!r)
		return -1;
	code = r->status ? r->status->code : 0;
	if (text)
		take_text(r, text);
	ttrpc__response__free_unpacked(r, NULL);
	return code;
}

bool raw_at_end(struct world *w, int fd)
{
	uint64_t end_ms = world_now_ms() + WAIT_MS;
	char c;

	while (world_now_ms() < end_ms) {
		ssize_t n = read(fd, &c, 1);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return true;
		if (n > 0 || errno != EAGAIN)
			return false;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	return false;
}

/* ---- calls ---- */

void outcome_cb(const struct ttrpc_result *r, void *outcome)
{
	const Wisp__Test__EchoResponse *e = (const void *)r->response;
	struct outcome *o = outcome;

	o->runs++;
	o->code = r->code;
	snprintf(o->message, sizeof(o->message), "%s", r->message);
	o->has_response = e;
	if (!e)
		return;
	snprintf(o->text, sizeof(o->text), "%s", e->text);
	o->data_size = e->data.len;
}

int echo_call(struct ttrpc_client *c, const char *method, const char *text,
	uint32_t n, uint32_t timeout_ms, struct outcome *o)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	memset(o, 0, sizeof(*o));
	q.text = (char *)text;
	q.n = n;
	return ttrpc_client_call(c, ECHO, echo_method(method), &q.base,
		timeout_ms, "test-ns", outcome_cb, o);
}
