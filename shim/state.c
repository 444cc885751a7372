/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/state.h"

#include "process.pb-c.h"

/* clang-format off */
static const unsigned char next[TASK_STATES][TASK_EVENTS] = {
	[TASK_CREATING] = {
		[EV_DELETE] = TASK_CREATING,
		[EV_CREATED] = TASK_CREATED,
	},
	[TASK_CREATED] = {
		[EV_START] = TASK_STARTING,
		[EV_KILL] = TASK_CREATED,
		[EV_EXEC] = TASK_CREATED,
		[EV_RESIZE] = TASK_CREATED,
		[EV_UPDATE] = TASK_CREATED,
		[EV_EXIT] = TASK_STOPPED,
		[EV_DELETE] = TASK_DELETING,
	},
	[TASK_STARTING] = {
		[EV_KILL] = TASK_STARTING,
		[EV_RESIZE] = TASK_STARTING,
		[EV_UPDATE] = TASK_STARTING,
		[EV_STARTED] = TASK_RUNNING,
		[EV_START_FAILED] = TASK_CREATED,
	},
	[TASK_RUNNING] = {
		[EV_PAUSE] = TASK_PAUSING,
		[EV_KILL] = TASK_RUNNING,
		[EV_EXEC] = TASK_RUNNING,
		[EV_RESIZE] = TASK_RUNNING,
		[EV_UPDATE] = TASK_RUNNING,
		[EV_CHECKPOINT] = TASK_SAVING,
		[EV_EXIT] = TASK_STOPPED,
	},
	[TASK_PAUSING] = {
		[EV_KILL] = TASK_PAUSING,
		[EV_RESIZE] = TASK_PAUSING,
		[EV_UPDATE] = TASK_PAUSING,
		[EV_PAUSED] = TASK_PAUSED,
		[EV_PAUSE_FAILED] = TASK_RUNNING,
		[EV_EXIT] = TASK_STOPPED,
	},
	[TASK_PAUSED] = {
		[EV_RESUME] = TASK_RESUMING,
		[EV_KILL] = TASK_PAUSED,
		[EV_RESIZE] = TASK_PAUSED,
		[EV_UPDATE] = TASK_PAUSED,
		[EV_CHECKPOINT] = TASK_SAVING_PAUSED,
		[EV_EXIT] = TASK_STOPPED,
	},
	[TASK_RESUMING] = {
		[EV_KILL] = TASK_RESUMING,
		[EV_RESIZE] = TASK_RESUMING,
		[EV_UPDATE] = TASK_RESUMING,
		[EV_RESUMED] = TASK_RUNNING,
		[EV_RESUME_FAILED] = TASK_PAUSED,
		[EV_EXIT] = TASK_STOPPED,
	},
	[TASK_SAVING] = {
		[EV_KILL] = TASK_SAVING,
		[EV_RESIZE] = TASK_SAVING,
		[EV_CHECKPOINTED] = TASK_RUNNING,
	},
	[TASK_SAVING_PAUSED] = {
		[EV_KILL] = TASK_SAVING_PAUSED,
		[EV_RESIZE] = TASK_SAVING_PAUSED,
		[EV_CHECKPOINTED] = TASK_PAUSED,
	},
	[TASK_STOPPED] = {
		[EV_RESIZE] = TASK_STOPPED,
		[EV_DELETE] = TASK_DELETING,
	},
	[TASK_DELETING] = {
		[EV_RESIZE] = TASK_DELETING,
		[EV_EXIT] = TASK_DELETING,
		[EV_DELETE_FAILED] = TASK_STOPPED,
	},
};
/* clang-format on */

static const char *const state_names[TASK_STATES] = {
	[TASK_BAD] = "bad",
	[TASK_CREATING] = "creating",
	[TASK_CREATED] = "created",
	[TASK_STARTING] = "starting",
	[TASK_RUNNING] = "running",
	[TASK_PAUSING] = "pausing",
	[TASK_PAUSED] = "paused",
	[TASK_RESUMING] = "resuming",
	[TASK_SAVING] = "checkpointing",
	[TASK_SAVING_PAUSED] = "paused, checkpointing",
	[TASK_STOPPED] = "stopped",
	[TASK_DELETING] = "deleting",
};

static const char *const event_names[TASK_EVENTS] = {
	[EV_START] = "start",
	[EV_PAUSE] = "pause",
	[EV_RESUME] = "resume",
	[EV_KILL] = "kill",
	[EV_EXEC] = "exec in",
	[EV_RESIZE] = "resize",
	[EV_UPDATE] = "update",
	[EV_CHECKPOINT] = "checkpoint",
	[EV_DELETE] = "delete",
	[EV_CREATED] = "created",
	[EV_STARTED] = "started",
	[EV_START_FAILED] = "start failed",
	[EV_PAUSED] = "paused",
	[EV_PAUSE_FAILED] = "pause failed",
	[EV_RESUMED] = "resumed",
	[EV_RESUME_FAILED] = "resume failed",
	[EV_CHECKPOINTED] = "checkpointed",
	[EV_EXIT] = "exit",
	[EV_DELETE_FAILED] = "delete failed",
};

enum task_state state_next(enum task_state s, enum task_event ev)
{
	if (s >= TASK_STATES || ev >= TASK_EVENTS)
		return TASK_BAD;
	return (enum task_state)next[s][ev];
}

const char *state_name(enum task_state s)
{
	return s < TASK_STATES ? state_names[s] : "bad";
}

const char *state_event_name(enum task_event ev)
{
	return ev < TASK_EVENTS ? event_names[ev] : "bad";
}

int state_status(enum task_state s)
{
	switch (s) {
	case TASK_CREATING:
	case TASK_CREATED:
	case TASK_STARTING:
		return CONTAINERD__V1__TYPES__STATUS__CREATED;
	case TASK_RUNNING:
	case TASK_SAVING:
		return CONTAINERD__V1__TYPES__STATUS__RUNNING;
	case TASK_PAUSING:
		return CONTAINERD__V1__TYPES__STATUS__PAUSING;
	case TASK_PAUSED:
	case TASK_RESUMING:
	case TASK_SAVING_PAUSED:
		return CONTAINERD__V1__TYPES__STATUS__PAUSED;
	case TASK_STOPPED:
	case TASK_DELETING:
		return CONTAINERD__V1__TYPES__STATUS__STOPPED;
	default:
		return CONTAINERD__V1__TYPES__STATUS__UNKNOWN;
	}
}
