/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - a task on this host, whoever made it, found by its id.
 *
 * A container of one's own, below the root folder, comes first; otherwise the
 * process table tells (locate.h): containerd's, Docker's, any shim's.
 *
 * Finding it and connecting is no RPC. What a command then asks is one RPC for
 * each operation; those that must know the task's state ask for it once, with
 * ctl_target_look().
 */
#ifndef WISP_CTL_TARGET_H
#define WISP_CTL_TARGET_H

#include "client/task.h"
#include "ctl/locate.h"
#include "ctl/place.h"
#include "ctl/record.h"
#include "ctl/task_options.h"

struct event_base;

/* One run of wispctl. Targets are made in it, and must go before it. */
struct ctl_session {
	const struct ctl_task_options *o; /* borrowed */
	struct event_base *base;
	struct client *client;
};

int ctl_session_open(
	struct ctl_session *s, const struct ctl_task_options *o, struct err *e);
/* NULL members are fine: also after a failed open. */
void ctl_session_close(struct ctl_session *s);

struct ctl_target {
	struct ctl_session *session; /* borrowed */
	struct ctl_shim where;
	bool own; /* below the root: place and record are good */
	struct ctl_place place;
	struct ctl_record record;
	struct client_container container;
	struct client_shim *shim; /* NULL: see connected */
	struct client_task *task;
	bool lost; /* the connection broke */
	unsigned long calls;
};

/* Finds it: no RPC, no connection. id may be the beginning of one that was made
 * up (12 or more hexadecimal digits). To be closed in any case. */
int ctl_target_find(struct ctl_target *t, struct ctl_session *s, const char *id,
	struct err *e);

/* The same, and connects. */
int ctl_target_open(struct ctl_target *t, struct ctl_session *s, const char *id,
	struct err *e);
int ctl_target_connect(struct ctl_target *t, struct err *e);

void ctl_target_close(struct ctl_target *t);

/* State: its status, pid and stdio are known to the handle then. */
int ctl_target_look(struct ctl_target *t, struct err *e);

/* An await for one call, which lasts as long as --timeout says. */
struct client_await *ctl_target_await(const struct ctl_target *t);

/* Its bundle as we can open it, a file in it; -ENAMETOOLONG, -ENOENT with
 * message if there is no bundle any more. */
int ctl_target_path(const struct ctl_target *t, const char *name, char *ret,
	size_t n, struct err *e);

/* Opens the targets named, does one thing with each, and says what fails.
 * Returns the exit code. */
typedef int (*ctl_target_do)(struct ctl_target *t, void *arg, struct err *e);
int ctl_target_each(const char *command, const struct ctl_task_options *o,
	char **ids, ctl_target_do what, void *arg);

#endif
