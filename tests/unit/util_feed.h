/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_feed.h - a publisher, and the daemon that it publishes to.
 *
 * Both are in the test's one loop. Events are numbered: what the daemon took
 * is a list of numbers. Time stands still but for feed_pass().
 */
#ifndef WISP_TESTS_UTIL_FEED_H
#define WISP_TESTS_UTIL_FEED_H

#include <event2/event.h>

#include "reaper/reaper.h"
#include "shim/publish.h"
#include "ttrpc/server.h"

enum feed_mood {
	FEED_TAKES,
	FEED_HOLDS, /* and answers in feed_answer() */
	FEED_REFUSES,
	FEED_REFUSES_ONCE, /* and then takes */
	FEED_UNAVAILABLE,
};

struct feed {
	struct event_base *base;
	struct reaper *reaper;
	struct publisher_config config;
	struct publisher *pub;
	struct listener *listener;
	struct ttrpc_server *server;
	enum feed_mood mood;
	struct ttrpc_call *held;
	unsigned n_accepted, n_asked, n_flushed;
	unsigned n_bad; /* requests that are not as they should be */
	struct publisher_event *room;
	unsigned got[4096], n_got;
	/* of the last exit */
	char container_id[32], exec_id[32];
	unsigned exit_status;
};

extern struct feed feed;

/* With the address of a daemon that is not there yet. */
void feed_begin(void);
void feed_end(void);

/* With a program in place of an address, and a publisher. It notes its
 * arguments and stdin in files numbered from 1, fails if there is a file
 * "fail", and takes its time if there is "wait". */
void feed_begin_binary(void);

/* Exactly the events from..to were taken, in order. */
void feed_assert_got(unsigned from, unsigned to);

/* What the program noted the nth time. */
void feed_assert_any(unsigned n, const char *type, const char *arguments);

/* By feed.config. */
void feed_publisher(void);

void feed_come(void);
/* As if killed: what it holds is never answered. */
void feed_go(void);

/* The call that is held. */
void feed_answer(void);
void feed_answer_nothing(void); /* much too late */

/* An event with a number and so many bytes more. */
void feed_send(unsigned number, size_t more);
void feed_send_exit(unsigned number);
void feed_send_big_exit(unsigned number, size_t more);

/* The same in two steps, of which the second allocates nothing. */
void feed_reserve(void);
void feed_unreserve(void);
void feed_send_reserved(unsigned number);

bool feed_has_no_child(void);

/* Lets that much time pass at once. */
void feed_pass(int64_t ms);

#endif
