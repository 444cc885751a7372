/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_ttrpc.h - a ttrpc server with an echo service, and peers for it.
 *
 * A world has one event loop, one server that serves echo.proto, and whatever
 * peers the test attaches: clients of ours, or bare sockets to speak bytes.
 * Nothing here blocks: all waiting runs the loop, for at most WAIT_MS.
 */
#ifndef WISP_TESTS_UTIL_TTRPC_H
#define WISP_TESTS_UTIL_TTRPC_H

#include <event2/event.h>
#include <stdbool.h>

#include "echo.pb-c.h"
#include "ttrpc/client.h"
#include "ttrpc/frame.h"
#include "ttrpc/server.h"
#include "ttrpc/stream.h"

enum { WAIT_MS = 20000, HELD_MAX = 20000 };

#define ECHO "wisp.test.Echo"

struct world {
	struct event_base *base;
	struct ttrpc_server *server;
	struct ttrpc_call *held[HELD_MAX]; /* of Hold, unanswered */
	unsigned n_held;
	unsigned n_canceled; /* of Hold and the streams */
	unsigned n_said;     /* Say was called */
	char metadata[128];  /* what the last Hold had for the namespace */
	unsigned n_idle;
	unsigned n_closed; /* streams whose client closed */
	unsigned to_send;  /* of Count: messages still to be sent */
	bool big;          /* of Count: in 100 kB each */
	bool free_server;  /* Say frees the server instead of answering */
};

/* Exits on failure. */
struct world *world_new(void);
void world_free(struct world *w); /* answers what is held */

/* A fresh socket pair: the server gets one end. */
struct ttrpc_client *world_client(struct world *w);
int world_socket(struct world *w);

/* As world_client(), but the test is the server, on *ret_fd. */
struct ttrpc_client *world_client_of(struct world *w, int *ret_fd);

/* A stream of fd, which is consumed. */
struct stream *world_stream(struct world *w, int fd);

/* Runs the loop until nothing happens any more, as far as one can tell. */
void world_settle(struct world *w);

uint64_t world_now_ms(void);

/* Runs the loop until cond holds; false after WAIT_MS. */
#define world_wait(w, cond)                                          \
	({                                                           \
		uint64_t end_ms_ = world_now_ms() + WAIT_MS;         \
		while (!(cond) && world_now_ms() < end_ms_)          \
			event_base_loop((w)->base, EVLOOP_NONBLOCK); \
		(bool)(cond);                                        \
	})

/* ---- bytes ---- */

/* Writes all while the loop runs. False if the peer is gone. */
bool raw_write(struct world *w, int fd, const void *buf, size_t n);
bool raw_frame(struct world *w, int fd, uint32_t id, uint8_t type,
	uint8_t flags, const void *data, size_t n);

/* A Request to the echo service. input may be NULL. */
bool raw_request(struct world *w, int fd, uint32_t id, uint8_t flags,
	const char *method, const ProtobufCMessage *input,
	int64_t timeout_nano);

/* Reads one whole frame while the loop runs. The data is allocated, NULL if
 * empty. False at the end. */
bool raw_read(struct world *w, int fd, struct frame *f, uint8_t **ret_data);

/* Reads a frame that must be a Response for id; the code it carries, -1 if
 * there is none. text, if not NULL, gets the message, or the text of an
 * EchoResponse; it has 256 bytes. */
int raw_response(struct world *w, int fd, uint32_t id, char *text);

/* Whether the other end is closed and all was read. */
bool raw_at_end(struct world *w, int fd);

/* ---- calls ---- */

/* What became of a call. */
struct outcome {
	unsigned runs;
	enum ttrpc_code code;
	char message[256];
	char text[256];   /* of the EchoResponse */
	size_t data_size; /* of the EchoResponse */
	bool has_response;
};

void outcome_cb(const struct ttrpc_result *r, void *outcome);

/* The method of echo.proto of that name. */
const ProtobufCMethodDescriptor *echo_method(const char *name);

/* ttrpc_client_call() with an EchoRequest. */
int echo_call(struct ttrpc_client *c, const char *method, const char *text,
	uint32_t n, uint32_t timeout_ms, struct outcome *o);

#endif
