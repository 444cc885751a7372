/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - ttrpc streams: many messages on one call, either way or both.
 *
 * protobuf-c's descriptors do not say which methods stream, so whoever
 * registers or calls one says it: TTRPC_STREAM_CLIENT if the client may send
 * any number of messages, TTRPC_STREAM_SERVER if the server may.
 *
 * Server side: a stream is a struct ttrpc_call like any other (server.h), with
 * ttrpc_call_send() for messages on the way. It ends with ttrpc_call_reply()
 * (response may be NULL if the server streams: no last message then) or
 * ttrpc_call_fail(). What the peer still sends after that is refused.
 *
 * Client side: a stream is a struct ttrpc_stream. It lives until its done()
 * returns, or until ttrpc_stream_cancel().
 *
 * Neither side queues without bound. Sending says -EAGAIN while too much is
 * unread by the peer (8 MiB, of all its calls), and writable() tells when it
 * makes sense again. ttrpc has no flow control of its own: a side that takes
 * its messages slowly is not asked, its callback returns when it returns.
 */
#ifndef WISP_TTRPC_STREAM_H
#define WISP_TTRPC_STREAM_H

#include "ttrpc/client.h"
#include "ttrpc/server.h"

enum { TTRPC_STREAM_CLIENT = 1, TTRPC_STREAM_SERVER = 2 };

/* ---- server ---- */

/* All run from the loop. Each may answer the call, which ends the rest. */
struct ttrpc_stream_handler {
	/* A new call, the place for ttrpc_call_set_user(). May be NULL. */
	void (*open)(struct ttrpc_call *call, void *arg);

	/* A message, borrowed until this returns. A client that does not
	 * stream gives exactly one. */
	void (*message)(
		struct ttrpc_call *call, const ProtobufCMessage *m, void *arg);

	/* The client sends no more. The server may go on. */
	void (*closed)(struct ttrpc_call *call, void *arg);

	/* ttrpc_call_send() has room again. May be NULL. */
	void (*writable)(struct ttrpc_call *call, void *arg);
};

/* Registers one method, beside those of ttrpc_server_add(), perhaps of the
 * same service. Everything is borrowed for the server's life. kind: the
 * TTRPC_STREAM_ bits. -EEXIST, -ENOMEM. */
int ttrpc_server_add_stream(struct ttrpc_server *s, const char *service,
	const ProtobufCMethodDescriptor *method, unsigned kind,
	const struct ttrpc_stream_handler *handler, void *arg);

/* Sends a message (borrowed). -EAGAIN: later; -EMSGSIZE over 4 MiB, -ENOMEM:
 * nothing was sent, the call is still open. -EPIPE: nobody waits any more.
 * -EINVAL: the server does not stream on this call. */
int ttrpc_call_send(struct ttrpc_call *call, const ProtobufCMessage *m);

/* A pointer of the handler's own, NULL at first. */
void ttrpc_call_set_user(struct ttrpc_call *call, void *user);
void *ttrpc_call_user(const struct ttrpc_call *call);

/* ---- client ---- */

struct ttrpc_stream;

/* All run from the loop. */
struct ttrpc_stream_cbs {
	/* A message, borrowed until this returns. May be NULL if the server
	 * does not stream. */
	void (*message)(
		struct ttrpc_stream *st, const ProtobufCMessage *m, void *arg);

	/* ttrpc_stream_send() has room again. May be NULL. */
	void (*writable)(struct ttrpc_stream *st, void *arg);

	/* The end, once, as for ttrpc_client_call(). r->response is NULL if
	 * the server ended it without a last message. Frees st. */
	ttrpc_result_cb done;
};

/* As ttrpc_client_call(). request may be NULL if the client streams; if not,
 * it is the first message. cbs is borrowed as long as the stream lives. */
int ttrpc_stream_open(struct ttrpc_client *c, const char *service,
	const ProtobufCMethodDescriptor *method, unsigned kind,
	const ProtobufCMessage *request, uint32_t timeout_ms, const char *ns,
	const struct ttrpc_stream_cbs *cbs, void *arg,
	struct ttrpc_stream **ret);

/* Sends a message (borrowed). -EAGAIN: later; -EMSGSIZE, -ENOMEM: nothing was
 * sent; -EPIPE: broken, done() is about to run. -EINVAL: the client does not
 * stream on this call, or closed already. */
int ttrpc_stream_send(struct ttrpc_stream *st, const ProtobufCMessage *m);

/* Tells the server that no more will be sent. Errors as above. */
int ttrpc_stream_close_send(struct ttrpc_stream *st);

/* Gives up: no callback comes after this, what the server still sends is
 * dropped. ttrpc has no way to tell it. NULL is fine. */
void ttrpc_stream_cancel(struct ttrpc_stream *st);

#endif
