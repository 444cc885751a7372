/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - what all measurements share: a folder, a rootfs, an Events
 * service, a runtime; and everything that must be gone at the end.
 */
#ifndef WISP_BENCH_WORLD_H
#define WISP_BENCH_WORLD_H

#include <limits.h>

#include "client/events.h"
#include "client/task.h"
#include "ctl/record.h"
#include "ttrpc/list.h"

#define BENCH_NAMESPACE "wisp-bench"

struct bench_world {
	struct event_base *base;
	struct client *client;
	struct client_events *events;
	struct event *stop[2]; /* SIGINT, SIGTERM: end early, and clean up */
	char dir[64], events_path[80], rootfs[PATH_MAX], runtime[PATH_MAX],
		runtime_root[128];
	unsigned n_ids;
	bool stopped, cleaning;
	struct list boxes;
};

int bench_world_init(struct bench_world *w, const char *runtime, struct err *e);
void bench_world_clear(struct bench_world *w);

/* From here on nothing is interrupted: cleaning up is not to be stopped. */
void bench_world_forget_stop(struct bench_world *w);

/*
 * A container with a shim of its own, led through its life step by step. Each
 * step waits for its answer and stores how long that took, in ms.
 */
struct bench_box {
	struct list link;
	struct bench_world *world; /* borrowed */
	char id[32], cgroup[64];
	char bundle[128], stdin_path[128], stdout_path[128], stderr_path[128];
	struct ctl_record record;
	struct client_log *log;
	struct client_shim *shim;
	struct client_task *task;
	uint32_t shim_pid;
	bool exited, lost, left; /* left: it was sent away */
	double exited_at_ms;
};

/* Makes the bundle of a container that runs argv; piped: with FIFOs for stdin
 * and stdout, otherwise without stdio. */
int bench_box_new(struct bench_world *w, const char *shim,
	const char *const *argv, bool piped, struct bench_box **ret,
	struct err *e);
/* Releases it, however far it got. NULL is fine. */
void bench_box_free(struct bench_box *b);

int bench_box_start_shim(struct bench_box *b, double *ms, struct err *e);
int bench_box_create(struct bench_box *b, double *ms, struct err *e);
int bench_box_start(struct bench_box *b, double *ms, struct err *e);
int bench_box_state(struct bench_box *b, double *ms, struct err *e);
/* Exec, Start, Wait and Delete of /bin/true. */
int bench_box_exec(struct bench_box *b, double *ms, struct err *e);
/* From Kill to the exit event. */
int bench_box_kill(struct bench_box *b, double *ms, struct err *e);
int bench_box_delete(struct bench_box *b, double *ms, struct err *e);
/* Shutdown, until the shim is gone. */
int bench_box_leave(struct bench_box *b, struct err *e);

/* A program from fork to the end of its output. */
int bench_run_program(struct bench_world *w, const char *const *argv,
	bool discard, double *ms, struct err *e);

#endif
