/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - the task events, one function each, from a task to the publisher.
 */
#ifndef WISP_SHIM_EVENTS_H
#define WISP_SHIM_EVENTS_H

#include "shim/task.h"

/* What a TaskExit needs at most: two ids, and numbers. */
#define EVENTS_EXIT_SIZE 256

/* What a TaskCreate needs beyond what its request tells: the pid. */
struct publisher_event *events_prepare_create(
	struct task *t, const CreateRequest *rq);
void events_create(struct task *t); /* uses t->create_room */

void events_start(struct proc *p); /* TaskStart, or TaskExecStarted */
void events_exec_added(struct proc *p);
void events_exit(struct proc *p); /* uses p->exit_room */
void events_oom(struct task *t);
void events_paused(struct task *t);
void events_resumed(struct task *t);
void events_checkpointed(struct task *t, const char *image);
void events_delete(struct task *t);

#endif
