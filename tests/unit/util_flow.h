/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_flow.h - one relay with both of its far ends, which the test has.
 *
 * What goes in is a fixed pattern of bytes, and what comes out is compared with
 * it.
 */
#ifndef WISP_TESTS_UTIL_FLOW_H
#define WISP_TESTS_UTIL_FLOW_H

#include <event2/event.h>

#include "io/relay.h"

struct flow {
	struct event_base *base;
	struct relay *relay;
	int in, out; /* the test writes into in and reads from out; -1: none */
	size_t sent, got;
	unsigned n_done;
	bool in_loop, free_in_done, done_elsewhere;
};

extern struct flow flow;

/* Without a relay yet. */
void flow_begin(void);
void flow_end(void);

/* An end of a pipe ('p') or a socket ('s') for the relay; the test has the
 * other one, in flow.in or flow.out. */
struct stream *flow_source(char kind);
struct stream *flow_destination(char kind);
struct stream *flow_stream(int fd);

/* Consumes both. flow_done() counts. */
void flow_start(struct stream *from, struct stream *to);
void flow_done(struct relay *r, void *flow);

/* All of that in one. */
void flow_open(char from, char to);

/* As loop_turn() and the others. */
void flow_turn(void);
void flow_settle(void);
bool flow_is_idle(void);

/* The byte at a place in what is sent. */
unsigned char flow_byte(size_t at);

/* Up to n bytes of it into the source; how many went. */
size_t flow_feed(size_t n);

/* Reads what is there and compares; whether it was the end. */
bool flow_take(void);

/* All of n bytes through the relay, at the pace of its end. */
void flow_carry(size_t n);

#endif
