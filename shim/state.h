/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - the states of a container process, and what is legal in each.
 *
 * The init process of a container and its execs share one table. Whatever a
 * client asks and whatever happens is an event; a cell that is missing rejects
 * it. ARCHITECTURE.md shows the same table.
 */
#ifndef WISP_SHIM_STATE_H
#define WISP_SHIM_STATE_H

enum task_state {
	TASK_BAD,      /* no state: what a missing cell holds */
	TASK_CREATING, /* the OCI runtime is at it */
	TASK_CREATED,
	TASK_STARTING, /* likewise; an exit is held back until it is done */
	TASK_RUNNING,
	TASK_PAUSING,
	TASK_PAUSED,
	TASK_RESUMING,
	TASK_SAVING,        /* a checkpoint of a running one is made, and an */
	TASK_SAVING_PAUSED, /* exit held back; likewise of a paused one */
	TASK_STOPPED,       /* its exit is recorded */
	TASK_DELETING,
	TASK_STATES
};

enum task_event {
	/* what a client asks */
	EV_START,
	EV_PAUSE,
	EV_RESUME,
	EV_KILL,
	EV_EXEC,
	EV_RESIZE,
	EV_UPDATE,
	EV_CHECKPOINT,
	EV_DELETE,
	/* what happens */
	EV_CREATED,
	EV_STARTED,
	EV_START_FAILED,
	EV_PAUSED,
	EV_PAUSE_FAILED,
	EV_RESUMED,
	EV_RESUME_FAILED,
	EV_CHECKPOINTED, /* or not */
	EV_EXIT,
	EV_DELETE_FAILED,
	TASK_EVENTS
};

/* The state after ev, or TASK_BAD if s does not allow it. */
enum task_state state_next(enum task_state s, enum task_event ev);

/* For messages: "created", "start". Static. */
const char *state_name(enum task_state s);
const char *state_event_name(enum task_event ev);

/* containerd.v1.types.Status */
int state_status(enum task_state s);

#endif
