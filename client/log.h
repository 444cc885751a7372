/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - reads a shim's log, the FIFO `log` in the bundle, line by line.
 *
 * A daemon makes the FIFO before it runs the shim and reads it all the time:
 * shims other than wisp may stop working when nobody does.
 */
#ifndef WISP_CLIENT_LOG_H
#define WISP_CLIENT_LOG_H

#include "platform/err.h"

struct event_base;
struct client_log;

/* line has no newline and is borrowed. Lines over 4 KiB come in parts. */
typedef void (*client_log_cb)(const char *line, void *arg);

/* Makes the FIFO at path, unless a reader before has left one that the shim may
 * be writing to, and begins to read it. On Windows path is the name of a pipe,
 * which the shim makes: it is dialed until it is there. */
int client_log_new(struct event_base *base, const char *path, client_log_cb cb,
	void *arg, struct client_log **ret, struct err *e);

/* Reads what is there, stops, and removes the FIFO. NULL is fine. */
void client_log_free(struct client_log *l);

#endif
