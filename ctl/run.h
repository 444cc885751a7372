/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - one container under `wispctl run`, from nothing to nothing.
 *
 * run.c has the story from top to bottom; run_prepare.c makes what a shim is
 * given; run_io.c moves bytes, run_signal.c signals, while it runs.
 */
#ifndef WISP_CTL_RUN_H
#define WISP_CTL_RUN_H

#include <limits.h>

#include "client/events.h"
#include "client/log.h"
#include "client/task.h"
#include "ctl/guard.h"
#include "ctl/record.h"
#include "ctl/relay.h"
#include "ctl/run_options.h"
#include "ctl/terminal.h"

struct event;
struct sec_follow;

#define CTL_N_SIGNALS 6
#define CTL_N_QUEUED 8

enum ctl_run_state {
	CTL_RUN_STARTING,  /* a signal ends the attempt */
	CTL_RUN_LAUNCHING, /* it may run already: a signal waits */
	CTL_RUN_RUNNING,   /* a signal goes to the container */
	CTL_RUN_ENDING,    /* only impatience counts */
};

struct ctl_run {
	const struct ctl_run_options *o; /* borrowed */
	struct event_base *base;
	struct client *client;
	enum ctl_run_state state;

	char id[80];
	char shim_path[PATH_MAX], runtime_path[PATH_MAX], self[PATH_MAX];
	char rootfs[PATH_MAX], checkpoint[PATH_MAX], cgroup[96];
	struct ctl_place place;
	bool made_place, made_record;
	struct ctl_record record;
	struct ctl_guard guard;

	struct client_events *events;
	struct client_log *log;
	char last_log[512];         /* the shim's last complaint */
	struct sec_follow *denials; /* --explain-seccomp; else NULL */
	struct client_shim *shim;
	struct client_task *task;
	bool shim_lost;
	bool over;           /* it has exited, or that will never be known */
	struct err wait_err; /* why it will not */
	bool deleted;        /* its last event has come */

	struct ctl_terminal terminal;
	int input; /* the FIFO's end, until it is relayed; or -1 */
	struct ctl_relay *in, *out, *err;
	bool drained;
	bool reader_gone; /* nobody reads our output any more */
	int output_error; /* why some of it is lost; 0: none is */
	unsigned long long drained_bytes;
	unsigned drain_idle_ms;
	struct event *drain_timer;

	struct event *signals[CTL_N_SIGNALS], *resized, *patience;
	unsigned n_signals; /* that asked for an end */
	int queued[CTL_N_QUEUED];
	unsigned n_queued;
	int stop_signal; /* the first of them; 0: none */
};

/* run_prepare.c: the id, the place, the guard, the record, the bundle; then
 * what a container in the foreground has besides: FIFOs, events, log. */
int ctl_run_prepare_place(struct ctl_run *r, struct err *e);
int ctl_run_prepare(struct ctl_run *r, struct err *e);
/* Removes the files of the place, as far as they were made. */
int ctl_run_remove_place(struct ctl_run *r, struct err *e);

/* create.c: `wispctl run -d`. */
int ctl_run_detached(const struct ctl_run_options *o, bool start);

/* Makes a struct ctl_run and its loop, and returns the exit code that story()
 * returns. */
int ctl_run_begin(
	const struct ctl_run_options *o, int (*story)(struct ctl_run *r));

/* run_io.c */
int ctl_run_open_io(struct ctl_run *r, struct err *e);
void ctl_run_stdio(const struct ctl_run *r, struct client_stdio *ret);
/* From here on the container gets stdin. */
int ctl_run_feed(struct ctl_run *r, struct err *e);
/* Runs until all output is written, or nothing comes any more. */
int ctl_run_drain(struct ctl_run *r);
void ctl_run_close_io(struct ctl_run *r);

/* run_signal.c */
int ctl_run_catch_signals(struct ctl_run *r, struct err *e);
void ctl_run_ignore_signals(struct ctl_run *r);
/* Kills the container in a while, if it has not ended then. */
void ctl_run_lose_patience(struct ctl_run *r, unsigned ms);
/* Now that it runs: what came while it was being launched. */
void ctl_run_pass_signals(struct ctl_run *r);
void ctl_run_resize(struct ctl_run *r);

#endif
