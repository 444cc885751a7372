/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - all that can be learnt of one shim: what `wispctl dump` and
 * `wispctl inspect` show.
 */
#ifndef WISP_CTL_VIEW_H
#define WISP_CTL_VIEW_H

#include "client/shim.h"
#include "ctl/json.h"
#include "ctl/locate.h"

struct view_options {
	const char *ns; /* NULL: any */
	const char *id;
	bool json, by_signal, fds;
};

struct view {
	struct ctl_shim where;
	struct event_base *base;
	struct client *client;
	struct client_shim *shim; /* NULL: it can't be connected to */
	struct err why;           /* why not */
	char *text;               /* its dump */
	yajl_val doc;             /* the same */
};

/* letters: the options that the command has, as for getopt(3). 0: go on; 1:
 * help is wanted; -EINVAL: said what is wrong. */
int view_parse(
	int argc, char **argv, const char *letters, struct view_options *ret);

/* Finds the shim and connects to it, if that goes. To be closed also if it
 * fails, or was never opened but is all 0. */
int view_open(struct view *v, const struct view_options *o, struct err *e);
void view_close(struct view *v);

/* Fills in text and doc: by a call, or else by signal, or else by what can be
 * seen from outside; or, if it is told to, by signal alone. */
int view_dump(struct view *v, bool by_signal, struct err *e);

/* The exit code, when what was shown is written; or says what has failed. */
int view_finish(int r, const struct err *e);

#endif
