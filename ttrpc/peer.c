/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of memory that the open calls of one connection may keep. */
enum { PEER_HELD_MAX = 16 << 20 };

/* A request on its way to its handler. */
struct incoming {
	uint32_t id;
	uint8_t flags;
	Ttrpc__Request *request;
	size_t held;             /* bytes of memory that request takes */
	ProtobufCMessage *input; /* NULL: the stream brings no first message */
	struct target target;
};

void peer_send_status(
	struct peer *p, uint32_t id, enum ttrpc_code code, const char *message)
{
	struct frame f = {.id = id, .type = FRAME_RESPONSE};
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	struct envelope m = {.head = &response.base};
	char text[TTRPC_TEXT_MAX];
	int r;

	ttrpc_status_text(message ? message : "", text, sizeof(text));
	status.code = code;
	status.message = text;
	response.status = &status;
	r = conn_send(p->conn, &f, &m, true);
	if (r < 0)
		conn_fail(p->conn, r);
}

/* ---- a request ---- */

/* Go says it in these words. */
static void refuse_unknown(
	struct peer *p, uint32_t id, const char *service, const char *method)
{
	char text[TTRPC_TEXT_MAX];

	if (server_has(p->server, service))
		snprintf(text, sizeof(text), "method %s", method);
	else
		snprintf(text, sizeof(text), "service %s", service);
	peer_send_status(p, id, TTRPC_UNIMPLEMENTED, text);
}

/* error is message_unpack()'s. */
static void refuse_message(
	struct peer *p, uint32_t id, int error, const char *what)
{
	enum ttrpc_code code = TTRPC_RESOURCE_EXHAUSTED;
	const char *why = "no memory for it";
	char text[256];

	if (error == -EBADMSG) {
		code = TTRPC_INVALID_ARGUMENT;
		why = "malformed message";
	} else if (error == -E2BIG) {
		why = "it takes too much memory";
	}
	snprintf(text, sizeof(text), "unmarshal %s error: %s", what, why);
	peer_send_status(p, id, code, text);
}

/* Takes the payload out of its envelope, and apart. */
static bool unpack_input(struct peer *p, struct incoming *in)
{
	const struct stream_method *stream = in->target.stream;
	ProtobufCBinaryData *payload = &in->request->payload;
	int r = 0;

	if (payload->len > 0 || !stream ||
		!(stream->kind & TTRPC_STREAM_CLIENT))
		r = message_unpack(in->target.input, payload->data,
			payload->len, &in->input, NULL);
	if (r < 0)
		refuse_message(p, in->id, r, "payload");
	free(payload->data);
	in->held -= payload->len;
	payload->data = NULL;
	payload->len = 0;
	return r == 0;
}

static bool unpack_request(
	struct peer *p, struct incoming *in, const uint8_t *data, size_t size)
{
	ProtobufCMessage *m;
	Ttrpc__Request *q;
	int r = message_unpack(
		&ttrpc__request__descriptor, data, size, &m, &in->held);

	if (r < 0) {
		refuse_message(p, in->id, r, "request");
		return false;
	}
	in->request = q = (Ttrpc__Request *)m;
	if (server_find(p->server, q->service, q->method, &in->target))
		return unpack_input(p, in);
	refuse_unknown(p, in->id, q->service, q->method);
	return false;
}

/* What is wrong with a request that is well formed. */
static bool refuse_request(struct peer *p, const struct incoming *in)
{
	const struct stream_method *stream = in->target.stream;
	enum ttrpc_code code = TTRPC_OK;
	const char *text = "";

	if (in->request->timeout_nano < 0) {
		code = TTRPC_DEADLINE_EXCEEDED;
		text = "context deadline exceeded";
	} else if (p->held + in->held > PEER_HELD_MAX) {
		code = TTRPC_RESOURCE_EXHAUSTED;
		text = "too many calls are open on this connection";
	} else if (stream && !in->flags && stream->kind & TTRPC_STREAM_SERVER) {
		code = TTRPC_INVALID_ARGUMENT; /* it can't take data frames */
		text = "unary request for a method that streams";
	}
	if (code != TTRPC_OK)
		peer_send_status(p, in->id, code, text);
	return code != TTRPC_OK;
}

static void start_stream(struct ttrpc_call *call, const struct incoming *in)
{
	const struct stream_method *m = in->target.stream;

	call->method = m;
	call->remote_closed = !(in->flags & FRAME_REMOTE_OPEN);
	if (!call_tell(call, CALL_OPEN, NULL))
		return;
	if (in->input && !call_tell(call, CALL_MESSAGE, in->input))
		return;
	if (call->remote_closed || !(m->kind & TTRPC_STREAM_CLIENT))
		call_tell(call, CALL_CLOSED, NULL);
}

/* The handler may free the server, and p with it. */
static void start_call(struct peer *p, struct incoming *in)
{
	struct ttrpc_server *s = p->server;
	struct ttrpc_call *call =
		call_new(p, &s->orphans, in->id, in->request, in->held);

	in->request = NULL;
	if (!call) {
		peer_send_status(p, in->id, TTRPC_RESOURCE_EXHAUSTED,
			"no memory for the call");
		return;
	}
	if (call_set_timeout(call, s->base) < 0)
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED,
			"no memory for the deadline");
	else if (in->target.stream)
		start_stream(call, in);
	else
		in->target.handler(call, in->input, in->target.arg);
}

static void peer_request(
	struct peer *p, const struct frame *f, const uint8_t *data)
{
	struct incoming in = {.id = f->id, .flags = f->flags};

	if (f->id <= p->last_id) {
		peer_send_status(p, f->id, TTRPC_INVALID_ARGUMENT,
			"StreamID cannot be re-used and must increment");
		return;
	}
	p->last_id = f->id;
	if (unpack_request(p, &in, data, f->length) && !refuse_request(p, &in))
		start_call(p, &in);
	if (in.request)
		message_free(&in.request->base);
	message_free(in.input);
}

/* ---- data on a stream ---- */

static struct ttrpc_call *peer_find(struct peer *p, uint32_t id)
{
	struct list *n;

	for (n = p->calls.next; n != &p->calls; n = n->next) {
		struct ttrpc_call *call =
			list_entry(n, struct ttrpc_call, node);

		if (call->id == id)
			return call;
	}
	return NULL;
}

/* Why a call can't take this frame, or NULL. */
static const char *refuse_data(
	const struct ttrpc_call *call, const struct frame *f)
{
	if (!call->method)
		return "data is not allowed on a unary stream";
	if (call->remote_closed)
		return "data handling error: ttrpc: stream closed";
	if (!(call->method->kind & TTRPC_STREAM_CLIENT) &&
		!(f->flags & FRAME_NO_DATA))
		return "data is not allowed: the client does not stream";
	return NULL;
}

/* False if the call is no more. */
static bool take_message(
	struct ttrpc_call *call, const uint8_t *data, size_t size)
{
	ProtobufCMessage *m;
	bool alive;
	int r = message_unpack(call->method->desc->input, data, size, &m, NULL);

	if (r < 0) {
		refuse_message(call->peer, call->id, r, "data");
		call_cancel(call);
		return false;
	}
	alive = call_tell(call, CALL_MESSAGE, m);
	message_free(m);
	return alive;
}

static void peer_data(
	struct peer *p, const struct frame *f, const uint8_t *data)
{
	struct ttrpc_call *call = peer_find(p, f->id);
	const char *why;

	if (!call) {
		peer_send_status(p, f->id, TTRPC_INVALID_ARGUMENT,
			"StreamID is no longer active");
		return;
	}
	why = refuse_data(call, f);
	if (why) {
		call_abort(call, TTRPC_INVALID_ARGUMENT, why);
		return;
	}
	if (f->flags & FRAME_REMOTE_CLOSED)
		call->remote_closed = true;
	if (!(f->flags & FRAME_NO_DATA) && !take_message(call, data, f->length))
		return;
	if (call->remote_closed && call->method->kind & TTRPC_STREAM_CLIENT)
		call_tell(call, CALL_CLOSED, NULL);
}

/* ---- a connection ---- */

static void peer_frame(const struct frame *f, const uint8_t *data, void *arg)
{
	struct peer *p = arg;

	if (f->id % 2 == 0)
		peer_send_status(p, f->id, TTRPC_INVALID_ARGUMENT,
			"StreamID must be odd for client initiated streams");
	else if (f->type == FRAME_DATA)
		peer_data(p, f, data);
	else if (f->type == FRAME_REQUEST)
		peer_request(p, f, data);
	/* anything else is from a version to come, and ignored (as Go does) */
}

static void peer_skipped(const struct frame *f, int error, void *arg)
{
	struct peer *p = arg;
	struct ttrpc_call *call = NULL;
	char text[128];

	if (error == -EMSGSIZE)
		snprintf(text, sizeof(text),
			"message length %lu exceed maximum message size of %d",
			(unsigned long)f->length, FRAME_DATA_MAX);
	else
		snprintf(text, sizeof(text), "no memory for the message");
	if (f->type == FRAME_DATA)
		call = peer_find(p, f->id);
	if (call)
		call_abort(call, TTRPC_RESOURCE_EXHAUSTED, text);
	else
		peer_send_status(p, f->id, TTRPC_RESOURCE_EXHAUSTED, text);
}

/* Calls fn for every call, which may end that call and any other, or free the
 * server: false then. A call may be met twice if others end meanwhile. */
static bool peer_walk(struct peer *p, void (*fn)(struct ttrpc_call *call))
{
	struct ttrpc_server *s = p->server;
	size_t left = 0;
	struct list *n;

	for (n = p->calls.next; n != &p->calls; n = n->next)
		left++;
	s->busy++;
	while (left-- > 0 && !s->freed && (n = list_pop(&p->calls))) {
		list_add_tail(&p->calls, n);
		fn(list_entry(n, struct ttrpc_call, node));
	}
	return server_leave(s);
}

static void cancel_if_cut_off(struct ttrpc_call *call)
{
	if (call->method && !call->remote_closed)
		call_cancel(call);
}

/* What was asked for in full is still answered; what breaks off is not. */
static void peer_eof(void *arg)
{
	struct peer *p = arg;

	p->eof = true;
	if (peer_walk(p, cancel_if_cut_off) && list_empty(&p->calls))
		conn_finish(p->conn);
}

static void tell_writable(struct ttrpc_call *call)
{
	if (call->method && call->method->kind & TTRPC_STREAM_SERVER)
		call_tell(call, CALL_WRITABLE, NULL);
}

static void peer_writable(void *arg)
{
	peer_walk(arg, tell_writable);
}

static void peer_closed(int error, void *arg)
{
	struct peer *p = arg;
	struct ttrpc_server *s = p->server;
	struct list *n;

	(void)error;
	list_del(&p->node);
	s->n_peers--;
	s->busy++;
	while ((n = list_pop(&p->calls))) {
		struct ttrpc_call *call =
			list_entry(n, struct ttrpc_call, node);

		if (s->freed)
			call_forget(call);
		else
			call_cancel(call);
	}
	conn_free(p->conn);
	free(p);
	if (server_leave(s) && s->n_peers == 0 && s->on_idle)
		s->on_idle(s->idle_arg);
}

static const struct conn_ops peer_ops = {
	.frame = peer_frame,
	.skipped = peer_skipped,
	.eof = peer_eof,
	.writable = peer_writable,
	.closed = peer_closed,
};

/* ---- life ---- */

int ttrpc_server_accept(struct ttrpc_server *s, struct stream *stream)
{
	struct peer *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		stream_close(stream);
		return -ENOMEM;
	}
	r = conn_new(s->base, stream, CONN_THROTTLE, &peer_ops, p, &p->conn);
	if (r < 0) {
		free(p);
		return r;
	}
	p->server = s;
	list_init(&p->calls);
	list_add_tail(&s->peers, &p->node);
	s->n_peers++;
	return 0;
}
