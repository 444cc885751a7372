/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_ends.h - streams of every kind, and what the loop tells of them.
 */
#ifndef WISP_TESTS_UTIL_ENDS_H
#define WISP_TESTS_UTIL_ENDS_H

#include <event2/event.h>

#include "platform/stream.h"

struct ends {
	struct event_base *base;
	unsigned times, what; /* as the callback was told */
	bool close;           /* the callback closes its stream */
};

extern struct ends ends;

/* Consumes fd. */
struct stream *ends_stream_of(int fd);

/* With the other end for the test. */
struct stream *ends_socket_with(int *other);
struct stream *ends_pipe_from(int *other);
struct stream *ends_pipe_to(int *other);

/* Made if need be. */
struct stream *ends_fifo_with(const char *path);

/* Turns the loop; how many times something was told. */
unsigned ends_told_in(unsigned turns);

/* Until there is no room. */
void ends_fill(struct stream *s);

#endif
