/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle.h - what is behind the handles of task.h. For client/ itself.
 */
#ifndef WISP_CLIENT_HANDLE_H
#define WISP_CLIENT_HANDLE_H

#include "client/call.h"
#include "client/task.h"

#define CLIENT_PROCESS_PATHS 3 /* stdin, stdout, stderr */

struct client_process {
	struct list link;
	struct client_task *task; /* borrowed */
	char *exec_id;            /* "" is init */
	enum client_status status;
	struct client_exit exit; /* the pid is good before the exit is */
	bool terminal;
	char *stdio[CLIENT_PROCESS_PATHS]; /* from State; NULL: not known */
	struct client_size {
		uint32_t width, height;
		bool wanted;    /* and not asked for yet */
		bool under_way; /* an earlier one */
	} size;
};

struct client_task {
	struct client_shim *shim;                 /* borrowed */
	const struct client_container *container; /* borrowed */
	struct list execs;
	struct client_process init;
	bool had_oom;
};

/* client_call() on behalf of a process, or, by its init, of a task. */
int client_process_call(struct client_process *p, struct client_call *call);

/* What is known never goes back: see task.c. */
void client_process_learn(struct client_process *p, enum client_status status);

#endif
