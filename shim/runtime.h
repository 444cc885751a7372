/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h - run the OCI runtime's commands, and never wait for them.
 *
 * The command line is the one that runc and crun share (runc(8) and the
 * runtime-spec's runtime.md). Each call spawns one process, with a log file of
 * its own in the bundle, and ends in exactly one run of its callback, from the
 * loop: r is 0, or negative with the runtime's own last words in the error. A
 * command that takes too long is killed, and the error tells its pid, its age
 * and what it was waiting for.
 *
 * A call that cannot be started at all returns the error at once and the
 * callback never runs. Nothing that is passed in needs to outlive the call,
 * but the struct runtime and stdio must.
 */
#ifndef WISP_SHIM_RUNTIME_H
#define WISP_SHIM_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"
#include "shim/messages.h"
#include "shim/options.h"

struct criu;
struct event_base;
struct reaper;
struct stdio;

/* How one container's runtime is run. Everything is borrowed. */
struct runtime {
	struct event_base *base;
	struct reaper *reaper;
	const char *binary;
	const char *root; /* --root */
	const struct options *options;
	const char *bundle; /* its folder */
	const char *id;
	uint32_t timeout_ms;
};

typedef void (*runtime_cb)(int r, const struct err *e, void *arg);

#define RUNTIME_TIMEOUT_MS 120000

/* The program to run: what the options name, else runc, else crun, whichever
 * is in PATH. -ENOENT says what was looked for. The string is static, or the
 * options'. */
int runtime_find(const struct options *o, const char **ret, struct err *e);

/* Options of another type than those of options.h: this runtime's own. *ret is
 * the caller's to free, and NULL where there is nothing to be kept. -EINVAL:
 * not known, or wrong; -ENOSYS: what they ask for is not there. */
struct runtime_settings;
int runtime_read_options(
	const Any *any, struct runtime_settings **ret, struct err *e);
void runtime_free_settings(struct runtime_settings *s);

/* Whether what runtime_find() finds is a program, which has a command
 * `features`. */
extern const bool runtime_is_program;

/*
 * What Pids tells of each process, in ProcessInfo.info: exec_id is the exec's
 * whose process it is, or NULL. *ret is NULL, or to be freed, and so is its
 * value. details is NULL before the first one, and is freed after the last.
 */
struct runtime_details;
int runtime_describe(int64_t pid, const char *exec_id,
	struct runtime_details **details, Any **ret);
void runtime_free_details(struct runtime_details *details);

/* How a process is said to have ended of which nobody knows it. */
extern const uint32_t runtime_lost_status;

/* The type, of those of the runtime-spec, that runtime_update() takes. */
extern const char runtime_resources[];

/* <root of the options, or /run/containerd/runc (host_own_dir())>/<namespace>,
 * in fresh memory. */
int runtime_root(
	const struct options *o, const char *ns, char **ret, struct err *e);

/* The time that a command may take: WISP_COMMAND_TIMEOUT_MS in the
 * environment, else RUNTIME_TIMEOUT_MS. */
uint32_t runtime_timeout(void);

/* init's pid is in pid_file afterwards. *ret_call may be passed to
 * runtime_cancel() until cb runs.
 */
struct runtime_call;
int runtime_create(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg,
	struct runtime_call **ret_call, struct err *e);

/* The commands that are under way, for people who look. */
struct runtime_pending {
	const char *id, *verb; /* of the container; "create", ... */
	int64_t pid;
	uint64_t age_ms, limit_ms;
	bool killed; /* the limit has passed, or it was canceled */
};
void runtime_each_call(
	void (*each)(const struct runtime_pending *p, void *arg), void *arg);

/* Kills a command that is under way; its callback comes with -ECANCELED. */
void runtime_cancel(struct runtime_call *call);

/* Whether one that has been created has a process. If not, init's pid comes
 * with its start. */
bool runtime_has_process(const struct runtime *rt);

/* stdio and pid_file are what runtime_create() had. */
int runtime_start(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg, struct err *e);

/* A signal for a container that has no process yet. 0: it would have ended it,
 * so it is not going to be started; -EBUSY: it would not, or it can't have
 * come. */
int runtime_kill_early(
	const struct runtime *rt, uint32_t signal, struct err *e);

/* process_file holds the process as JSON (config.md, "Process"). */
int runtime_exec(const struct runtime *rt, const struct stdio *stdio,
	const char *process_file, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e);

/* -ESRCH in the callback if there is nothing left to signal. */
int runtime_kill(const struct runtime *rt, uint32_t signal, bool all,
	runtime_cb cb, void *arg, struct err *e);
int runtime_pause(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e);
int runtime_resume(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e);

/* file has the resources as JSON (config-linux.md, "resources"). */
int runtime_update(const struct runtime *rt, const char *file, runtime_cb cb,
	void *arg, struct err *e);

/* Both may take CRIU_TIMEOUT_FACTOR times as long as other commands: they write
 * or read all the memory of a container. A restored init's pid is in pid_file
 * afterwards. */
#define CRIU_TIMEOUT_FACTOR 10
int runtime_checkpoint(const struct runtime *rt, const struct criu *criu,
	runtime_cb cb, void *arg, struct err *e);
int runtime_restore(const struct runtime *rt, const struct criu *criu,
	const struct stdio *stdio, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e);

/* Whatever is left of the container, running or not; a container that does not
 * exist is no error. */
int runtime_delete(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e);

#endif
