/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oneshot.h - for the commands that do one thing and end: a loop, a reaper, and
 * a wait for one answer.
 */
#ifndef WISP_SHIM_ONESHOT_H
#define WISP_SHIM_ONESHOT_H

#include <stdbool.h>

#include "platform/err.h"

struct event_base;
struct reaper;

struct oneshot {
	struct event_base *base;
	struct reaper *reaper;
	bool done;
	int r;
	struct err err;
};

/* Needs oneshot_clear() also on failure. */
int oneshot_init(struct oneshot *o, struct err *e);

/* A runtime_cb: records the outcome and ends oneshot_wait(). arg is o. */
void oneshot_done(int r, const struct err *e, void *arg);

/* Runs the loop until oneshot_done(). */
int oneshot_wait(struct oneshot *o, struct err *e);

void oneshot_clear(struct oneshot *o);

/* A failure that is no reason to fail: on stderr. */
void oneshot_complain(const char *message);

#endif
