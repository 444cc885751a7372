/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.h - the keeper: the daemon of one detached container.
 *
 * `wispctl create` and `run -d` start `wispctl keep ROOT ID`, which makes the
 * task and then stays as long as the container exists. It holds the place's
 * lock, takes the shim's events, moves the output into a log (output.h), and
 * serves those who attach (wire.h). When the task has been deleted, or its shim
 * is gone, it releases the place and ends.
 *
 * If it is killed, nothing is lost: the container runs on, its output waits in
 * the FIFOs (of which a keeper takes nothing out before it is in the log), its
 * events in the shim; the next command that needs a keeper starts one.
 *
 * keep.c has its life from top to bottom, keep_end.c how it ends, keep_io.c the
 * bytes, keep_serve.c and keep_peer.c the clients; keep_start.c is how other
 * commands get one.
 */
#ifndef WISP_CTL_KEEP_H
#define WISP_CTL_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "client/events.h"
#include "client/log.h"
#include "client/task.h"
#include "ctl/output.h"
#include "ctl/place.h"
#include "ctl/record.h"
#include "platform/listener.h"
#include "ttrpc/list.h"

struct event;

#define CTL_KEEP_CHUNK 8192
#define CTL_KEEP_INPUT 8192
#define CTL_KEEP_LOCK_FD 3 /* the keeper has the place's lock as this */

/* ---- for other commands ---- */

enum ctl_keep_how {
	CTL_KEEP_CREATE, /* make the task of a place that was filled */
	CTL_KEEP_RUN,    /* and start it */
	CTL_KEEP_AGAIN,  /* the task is there, its keeper is not */
};

/* Starts a keeper and waits until it has done that, or says why not: then
 * there is nothing left of the container. The place must be locked; the lock
 * becomes the keeper's without a moment in between, also if this fails. */
int ctl_keep_start(struct client *c, struct ctl_place *p, const char *id,
	enum ctl_keep_how how, struct err *e);

/* Finds a detached container, and sees to it that it has a keeper. p and the
 * record are the caller's (ctl_record_clear()). -ENOENT: there is none of that
 * name. */
int ctl_keep_find(struct client *c, const char *root, const char *id,
	struct ctl_place *p, struct ctl_record *ret, struct err *e);

/* Connects to the keeper, as one of enum ctl_wire_mode, and waits until it is
 * ready. A keeper that is gone is started again. */
int ctl_keep_connect(struct client *c, const struct ctl_place *p,
	const char *id, int mode, struct stream **ret, struct err *e);

/* ---- for keep*.c ---- */

struct ctl_keep;

struct ctl_keep_source {
	struct ctl_keep *keep;
	int fd; /* the FIFO's end, or -1 */
	struct event *ev;
	bool is_err, ended;
};

struct ctl_keep {
	struct event_base *base;
	struct client *client;
	const char *id;
	struct ctl_place place;
	struct ctl_record record;
	bool has_record, has_task;
	bool unheard; /* whoever started us has gone before he heard how it went
		       */
	struct event *starter, *patience;

	struct client_events *events;
	struct client_log *log;
	char last_log[256]; /* the shim's last complaint */
	struct client_shim *shim;
	struct client_task *task;
	bool shim_lost, deleted;
	bool exited; /* init has, with this: */
	uint32_t status;
	bool over; /* and all output is in the log */
	bool done; /* there is nothing more to keep */

	struct ctl_output output;
	struct ctl_keep_source out, err;
	int copy[2]; /* a pipe, for tee(2) */
	uint64_t bytes, drained_bytes;
	unsigned idle_ms;
	struct event *drain;

	int input; /* the FIFO's end, or -1 */
	struct event *input_ready;
	size_t input_at, input_n; /* what waits in input_buf */

	struct listener *listener;
	struct list peers;  /* keep_peer.h */
	struct event *reap; /* frees those that are gone */
	unsigned n_peers;
	bool paused; /* a client is behind: output waits a little */

	char input_buf[CTL_KEEP_INPUT];
	char chunk[CTL_KEEP_CHUNK];
};

/* keep_io.c: opens the FIFOs, which are made if need be, and the log. */
int ctl_keep_open_io(struct ctl_keep *k, bool make, struct err *e);
/* Begins to read; what is there already is in the log when this returns. */
int ctl_keep_read(struct ctl_keep *k, bool now, struct err *e);
/* Reads what is there, to the end if it can be seen. */
void ctl_keep_read_rest(struct ctl_keep *k);
/* Whether reading waits. */
void ctl_keep_pause(struct ctl_keep *k, bool paused);
/* Init has exited: sets k->over once the output has ended, or nothing came for
 * a while, and tells ctl_keep_is_over(). */
void ctl_keep_drain(struct ctl_keep *k);
/* Input from a client: taken, and told by ctl_keep_serve_input() once there is
 * room for more. Only when there is none waiting. */
void ctl_keep_put_input(struct ctl_keep *k, const void *data, size_t n);
void ctl_keep_end_input(struct ctl_keep *k);
void ctl_keep_close_io(struct ctl_keep *k);

/* keep.c */
void ctl_keep_is_over(struct ctl_keep *k);

/* keep_end.c: tells whoever wants to know, and releases what there is of the
 * container. */
void ctl_keep_finish(struct ctl_keep *k, struct err *e);
/* Lets the task be, which was there before. */
void ctl_keep_leave(struct ctl_keep *k);
void ctl_keep_close(struct ctl_keep *k);

/* keep_serve.c */
int ctl_keep_serve(struct ctl_keep *k, struct err *e);
void ctl_keep_tell_output(
	struct ctl_keep *k, bool is_err, const void *data, size_t n);
void ctl_keep_tell_exit(struct ctl_keep *k);
void ctl_keep_tell_sorry(struct ctl_keep *k, const char *why);
/* Clients may send input again. */
void ctl_keep_serve_input(struct ctl_keep *k);
/* Waits until all have been told everything, but not for long. */
void ctl_keep_serve_end(struct ctl_keep *k);

#endif
