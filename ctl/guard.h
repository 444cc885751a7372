/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - a second process that sees when the first is killed.
 *
 * `wispctl run` must leave nothing behind, and cannot do anything about its
 * own SIGKILL. So before it makes a container it starts a guard: wispctl again,
 * in a session of its own, reading a pipe that only the first one can write.
 * When the pipe ends, the guard puts the terminal right and releases the
 * container, if the first one has not done so itself.
 */
#ifndef WISP_CTL_GUARD_H
#define WISP_CTL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/place.h"
#include "ctl/terminal.h"
#include "platform/stream.h"

/* What the guard is told, anew whenever it changes. */
struct ctl_guard_orders {
	bool made; /* the place is the first one's, not somebody else's */
	struct ctl_terminal terminal;
	char tty[128];
};

struct ctl_guard {
	struct stream *pipe; /* NULL: none was started */
	int64_t pid;
	struct ctl_guard_orders orders;
};

/* Starts one for a place that is about to be made. */
int ctl_guard_start(struct ctl_guard *g, struct event_base *base,
	const struct ctl_place *p, const char *id, struct err *e);

/* From now on it releases the place. */
void ctl_guard_tell_made(struct ctl_guard *g);

/* From now on it does not any more: somebody else has it. */
void ctl_guard_tell_kept(struct ctl_guard *g);

/* From now on it does that to the terminal on stdin. */
void ctl_guard_tell_terminal(struct ctl_guard *g, const struct ctl_terminal *t);

/* Lets it go, and waits until it is gone. To be called when the container is
 * released. */
void ctl_guard_end(struct ctl_guard *g);

#endif
