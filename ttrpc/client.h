/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the ttrpc client: calls out, one callback each.
 *
 * A client is one connection. It takes any number of calls at once. Each call
 * ends in exactly one run of its callback: with the response, with the peer's
 * status, with DeadlineExceeded, or with Unavailable when the connection
 * breaks. Callbacks run from the loop, never inside ttrpc_client_call().
 */
#ifndef WISP_TTRPC_CLIENT_H
#define WISP_TTRPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "platform/stream.h"
#include "ttrpc/status.h"

struct ttrpc_client;

struct ttrpc_result {
	enum ttrpc_code code;
	const char *message;              /* "" if code is TTRPC_OK */
	const ProtobufCMessage *response; /* NULL unless code is TTRPC_OK */
};

/* Everything in r is borrowed until the callback returns. */
typedef void (*ttrpc_result_cb)(const struct ttrpc_result *r, void *arg);

/* Consumes stream, also on failure (NULL: no memory). closed(), which may be
 * NULL, runs once from the loop when the connection has broken, after every
 * open call got its result; error is a negative errno or 0 for an orderly end.
 */
struct ttrpc_client *ttrpc_client_new(struct event_base *base,
	struct stream *stream, void (*closed)(int error, void *arg), void *arg);

/* Closes. Calls still open get their callback (Canceled) before this returns;
 * closed() does not run. NULL is fine. May be called from a callback. */
void ttrpc_client_free(struct ttrpc_client *c);

/*
 * service is the name on the wire, method one of a descriptor's methods (for
 * its name and message types). timeout_ms 0 means none; otherwise it is sent
 * along (timeout_nano) and enforced here too. ns, if not NULL, travels as
 * "containerd-namespace-ttrpc". 0, or -ENOMEM, -EMSGSIZE (over 4 MiB),
 * -ENOBUFS (12 MiB wait for a peer that does not read), -EPIPE (broken): then
 * cb never runs. Calls that stream: see stream.h.
 */
int ttrpc_client_call(struct ttrpc_client *c, const char *service,
	const ProtobufCMethodDescriptor *method,
	const ProtobufCMessage *request, uint32_t timeout_ms, const char *ns,
	ttrpc_result_cb cb, void *arg);

#endif
