/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the ttrpc server: services in, answers out, nothing blocks.
 *
 * A service is a protobuf-c service descriptor and a table of handlers, one
 * for each method, in the descriptor's order. The same descriptor may be
 * registered under several names (containerd.task.v2.Task and v3 are the same
 * messages). A NULL handler answers Unimplemented, as do a service or method
 * nobody registered.
 *
 * Every request becomes a struct ttrpc_call. The handler gets it with the
 * unpacked request (borrowed: valid until the handler returns) and owns it
 * until it answers, at once or much later, with exactly one of
 * ttrpc_call_reply() or ttrpc_call_fail(). Whether the peer is still there, or
 * its deadline (timeout_nano) has passed and it got DeadlineExceeded already,
 * makes no difference to the handler: the answer is then dropped. A handler
 * that wants to stop early sets ttrpc_call_on_cancel().
 *
 * Connections are independent: a malformed frame closes its own connection, a
 * slow reader stops being read once its bounded write queue is full.
 *
 * A peer that only closes its sending side (shutdown(2)) still gets the
 * answers to what it asked, and its connection is closed after the last one.
 * Should it go altogether meanwhile, that is found out by answering.
 */
#ifndef WISP_TTRPC_SERVER_H
#define WISP_TTRPC_SERVER_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>
#include <stdbool.h>

#include "platform/stream.h"
#include "ttrpc/status.h"

struct ttrpc_server;
struct ttrpc_call;

typedef void (*ttrpc_handler)(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg);

/* NULL on no memory. base is borrowed. */
struct ttrpc_server *ttrpc_server_new(struct event_base *base);

/* Closes every connection (calls still open are answered into nothing; their
 * owners must still answer them, before or after this) and frees. */
void ttrpc_server_free(struct ttrpc_server *s);

/* name, desc, handlers and arg are borrowed for the server's life. -ENOMEM;
 * -EEXIST if the name is taken. Streams: see stream.h. */
int ttrpc_server_add(struct ttrpc_server *s, const char *name,
	const ProtobufCServiceDescriptor *desc, const ttrpc_handler *handlers,
	void *arg);

/* Serves a new connection. Consumes stream, also on failure (-ENOMEM). */
int ttrpc_server_accept(struct ttrpc_server *s, struct stream *stream);

/* Connections open now. */
unsigned ttrpc_server_connections(const struct ttrpc_server *s);

/* Runs cb from the loop whenever the number of connections drops to zero. */
void ttrpc_server_on_idle(
	struct ttrpc_server *s, void (*cb)(void *arg), void *arg);

/* True when nothing is left to be written on any connection. */
bool ttrpc_server_flushed(const struct ttrpc_server *s);

/* Answers and frees the call. response is borrowed. If it cannot be packed
 * for want of memory, the peer gets ResourceExhausted. */
void ttrpc_call_reply(
	struct ttrpc_call *call, const ProtobufCMessage *response);
void ttrpc_call_fail(
	struct ttrpc_call *call, enum ttrpc_code code, const char *message);

/* The first value of a metadata key (case as sent), or NULL. Valid as long as
 * the call. "containerd-namespace-ttrpc" carries the namespace. */
const char *ttrpc_call_metadata(const struct ttrpc_call *call, const char *key);

/* Whether anybody still waits for the answer. */
bool ttrpc_call_is_canceled(const struct ttrpc_call *call);

/* Runs cb once from the loop when the peer is gone or its deadline has passed;
 * never after the call was answered. NULL takes it back. */
void ttrpc_call_on_cancel(struct ttrpc_call *call,
	void (*cb)(struct ttrpc_call *call, void *arg), void *arg);

/* For people who look: names are static or the call's, age in milliseconds. */
const char *ttrpc_call_service(const struct ttrpc_call *call);
const char *ttrpc_call_method(const struct ttrpc_call *call);
uint64_t ttrpc_call_age_ms(const struct ttrpc_call *call);

/* Walks every call that has not been answered. */
void ttrpc_server_each_call(struct ttrpc_server *s,
	void (*fn)(const struct ttrpc_call *call, void *arg), void *arg);

#endif
