/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h - handles for a task and its processes, kept by the caller.
 *
 * A task is a container inside a shim; its processes are init and execs. A
 * handle holds the connection, the ids and what is known of the state: from
 * each answer, and from each event that is passed to client_task_learn(). So
 * an operation is exactly one RPC, and none where the answer is known (Wait
 * for a process that has exited).
 *
 * Handles are freed by the caller, the task's processes with the task; calls
 * still open on a handle are forgotten with it, and their callbacks do not
 * run. The shim must outlive its tasks.
 *
 * Errors have the codes of platform/err.h: -ENOENT NotFound, -EEXIST
 * AlreadyExists, -EBUSY FailedPrecondition, -ENOSYS Unimplemented, -ETIMEDOUT
 * DeadlineExceeded, -ENOTCONN the shim is gone, -EREMOTEIO anything else; the
 * message is the shim's own.
 */
#ifndef WISP_CLIENT_TASK_H
#define WISP_CLIENT_TASK_H

#include "client/shim.h"

struct client_task;
struct client_process;
struct client_event;

/* The numbers of containerd.v1.types.Status; GONE is after Delete. */
enum client_status {
	CLIENT_UNKNOWN = 0,
	CLIENT_CREATED = 1,
	CLIENT_RUNNING = 2,
	CLIENT_STOPPED = 3,
	CLIENT_PAUSED = 4,
	CLIENT_PAUSING = 5,
	CLIENT_GONE = 100,
};

/* stdio URIs; NULL is none. */
struct client_stdio {
	const char *in, *out, *err;
	bool terminal;
};

/* NULL: no memory. shim and k are borrowed for the handle's life. */
struct client_task *client_task_new(
	struct client_shim *shim, const struct client_container *k);
void client_task_free(struct client_task *t);

/*
 * A handle for a task that somebody else has made: by one State call, which
 * tells status, pid, exit and stdio. The handle is there at once, and is good
 * once cb() said so; it is the caller's to free in any case. (A call that needs
 * none of that can be made on a handle of client_task_new(), without it.)
 */
int client_task_attach(struct client_shim *shim,
	const struct client_container *k, client_cb cb, void *arg,
	struct client_task **ret);

struct client_process *client_task_init(struct client_task *t);
struct client_shim *client_task_shim(const struct client_task *t);

/* Records what an event tells of this task; others' events are ignored. */
void client_task_learn(struct client_task *t, const struct client_event *ev);

/* Create, with the container's bundle, runtime options and checkpoint. */
int client_task_create(struct client_task *t, const struct client_stdio *io,
	client_cb cb, void *arg);

int client_task_pause(struct client_task *t, client_cb cb, void *arg);
int client_task_resume(struct client_task *t, client_cb cb, void *arg);

/* Pids. *ret is filled before cb() runs; then it is the caller's to clear. */
struct client_pids {
	size_t n;
	struct client_pid {
		uint32_t pid;
		char exec_id[77]; /* "" unless it is an exec's first */
	} * pids;
};
int client_task_pids(struct client_task *t, struct client_pids *ret,
	client_cb cb, void *arg);
void client_pids_clear(struct client_pids *p);

/*
 * Exec: adds a process, which is then started like init. spec is a JSON
 * `process` of the OCI runtime spec. The handle is there at once, lives as
 * long as the task unless client_process_free() comes first, and is good once
 * cb() said so.
 */
int client_task_exec(struct client_task *t, const char *exec_id,
	const char *spec, const struct client_stdio *io, client_cb cb,
	void *arg, struct client_process **ret);
void client_process_free(struct client_process *p); /* not init */

/* The handle for an exec, made if there is none, with no RPC: for one that
 * somebody else has added. "" is init. NULL: no memory. */
struct client_process *client_task_process(
	struct client_task *t, const char *exec_id);

/* What is known, with no RPC. */
enum client_status client_process_status(const struct client_process *p);
uint32_t client_process_pid(const struct client_process *p); /* or 0 */
/* True, and how it ended, once that is known. */
bool client_process_exit(
	const struct client_process *p, struct client_exit *ret);
bool client_task_had_oom(const struct client_task *t);

int client_process_start(struct client_process *p, client_cb cb, void *arg);
int client_process_kill(struct client_process *p, uint32_t signal, bool all,
	client_cb cb, void *arg);
/* Runs cb() when it has exited: client_process_exit() tells how. */
int client_process_wait(struct client_process *p, client_cb cb, void *arg);
int client_process_delete(struct client_process *p, client_cb cb, void *arg);
/* ResizePty, if p has a terminal and runs; nobody is told if it fails. One is
 * under way at a time, as shims answer several in any order: a size that is set
 * meanwhile comes after it, of several the last. */
void client_process_set_size(
	struct client_process *p, uint32_t width, uint32_t height);
int client_process_close_stdin(
	struct client_process *p, client_cb cb, void *arg);
/* State: brings what is known up to date. */
int client_process_refresh(struct client_process *p, client_cb cb, void *arg);

/* As the last State told; borrowed until the next, or the handle goes. NULL is
 * none, or not known. */
void client_process_stdio(
	const struct client_process *p, struct client_stdio *ret);

/* Update: resources is JSON, `linux.resources` of the OCI runtime spec. */
int client_task_update(
	struct client_task *t, const char *resources, client_cb cb, void *arg);

/* Checkpoint: CRIU's image goes to path, which is as the shim sees it. */
struct client_checkpoint {
	const char *path;
	const char *work, *parent; /* NULL: none */
	bool exit; /* the container ends, and its output is complete */
	bool open_tcp, external_unix_sockets, terminal, file_locks;
};
int client_task_checkpoint(struct client_task *t,
	const struct client_checkpoint *how, client_cb cb, void *arg);

#endif
