/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/call.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NANO = 1000000000 };

/* A deadline further away than this is none: it needs no timer, and its
 * seconds fit into any time_t. */
static const int64_t timeout_max_nano = (int64_t)NANO * 3600 * 24 * 365;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- sending ---- */

static int call_send(struct ttrpc_call *call, uint8_t type, uint8_t flags,
	const ProtobufCMessage *body)
{
	struct frame f = {.id = call->id, .type = type, .flags = flags};
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	struct envelope m = {.body = body};

	if (type == FRAME_RESPONSE) {
		m.head = &response.base;
		m.field = 2; /* Response.payload */
	}
	return conn_send(call->peer->conn, &f, &m, false);
}

/* A server that streams ends with a data frame, any other with a response. */
static int call_send_last(
	struct ttrpc_call *call, const ProtobufCMessage *response)
{
	uint8_t flags = FRAME_REMOTE_CLOSED;

	if (!call->method || !(call->method->kind & TTRPC_STREAM_SERVER))
		return call_send(call, FRAME_RESPONSE, 0, response);
	if (!response)
		flags |= FRAME_NO_DATA;
	return call_send(call, FRAME_DATA, flags, response);
}

/* Why an answer could not be sent, for the peer. */
static void call_send_error(struct ttrpc_call *call, int error)
{
	const char *text;

	if (error == -EMSGSIZE)
		text = "response exceeds maximum message size of 4194304";
	else if (error == -ENOBUFS)
		text = "too many responses wait to be read";
	else if (error == -ENOMEM)
		text = "no memory for the response";
	else
		return; /* broken: it knows */
	peer_send_status(call->peer, call->id, TTRPC_RESOURCE_EXHAUSTED, text);
}

/* ---- life ---- */

struct ttrpc_call *call_new(struct peer *peer, struct list *orphans,
	uint32_t id, Ttrpc__Request *request, size_t held)
{
	struct ttrpc_call *call = calloc(1, sizeof(*call));

	if (!call) {
		message_free(&request->base);
		return NULL;
	}
	call->orphans = orphans;
	call->peer = peer;
	call->request = request;
	call->held = held + sizeof(*call);
	call->born_ms = now_ms();
	call->id = id;
	list_add_tail(&peer->calls, &call->node);
	peer->held += call->held;
	return call;
}

/* Off its connection, which may have waited for just that. */
static void call_detach(struct ttrpc_call *call)
{
	struct peer *p = call->peer;

	if (call->timer)
		event_free(call->timer);
	call->timer = NULL;
	call->peer = NULL;
	list_del(&call->node);
	if (!p)
		return;
	p->held -= call->held;
	if (p->eof && list_empty(&p->calls))
		conn_finish(p->conn);
}

static void call_free(struct ttrpc_call *call)
{
	call_detach(call);
	message_free(&call->request->base);
	free(call);
}

void call_cancel(struct ttrpc_call *call)
{
	void (*cb)(struct ttrpc_call *, void *) = call->on_cancel;

	call_detach(call);
	list_add_tail(call->orphans, &call->node);
	call->on_cancel = NULL;
	if (cb)
		cb(call, call->cancel_arg);
}

void call_abort(
	struct ttrpc_call *call, enum ttrpc_code code, const char *message)
{
	peer_send_status(call->peer, call->id, code, message);
	call_cancel(call);
}

void call_forget(struct ttrpc_call *call)
{
	call->peer = NULL; /* going too: nothing to finish there */
	call_detach(call);
	call->orphans = NULL;
	call->on_cancel = NULL;
}

static void call_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct ttrpc_call *call = arg;

	(void)fd;
	(void)what;
	call_abort(call, TTRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
}

int call_set_timeout(struct ttrpc_call *call, struct event_base *base)
{
	int64_t nano = call->request->timeout_nano;
	struct timeval tv;

	if (nano <= 0 || nano > timeout_max_nano)
		return 0;
	tv.tv_sec = nano / NANO;
	tv.tv_usec = nano % NANO / 1000;
	call->timer = evtimer_new(base, call_deadline, call);
	if (!call->timer || evtimer_add(call->timer, &tv) < 0)
		return -ENOMEM;
	return 0;
}

bool call_tell(struct ttrpc_call *call, enum call_event event,
	const ProtobufCMessage *m)
{
	const struct ttrpc_stream_handler *h = call->method->handler;
	void *arg = call->method->arg;

	call->busy = true;
	if (event == CALL_OPEN && h->open)
		h->open(call, arg);
	else if (event == CALL_MESSAGE)
		h->message(call, m, arg);
	else if (event == CALL_CLOSED)
		h->closed(call, arg);
	else if (event == CALL_WRITABLE && h->writable)
		h->writable(call, arg);
	call->busy = false;
	if (!call->answered)
		return call->peer;
	call_free(call);
	return false;
}

/* ---- for handlers ---- */

static void call_answered(struct ttrpc_call *call)
{
	call_detach(call);
	call->answered = true;
	call->on_cancel = NULL;
	if (!call->busy)
		call_free(call);
}

void ttrpc_call_reply(struct ttrpc_call *call, const ProtobufCMessage *response)
{
	int r;

	if (call->peer) {
		r = call_send_last(call, response);
		if (r < 0)
			call_send_error(call, r);
	}
	call_answered(call);
}

void ttrpc_call_fail(
	struct ttrpc_call *call, enum ttrpc_code code, const char *message)
{
	if (code == TTRPC_OK) /* would read as an empty success */
		code = TTRPC_UNKNOWN;
	if (call->peer)
		peer_send_status(call->peer, call->id, code, message);
	call_answered(call);
}

int ttrpc_call_send(struct ttrpc_call *call, const ProtobufCMessage *m)
{
	int r;

	if (!call->peer)
		return -EPIPE;
	if (!call->method || !(call->method->kind & TTRPC_STREAM_SERVER))
		return -EINVAL;
	if (conn_is_congested(call->peer->conn))
		return -EAGAIN;
	r = call_send(call, FRAME_DATA, 0, m);
	return r == -ENOBUFS ? -EAGAIN : r;
}

const char *ttrpc_call_metadata(const struct ttrpc_call *call, const char *key)
{
	const Ttrpc__Request *r = call->request;
	size_t i;

	for (i = 0; i < r->n_metadata; i++) {
		if (strcmp(r->metadata[i]->key, key) == 0)
			return r->metadata[i]->value;
	}
	return NULL;
}

bool ttrpc_call_is_canceled(const struct ttrpc_call *call)
{
	return !call->peer;
}

void ttrpc_call_on_cancel(struct ttrpc_call *call,
	void (*cb)(struct ttrpc_call *call, void *arg), void *arg)
{
	call->on_cancel = cb;
	call->cancel_arg = arg;
}

void ttrpc_call_set_user(struct ttrpc_call *call, void *user)
{
	call->user = user;
}

void *ttrpc_call_user(const struct ttrpc_call *call)
{
	return call->user;
}

const char *ttrpc_call_service(const struct ttrpc_call *call)
{
	return call->request->service;
}

const char *ttrpc_call_method(const struct ttrpc_call *call)
{
	return call->request->method;
}

uint64_t ttrpc_call_age_ms(const struct ttrpc_call *call)
{
	return now_ms() - call->born_ms;
}
