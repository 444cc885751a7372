/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - the daemon's Events service: shims call it, it tells.
 *
 * Each Forward is decoded, given to the callback, and acknowledged when that
 * returns, so that a shim never sends the next before this one was seen.
 */
#ifndef WISP_CLIENT_EVENTS_H
#define WISP_CLIENT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "platform/err.h"

struct event_base;
struct client_events;

enum client_event_type {
	CLIENT_EVENT_OTHER, /* only topic and ns are filled */
	CLIENT_EVENT_CREATE,
	CLIENT_EVENT_START,
	CLIENT_EVENT_EXEC_ADDED,
	CLIENT_EVENT_EXEC_STARTED,
	CLIENT_EVENT_EXIT,
	CLIENT_EVENT_OOM,
	CLIENT_EVENT_PAUSED,
	CLIENT_EVENT_RESUMED,
	CLIENT_EVENT_CHECKPOINTED,
	CLIENT_EVENT_DELETE,
};

/* Of "/tasks/create" and so on. */
enum client_event_type client_event_type_of(const char *topic);

/* Strings are never NULL, and borrowed until the callback returns. What an
 * event of its type does not carry is 0 or "". */
struct client_event {
	enum client_event_type type;
	struct timespec at; /* when it happened, as the shim says */
	const char *ns, *topic;
	const char *container_id;
	const char *exec_id; /* "" is init */
	const char *bundle, *checkpoint;
	const char *in, *out, *err; /* stdio */
	bool terminal;
	uint32_t pid;
	uint32_t exit_status;
	struct timespec exited_at;
};

typedef void (*client_event_cb)(const struct client_event *ev, void *arg);

/* Listens on a unix socket, which must not exist. base is borrowed. */
int client_events_new(struct event_base *base, const char *address,
	client_event_cb cb, void *arg, struct client_events **ret,
	struct err *e);

/* Runs the loop until every shim has closed its connection, so that nothing
 * that was sent is missed, or the time is over. */
struct client;
void client_events_settle(
	struct client_events *ev, struct client *c, uint32_t timeout_ms);

/* Stops, and removes the socket. NULL is fine. */
void client_events_free(struct client_events *ev);

#endif
