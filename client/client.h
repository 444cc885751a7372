/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - what the daemon's part in a shim's life stands on: one event
 * loop, and the wish of a command line tool to just wait for an answer.
 *
 * Everything in client/ is asynchronous: a function that begins something
 * returns 0 and later, from the loop, runs its callback exactly once; or it
 * returns -errno, and the callback never runs. Daemons and benchmarks use it
 * like that. Tools write
 *
 *     struct client_await *aw = client_await_new(c, timeout_ms);
 *     r = client_await(aw, client_process_start(p, client_await_done, aw), e);
 *
 * which runs the loop (so that output, signals and other calls go on) until
 * this one call is done.
 *
 * A struct client must outlive everything that was made with it.
 */
#ifndef WISP_CLIENT_CLIENT_H
#define WISP_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"

struct event_base;
struct client;

/* e->code is 0 if it went well. e is borrowed. */
typedef void (*client_cb)(const struct err *e, void *arg);

/* base is borrowed. Takes charge of all exits of this process's children (see
 * platform/process.h), so there can be one at a time. */
int client_new(struct event_base *base, struct client **ret, struct err *e);

/* Programs that still run are killed; their callbacks do not run. */
void client_free(struct client *c);

struct event_base *client_base(const struct client *c);

/* One wait for one call. timeout_ms 0: as long as it takes. NULL on no memory,
 * which client_await() then tells. */
struct client_await;
struct client_await *client_await_new(struct client *c, uint32_t timeout_ms);

/* The callback to pass along with the await. */
void client_await_done(const struct err *e, void *arg);

/*
 * Runs the loop until the call is done, and returns its code. Consumes aw.
 * begun is what the call returned: if negative, there is nothing to wait for.
 * -EINTR if client_interrupt() was called, -ETIME if the time is over: the call
 * is then still open, and its end will be of no consequence.
 */
int client_await(struct client_await *aw, int begun, struct err *e);

/* Runs the loop until *flag is true. -EINTR, -ETIME as above. */
int client_run_until(struct client *c, const bool *flag, uint32_t timeout_ms);

/* Ends the wait that is on, and every later one at once; false ends that. */
void client_interrupt(struct client *c, bool on);

#endif
