/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - what whoever sits before wispctl does: types Ctrl-C, makes the
 * window larger.
 */
#ifndef WISP_CTL_WINDOWS_WATCH_H
#define WISP_CTL_WINDOWS_WATCH_H

#include "client/client.h"
#include "client/task.h"

struct event;
struct host_signals;
struct terminal;

struct ctl_watch {
	struct client *client;          /* borrowed */
	struct client_process *process; /* NULL: it does not run (any more) */
	struct host_signals *signals;
	struct terminal *raw; /* NULL: as it was */
	struct event *look;   /* is the terminal as large as it was? */
	uint32_t width, height;
	unsigned n; /* how often an end was asked for */
};

/* Until ctl_watch_running() a Ctrl-C makes every wait of the client end with
 * -EINTR. */
int ctl_watch_begin(struct ctl_watch *w, struct client *c, struct err *e);

/* From now on it goes to the process: as it is the first two times, then as
 * SIGKILL. */
void ctl_watch_running(struct ctl_watch *w, struct client_process *p);

/* The process has ended: from now on only impatience counts. */
void ctl_watch_over(struct ctl_watch *w);

/* For one with a terminal, before it is started: raw: keys go to it, too. */
int ctl_watch_terminal(
	struct ctl_watch *w, struct client_process *p, bool raw, struct err *e);

/* Everything as it was. */
void ctl_watch_end(struct ctl_watch *w);

#endif
