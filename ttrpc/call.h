/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - inside the server: its connections and the calls open on them.
 *
 * Only server.c, peer.c and call.c include this; handlers see server.h and
 * stream.h.
 *
 * A call belongs to its handler until it is answered. While somebody waits for
 * the answer it is on its connection's list. When nobody does any more (the
 * peer is gone, the deadline passed, the peer broke the protocol) it is moved
 * to the server's orphans, and when the server goes, to no list at all.
 */
#ifndef WISP_TTRPC_CALL_H
#define WISP_TTRPC_CALL_H

#include "ttrpc.pb-c.h"
#include "ttrpc/conn.h"
#include "ttrpc/list.h"
#include "ttrpc/server.h"
#include "ttrpc/stream.h"

struct event;

struct ttrpc_server {
	struct event_base *base; /* borrowed */
	struct list services;
	struct list streams; /* struct stream_method */
	struct list peers;
	struct list orphans; /* calls that nobody waits for */
	unsigned n_peers;
	void (*on_idle)(void *arg);
	void *idle_arg;
	unsigned busy; /* below a walk over calls: free later */
	bool freed;
};

/* One connection of the server's. */
struct peer {
	struct list node;
	struct ttrpc_server *server; /* borrowed */
	struct conn *conn;
	struct list calls;
	uint32_t last_id;
	size_t held; /* bytes of memory that open calls keep */
	bool eof;    /* sends no more; goes when the last call is answered */
};

/* A registered streaming method. */
struct stream_method {
	struct list node;
	const char *service; /* borrowed, as all of these */
	const ProtobufCMethodDescriptor *desc;
	const struct ttrpc_stream_handler *handler;
	void *arg;
	unsigned kind;
};

/* What a request asks for: handler or stream, never both. */
struct target {
	const ProtobufCMessageDescriptor *input;
	ttrpc_handler handler;
	void *arg;
	const struct stream_method *stream;
};

struct ttrpc_call {
	struct list node;
	struct list *orphans;    /* the server's; NULL when that is gone */
	struct peer *peer;       /* NULL: nobody waits */
	Ttrpc__Request *request; /* without the payload */
	size_t held;
	uint64_t born_ms;
	struct event *timer; /* NULL without deadline */
	void (*on_cancel)(struct ttrpc_call *call, void *arg);
	void *cancel_arg;

	uint32_t id;
	const struct stream_method *method; /* borrowed; NULL: unary */
	void *user;
	bool remote_closed; /* the client sends no more */
	bool busy;          /* below a stream callback: free later */
	bool answered;
};

/* Consumes request, also on failure (NULL). */
struct ttrpc_call *call_new(struct peer *peer, struct list *orphans,
	uint32_t id, Ttrpc__Request *request, size_t held);

/* Arms the deadline. -ENOMEM. */
int call_set_timeout(struct ttrpc_call *call, struct event_base *base);

/* Nobody waits any more: moves the call to the orphans and runs on_cancel. */
void call_cancel(struct ttrpc_call *call);

/* Tells the peer how it ended, then cancels. */
void call_abort(
	struct ttrpc_call *call, enum ttrpc_code code, const char *message);

/* The server is going: as call_cancel(), without callback and list. */
void call_forget(struct ttrpc_call *call);

/* What its handler is told about a stream. It may answer the call, or free
 * the whole server, in there: false if the call is no more after that. */
enum call_event { CALL_OPEN, CALL_MESSAGE, CALL_CLOSED, CALL_WRITABLE };

bool call_tell(struct ttrpc_call *call, enum call_event event,
	const ProtobufCMessage *m);

/* Looks for a method; false if nobody handles it. */
bool server_find(const struct ttrpc_server *s, const char *service,
	const char *method, struct target *ret);

/* Whether a service of that name was registered at all. */
bool server_has(const struct ttrpc_server *s, const char *service);

/* Ends a walk that began with s->busy++. If ttrpc_server_free() ran below it,
 * s is freed only now: then false. */
bool server_leave(struct ttrpc_server *s);

/* Sends a status on any stream id. Breaks the connection if it can't. */
void peer_send_status(
	struct peer *p, uint32_t id, enum ttrpc_code code, const char *message);

#endif
