/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h - the tasks of this shim, and what can be done with them.
 *
 * A task is a container: a bundle, an init process and any number of execs.
 * Every process is a struct proc, and init and execs go through the same
 * states (state.h). What takes time answers through a task_done callback: it
 * runs exactly once for each call that returned 0, from the loop or before the
 * call returns; a call that returned an error never runs it.
 *
 * Files, by what they do: task.c (the table, look-ups, states), create.c
 * (create and start), exit.c (exits in order, OOM, leftover processes),
 * exec.c, remove.c (delete and the release of a container), control.c (kill,
 * pause, resume, pids, stdio), output.c, checkpoint.c, restore.c, update.c,
 * stats.c.
 */
#ifndef WISP_SHIM_TASK_H
#define WISP_SHIM_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "io/policy.h"
#include "platform/err.h"
#include "shim/bundle.h"
#include "shim/messages.h"
#include "shim/options.h"
#include "shim/runtime.h"
#include "shim/state.h"

struct cgroup;
struct event;
struct event_base;
struct explain;
struct loggers;
struct metrics;
struct process_exit;
struct process_ref;
struct publisher;
struct publisher_event;
struct reaper;
struct stdio;
struct task;
struct tasks;
struct update;

typedef void (*task_done)(int r, const struct err *e, void *arg);

/* Somebody who waits for an exit, or for a deletion. The memory is the
 * waiter's until cb has run, or until it has been taken back. */
struct waiter {
	struct waiter *next;
	task_done cb;
	void *arg;
};

struct proc {
	struct proc *next; /* among the execs */
	struct task *task; /* borrowed: its own */
	char *id;          /* exec id; "" for init */
	enum task_state state;
	int64_t pid;             /* 0: none yet */
	struct process_ref *ref; /* NULL without a process */
	struct stdio *stdio;     /* NULL before there is any */
	struct loggers *loggers; /* NULL: its output goes elsewhere */
	char *in, *out, *err;    /* paths as requested */
	bool terminal;
	bool stdin_closed; /* asked for before there was any stdio */
	char *spec;        /* of an exec, until it is started */
	size_t n_spec;
	bool exited;    /* the exit is recorded: status and exited_at hold */
	bool published; /* and told to everybody */
	uint32_t status;
	struct timespec exited_at;
	unsigned held_ms;     /* how long its exit has waited for a reader */
	time_t output_said_s; /* when a line on its output was last logged */
	struct publisher_event *exit_room;
	task_done done; /* of the create or start under way */
	void *done_arg;
	struct waiter *waiters; /* for the exit */
	struct waiter *deleters;
};

struct task {
	struct task *next;
	struct tasks *tasks; /* borrowed: its table */
	char *id;
	struct bundle bundle;
	struct policy stdio_policy;
	struct options options;
	struct runtime runtime;
	char *runtime_root;
	struct publisher_event *create_room;
	struct explain
		*explain; /* of its seccomp profile; NULL: not asked for */
	struct runtime_call *creating; /* the create under way */
	unsigned refs;    /* runtime calls that will come back to it */
	bool dead;        /* freed when the last of them has */
	bool mounted;     /* something may be mounted on rootfs */
	bool runtime_ran; /* the runtime may have something of it */
	char *checkpoint; /* the image it is restored from; NULL: none */
	bool restore_failed;
	bool releasing;
	struct cgroup *cgroup; /* NULL: it has none of its own */
	uint64_t oom_kills;
	struct event *hold;     /* looks again whether an exit may be told */
	struct event *leftover; /* kills what init left behind */
	unsigned leftover_rounds;
	bool leftover_done, gave_up;
	struct metrics *metrics; /* read in this turn of the loop */
	struct update *updates;  /* the first one is under way */
	task_done released;      /* while releasing; NULL: free the task */
	void *released_arg;
	struct proc init;
	struct proc *execs;
};

struct tasks_config {
	struct event_base *base;
	struct reaper *reaper;
	struct publisher *publisher;
	const char *ns;
	uint32_t runtime_timeout_ms;
	bool placed; /* this process is where it is to be: shim_cgroup */
	void (*changed)(void *arg); /* a task came, went or ended */
	void *arg;
};

/* Everything in config is borrowed. NULL: no memory. */
struct tasks *tasks_new(const struct tasks_config *config);
void tasks_free(struct tasks *ts);

unsigned tasks_count(const struct tasks *ts);
/* Those whose init has not been reported as ended. */
unsigned tasks_alive(const struct tasks *ts);

/* In no order. each() must not change which there are. */
void tasks_each(
	struct tasks *ts, void (*each)(struct task *t, void *arg), void *arg);

/* -ENOENT: "container not created", or no such exec. exec_id may be "". */
int tasks_find(struct tasks *ts, const char *id, const char *exec_id,
	struct proc **ret, struct err *e);

/* How a process that has been deleted ended, for those who ask twice: the last
 * few are remembered. False: not, or not any more. */
struct obituary {
	int64_t pid;
	uint32_t status;
	struct timespec exited_at;
};
bool tasks_recall(struct tasks *ts, const char *id, const char *exec_id,
	struct obituary *ret);

typedef Containerd__Task__V3__CreateTaskRequest CreateRequest;
typedef Containerd__Task__V3__ExecProcessRequest ExecRequest;
typedef Containerd__Task__V3__UpdateTaskRequest UpdateRequest;
typedef Containerd__Task__V3__CheckpointTaskRequest CheckpointRequest;

/* create.c */
int task_create(struct tasks *ts, const CreateRequest *rq, task_done done,
	void *arg, struct err *e);
int proc_start(struct proc *p, task_done done, void *arg, struct err *e);

/* exec.c */
int task_add_exec(struct task *t, const ExecRequest *rq, struct err *e);
int exec_start(struct proc *p, struct err *e);

/* checkpoint.c: writes an image of the container into a folder, and ends it or
 * leaves it running. An exit in between is told after /tasks/checkpointed. */
int task_checkpoint(struct task *t, const CheckpointRequest *rq, task_done done,
	void *arg, struct err *e);

/* restore.c: a container from an image. The OCI runtime knows no "created" one
 * that is then restored, so until its start it has no process. If that fails,
 * it can only be deleted. */
int restore_prepare(struct task *t, const CreateRequest *rq, struct err *e);
int restore_start(struct proc *p, struct err *e);

/* exit.c: the reaper's callback, and what follows from it */
void proc_exited(const struct process_exit *x, void *arg);
void task_oom_hint(void *arg);
/* Publishes what may be published by now, in order. */
void task_settle(struct task *t);

/* Waits until the exit is published. Runs w->cb at once if it is already. */
void proc_wait(struct proc *p, struct waiter *w);
void proc_unwait(struct proc *p, struct waiter *w);

/* remove.c */
int proc_delete(struct proc *p, struct waiter *w, struct err *e);
/* Goes on with a deletion that waited for the exit. */
void proc_delete_exited(struct proc *p);
/*
 * Everything of the container that is not its process: what the runtime holds,
 * mounts, cgroup watch. Runs done once; with NULL the task is freed instead.
 * If the runtime refuses, the rest is done all the same unless the task is
 * being deleted, which can be tried again.
 */
void task_release(struct task *t, task_done done, void *arg);

/* control.c */
int proc_kill(struct proc *p, uint32_t signal, bool all, task_done done,
	void *arg, struct err *e);
int task_pause(struct task *t, task_done done, void *arg, struct err *e);
int task_resume(struct task *t, task_done done, void *arg, struct err *e);
int proc_resize(struct proc *p, uint32_t width, uint32_t height, struct err *e);
void proc_close_stdin(struct proc *p);
/* Calls each() for every process of the container, and for init also when it
 * has ended: until it is deleted State tells its pid, too, and a containerd
 * from 1.7 on that starts anew takes an empty list for what a broken create
 * left, and deletes the task before anybody has heard its exit status
 * (loadShim() in its core/runtime/v2/shim_load.go). exec_id is NULL unless the
 * process is an exec's first one. -ENOMEM: some are missing. */
int task_each_pid(struct task *t,
	void (*each)(int64_t pid, const char *exec_id, void *arg), void *arg);

/* Before task_each_pid() and task_stats(), which tell what was known when this
 * was done. */
int task_refresh(struct task *t, task_done done, void *arg, struct err *e);

/* output.c: logs what becomes of output, a line now and then: struct
 * stdio_config's told(), whose argument is the proc */
void proc_output_told(int fd, const struct flow_stats *fs, void *arg);

/* update.c: checks the resources (JSON, config-linux.md of the runtime-spec)
 * and has the runtime apply them. */
int task_update(struct task *t, const UpdateRequest *rq, task_done done,
	void *arg, struct err *e);

/* stats.c: what the container has used, io.containerd.cgroups.v1 or v2.Metrics.
 * ret's parts are borrowed, and good until the loop goes on; whoever asks
 * before that gets the same answer. -ENOENT: it has no cgroup of its own. */
int task_stats(struct task *t, Any *ret, struct err *e);
void task_drop_metrics(struct task *t);

/* task.c: for the files above */
void tasks_remember(struct tasks *ts, const struct proc *p);
void tasks_forget(struct tasks *ts, const char *id, const char *exec_id);
/* Between these two a callback that holds t is under way. */
void task_hold(struct task *t);
void task_drop(struct task *t);
struct task *task_new(struct tasks *ts, const char *id, struct err *e);
void task_link(struct task *t);
void task_unlink(struct task *t);
void task_free(struct task *t);
int proc_init(struct proc *p, struct task *t, const char *id, const char *in,
	const char *out, const char *err, bool terminal, struct err *e);
void proc_clear(struct proc *p);
bool proc_is_init(const struct proc *p);
/* -EBUSY, or -ESRCH for what has ended, if the state does not allow ev. */
int proc_allows(const struct proc *p, enum task_event ev, struct err *e);
int proc_set(struct proc *p, enum task_event ev, struct err *e);
/* Opens the stdio of a process that is about to be made. If there are loggers
 * afterwards, they must be awaited. */
int proc_open_stdio(struct proc *p, struct err *e);
/* Closes it, ends its loggers, then runs done(); at once if there are none. */
void proc_close_stdio(struct proc *p, void (*done)(void *arg), void *arg);
/* The runtime has made it: takes its pid from a file of the bundle, claims its
 * exit, and starts its stdio. */
int proc_adopt(struct proc *p, const char *pid_file, struct err *e);
/* The opposite, for one whose start has failed: it is killed, and its exit is
 * nobody's news. */
void proc_disown(struct proc *p);
/* Runs and clears p->done. */
void proc_finish(struct proc *p, int r, const struct err *e);
/* create.c: what follows an init's start, restored or not. */
void task_started(struct task *t, int r, const struct err *e);
void task_arm_cgroup(struct task *t);
const struct tasks_config *task_config(const struct task *t);
void tasks_changed(struct tasks *ts);
/* The option shim_cgroup, if it has not been there at `start`: the first
 * container's that has one. */
void tasks_place(struct tasks *ts, const struct task *t);

#endif
