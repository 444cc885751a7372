/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach.h - being attached to a detached container: what it writes comes to
 * our stdout and stderr, what comes on our stdin goes to it.
 *
 * attach.c has the story, attach_io.c the bytes.
 */
#ifndef WISP_CTL_ATTACH_H
#define WISP_CTL_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "ctl/guard.h"
#include "ctl/keys.h"
#include "ctl/place.h"
#include "ctl/record.h"
#include "ctl/relay.h"
#include "ctl/wire.h"

#define CTL_ATTACH_INPUT 4096
#define CTL_ATTACH_SIGNALS 4

struct event;

struct ctl_attach_options {
	const char *root;
	const char *keys; /* NULL: the default ones */
	bool no_stdin;
	bool attach; /* of `start`: to attach first */
};

/* The options of `attach`, or of `start`. Arguments begin at argv[optind].
 * CTL_OK; CTL_FAILED, and has said why; CTL_FOUND: the help is wanted. */
int ctl_attach_options_parse(
	struct ctl_attach_options *o, int argc, char **argv, bool start);

/* Attaches to it, after which it is started if start is true, and stays until
 * it ends or we are detached. Returns the exit code, and has said what there is
 * to say. */
int ctl_attach_to(
	const struct ctl_attach_options *o, const char *id, bool start);

/* Start, by an RPC. start.c */
int ctl_start_task(struct client *c, const struct ctl_record *r, struct err *e);

/* ---- for attach*.c ---- */

/* Our stdout or stderr: a pipe, so that a slow reader of it stops nothing but
 * this. */
struct ctl_attach_output {
	int fd; /* the pipe's end, or -1 */
	struct event *ready;
	struct ctl_relay *relay;
};

struct ctl_attach {
	const struct ctl_attach_options *o; /* borrowed */
	struct event_base *base;
	struct client *client;
	const char *id;
	struct ctl_place place;
	struct ctl_record record;
	struct ctl_keys keys;
	struct ctl_guard guard;
	struct ctl_terminal terminal;

	struct stream *keeper;
	struct ctl_wire_reader reader;
	size_t taken;                     /* of the frame in it */
	char queue[2 * CTL_ATTACH_INPUT]; /* to the keeper */
	size_t at, n;

	int in; /* where stdin comes from, through a relay; or -1 */
	struct event *typed;
	struct ctl_relay *in_relay;
	struct ctl_attach_output out, err;
	bool drained;

	bool over; /* for one of these reasons: */
	bool exited, detached, lost, reader_gone;
	int output_error; /* why some of it is lost; 0: none is */
	uint32_t status;
	char sorry[512];
	int signal;

	struct event *signals[CTL_ATTACH_SIGNALS], *resized;
};

/* Sets over, and ends the wait for that. */
void ctl_attach_end(struct ctl_attach *a);

/* From here on what the keeper tells is taken. */
int ctl_attach_open_io(struct ctl_attach *a, struct err *e);
/* From here on it gets stdin. */
int ctl_attach_feed(struct ctl_attach *a, struct err *e);
void ctl_attach_size(struct ctl_attach *a, uint32_t width, uint32_t height);
/* Runs until what the keeper told is written. */
void ctl_attach_drain(struct ctl_attach *a);
void ctl_attach_close_io(struct ctl_attach *a);

#endif
