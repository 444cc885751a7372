/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "ttrpc.pb-c.h"
#include "ttrpc/conn.h"
#include "ttrpc/list.h"
#include "ttrpc/stream.h"

struct ttrpc_client {
	struct event_base *base; /* borrowed */
	struct conn *conn;
	struct list open; /* struct ttrpc_stream, oldest first */
	uint32_t next_id; /* 0: all used */
	bool broken;
	void (*closed)(int error, void *arg);
	void *arg;
	unsigned busy; /* below a walk over calls: free later */
	bool freed;
};

/* A call of either sort. */
struct ttrpc_stream {
	struct list node;
	struct ttrpc_client *client; /* borrowed */
	uint32_t id;
	unsigned kind;
	bool closed;   /* we send no more */
	bool busy;     /* below message() or writable(): free later */
	bool canceled; /* done() has run, or never will */
	const ProtobufCMethodDescriptor *method; /* borrowed */
	struct event *timer;                     /* NULL without deadline */
	const struct ttrpc_stream_cbs *cbs;      /* borrowed; NULL: unary */
	ttrpc_result_cb done;
	void *arg;
};

/* ---- the end of a call ---- */

static void st_free(struct ttrpc_stream *st)
{
	if (st->timer)
		event_free(st->timer);
	list_del(&st->node);
	free(st);
}

static void st_finish(
	struct ttrpc_stream *st, const struct ttrpc_result *result)
{
	list_del(&st->node); /* whoever frees the client does not see it */
	st->canceled = true;
	st->done(result, st->arg);
	if (!st->busy)
		st_free(st);
}

static void st_fail(
	struct ttrpc_stream *st, enum ttrpc_code code, const char *message)
{
	struct ttrpc_result result = {.code = code, .message = message};

	st_finish(st, &result);
}

static void st_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	st_fail(arg, TTRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
}

/* Frees c if that was asked for below this walk: then false. */
static bool client_leave(struct ttrpc_client *c)
{
	if (--c->busy > 0 || !c->freed)
		return !c->freed;
	free(c);
	return false;
}

/* The caller holds c->busy: a callback may free the client. */
static void client_fail_all(
	struct ttrpc_client *c, enum ttrpc_code code, const char *message)
{
	struct list *n;

	c->broken = true; /* no new ones */
	while ((n = list_pop(&c->open)))
		st_fail(list_entry(n, struct ttrpc_stream, node), code,
			message);
}

/* ---- what the server sends ---- */

static struct ttrpc_stream *client_find(struct ttrpc_client *c, uint32_t id)
{
	struct list *n;

	for (n = c->open.next; n != &c->open; n = n->next) {
		struct ttrpc_stream *st =
			list_entry(n, struct ttrpc_stream, node);

		if (st->id == id)
			return st;
	}
	return NULL;
}

/* error is message_unpack()'s. */
static void st_bad_message(struct ttrpc_stream *st, int error)
{
	if (error == -EBADMSG)
		st_fail(st, TTRPC_INTERNAL, "the peer's message is malformed");
	else
		st_fail(st, TTRPC_RESOURCE_EXHAUSTED,
			error == -ENOMEM
				? "no memory for the peer's message"
				: "the peer's message takes too much memory");
}

static void st_ok(struct ttrpc_stream *st, const Ttrpc__Response *response)
{
	struct ttrpc_result result = {.code = TTRPC_OK, .message = ""};
	const ProtobufCBinaryData *payload = &response->payload;
	ProtobufCMessage *m;
	int r;

	if (payload->len == 0 && st->kind & TTRPC_STREAM_SERVER) {
		st_finish(st, &result);
		return;
	}
	r = message_unpack(
		st->method->output, payload->data, payload->len, &m, NULL);
	if (r < 0) {
		st_bad_message(st, r);
		return;
	}
	result.response = m;
	st_finish(st, &result);
	message_free(m);
}

static void st_response(
	struct ttrpc_stream *st, const uint8_t *data, size_t size)
{
	const Google__Rpc__Status *status;
	ProtobufCMessage *m;
	int r = message_unpack(
		&ttrpc__response__descriptor, data, size, &m, NULL);

	if (r < 0) {
		st_bad_message(st, r);
		return;
	}
	status = ((Ttrpc__Response *)m)->status;
	if (status && status->code != TTRPC_OK)
		st_fail(st, (enum ttrpc_code)status->code, status->message);
	else
		st_ok(st, (Ttrpc__Response *)m);
	message_free(m);
}

/* Runs message() or (m NULL) writable(). False if the stream is no more. */
static bool st_tell(struct ttrpc_stream *st, const ProtobufCMessage *m)
{
	st->busy = true;
	if (m)
		st->cbs->message(st, m, st->arg);
	else
		st->cbs->writable(st, st->arg);
	st->busy = false;
	if (!st->canceled)
		return true;
	st_free(st);
	return false;
}

static void st_data(
	struct ttrpc_stream *st, const struct frame *f, const uint8_t *data)
{
	ProtobufCMessage *m;
	bool alive = true;
	int r;

	if (!(st->kind & TTRPC_STREAM_SERVER)) {
		st_fail(st, TTRPC_INTERNAL,
			"data from a server that does not stream");
		return;
	}
	if (!(f->flags & FRAME_NO_DATA)) {
		r = message_unpack(
			st->method->output, data, f->length, &m, NULL);
		if (r < 0) {
			st_bad_message(st, r);
			return;
		}
		alive = st_tell(st, m);
		message_free(m);
	}
	if (alive && f->flags & FRAME_REMOTE_CLOSED)
		st_fail(st, TTRPC_OK, "");
}

static void client_frame(const struct frame *f, const uint8_t *data, void *arg)
{
	struct ttrpc_stream *st = client_find(arg, f->id);

	if (!st)
		return; /* we gave it up */
	if (f->type == FRAME_RESPONSE)
		st_response(st, data, f->length);
	else if (f->type == FRAME_DATA)
		st_data(st, f, data);
}

static void client_skipped(const struct frame *f, int error, void *arg)
{
	struct ttrpc_stream *st = client_find(arg, f->id);
	char text[128];

	if (!st)
		return;
	if (error == -EMSGSIZE)
		snprintf(text, sizeof(text),
			"message length %lu exceed maximum message size of %d",
			(unsigned long)f->length, FRAME_DATA_MAX);
	else
		snprintf(text, sizeof(text), "no memory for the message");
	st_fail(st, TTRPC_RESOURCE_EXHAUSTED, text);
}

static void client_writable(void *arg)
{
	struct ttrpc_client *c = arg;
	size_t left = 0;
	struct list *n;

	for (n = c->open.next; n != &c->open; n = n->next)
		left++;
	c->busy++;
	while (left-- > 0 && (n = list_pop(&c->open))) {
		struct ttrpc_stream *st =
			list_entry(n, struct ttrpc_stream, node);

		list_add_tail(&c->open, n);
		if (st->cbs && st->cbs->writable && !st->closed)
			st_tell(st, NULL);
	}
	client_leave(c);
}

static void client_closed(int error, void *arg)
{
	struct ttrpc_client *c = arg;

	c->busy++;
	client_fail_all(c, TTRPC_UNAVAILABLE, "ttrpc: closed");
	if (client_leave(c) && c->closed)
		c->closed(error, c->arg);
}

static const struct conn_ops client_ops = {
	.frame = client_frame,
	.skipped = client_skipped,
	.writable = client_writable,
	.closed = client_closed,
};

/* ---- calling ---- */

static int client_send_request(struct ttrpc_client *c,
	const struct ttrpc_stream *st, const char *service, const char *ns,
	uint32_t timeout_ms, const ProtobufCMessage *request)
{
	struct frame f = {.id = st->id, .type = FRAME_REQUEST};
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	Ttrpc__KeyValue kv = TTRPC__KEY_VALUE__INIT, *metadata = &kv;
	struct envelope m = {.head = &q.base, .body = request, .field = 3};

	if (st->kind)
		f.flags = st->closed ? FRAME_REMOTE_CLOSED : FRAME_REMOTE_OPEN;
	q.service = (char *)service;
	q.method = (char *)st->method->name;
	q.timeout_nano = (int64_t)timeout_ms * 1000000;
	if (ns) {
		kv.key = (char *)"containerd-namespace-ttrpc";
		kv.value = (char *)ns;
		q.metadata = &metadata;
		q.n_metadata = 1;
	}
	return conn_send(c->conn, &f, &m, false);
}

static int st_set_timeout(struct ttrpc_stream *st, uint32_t timeout_ms)
{
	struct timeval tv = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};

	if (timeout_ms == 0)
		return 0;
	st->timer = evtimer_new(st->client->base, st_deadline, st);
	if (!st->timer || evtimer_add(st->timer, &tv) < 0)
		return -ENOMEM;
	return 0;
}

/* Consumes st on failure, and until it is done on success. */
static int client_start(struct ttrpc_client *c, struct ttrpc_stream *st,
	const char *service, const ProtobufCMessage *request,
	uint32_t timeout_ms, const char *ns)
{
	int r = -EPIPE;

	list_init(&st->node);
	st->client = c;
	st->id = c->next_id;
	st->closed = !(st->kind & TTRPC_STREAM_CLIENT);
	if (!c->broken && c->next_id != 0)
		r = st_set_timeout(st, timeout_ms);
	if (r == 0)
		r = client_send_request(
			c, st, service, ns, timeout_ms, request);
	if (r < 0) {
		st_free(st);
		return r;
	}
	list_add_tail(&c->open, &st->node);
	c->next_id = st->id == UINT32_MAX ? 0 : st->id + 2;
	return 0;
}

int ttrpc_client_call(struct ttrpc_client *c, const char *service,
	const ProtobufCMethodDescriptor *method,
	const ProtobufCMessage *request, uint32_t timeout_ms, const char *ns,
	ttrpc_result_cb cb, void *arg)
{
	struct ttrpc_stream *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->method = method;
	st->done = cb;
	st->arg = arg;
	return client_start(c, st, service, request, timeout_ms, ns);
}

int ttrpc_stream_open(struct ttrpc_client *c, const char *service,
	const ProtobufCMethodDescriptor *method, unsigned kind,
	const ProtobufCMessage *request, uint32_t timeout_ms, const char *ns,
	const struct ttrpc_stream_cbs *cbs, void *arg,
	struct ttrpc_stream **ret)
{
	struct ttrpc_stream *st = calloc(1, sizeof(*st));
	int r;

	if (!st)
		return -ENOMEM;
	st->method = method;
	st->kind = kind;
	st->cbs = cbs;
	st->done = cbs->done;
	st->arg = arg;
	r = client_start(c, st, service, request, timeout_ms, ns);
	if (r == 0)
		*ret = st;
	return r;
}

static int st_send(
	struct ttrpc_stream *st, uint8_t flags, const ProtobufCMessage *m)
{
	struct frame f = {.id = st->id, .type = FRAME_DATA, .flags = flags};
	struct envelope e = {.body = m};
	int r;

	if (st->closed)
		return -EINVAL;
	if (st->canceled || st->client->broken)
		return -EPIPE;
	if (conn_is_congested(st->client->conn))
		return -EAGAIN;
	r = conn_send(st->client->conn, &f, &e, false);
	return r == -ENOBUFS ? -EAGAIN : r;
}

int ttrpc_stream_send(struct ttrpc_stream *st, const ProtobufCMessage *m)
{
	return st_send(st, 0, m);
}

int ttrpc_stream_close_send(struct ttrpc_stream *st)
{
	int r = st_send(st, FRAME_REMOTE_CLOSED | FRAME_NO_DATA, NULL);

	if (r == 0)
		st->closed = true;
	return r;
}

void ttrpc_stream_cancel(struct ttrpc_stream *st)
{
	if (!st || st->canceled)
		return;
	st->canceled = true;
	list_del(&st->node);
	if (!st->busy)
		st_free(st);
}

struct ttrpc_client *ttrpc_client_new(struct event_base *base,
	struct stream *stream, void (*closed)(int error, void *arg), void *arg)
{
	struct ttrpc_client *c = calloc(1, sizeof(*c));

	if (!c) {
		stream_close(stream);
		return NULL;
	}
	c->base = base;
	c->closed = closed;
	c->arg = arg;
	c->next_id = 1;
	list_init(&c->open);
	if (conn_new(base, stream, 0, &client_ops, c, &c->conn) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

void ttrpc_client_free(struct ttrpc_client *c)
{
	if (!c)
		return;
	conn_free(c->conn);
	c->conn = NULL;
	c->busy++;
	client_fail_all(c, TTRPC_CANCELED, "context canceled");
	c->freed = true;
	client_leave(c);
}
