/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.h - one more process in a container, under `wispctl exec`.
 *
 * exec.c has the story from top to bottom; exec_spec.c makes the process's
 * spec out of the container's; exec_io.c moves bytes, exec_signal.c signals,
 * while it runs.
 *
 * Its FIFOs are in the container's bundle: that is a folder which both we and
 * the shim see, wherever its daemon lives, and whatever happens to us, they go
 * with the container.
 */
#ifndef WISP_CTL_EXEC_H
#define WISP_CTL_EXEC_H

#include "ctl/relay.h"
#include "ctl/target.h"
#include "ctl/terminal.h"

#define CTL_EXEC_SIGNALS 6
#define CTL_EXEC_QUEUED 8

struct ctl_exec_options {
	struct ctl_task_options common;
	bool interactive, terminal, detach;
	const char *id;
	const char *exec_id; /* NULL: made up */
	const char *cwd;     /* NULL: the container's */
	bool has_user;       /* else the container's */
	uint32_t uid, gid;
	char **env;
	size_t n_env;
	char **command; /* NULL-terminated */
};

struct ctl_exec {
	const struct ctl_exec_options *o; /* borrowed */
	struct ctl_session session;
	struct ctl_target target;
	char exec_id[80];
	struct client_process *process; /* NULL: not added */
	bool launching;                 /* it may run already: a signal waits */
	bool started;
	bool over;           /* it has exited, or that will never be known */
	struct err wait_err; /* why it will not */

	/* stdin, stdout, stderr: FIFOs as we open them, and as the shim does.
	 * "" if there is none. */
	int folder; /* the bundle, or -1 */
	char path[3][128], uri[3][CTL_PATH_MAX];
	bool made[3];
	int input; /* the FIFO's end, until it is relayed; or -1 */
	struct ctl_relay *relay[3];
	bool drained;
	bool reader_gone; /* nobody reads our output any more */
	int output_error; /* why some of it is lost; 0: none is */
	unsigned long long drained_bytes;
	unsigned drain_idle_ms;
	struct event *drain_timer;

	struct ctl_terminal terminal;
	struct event *signals[CTL_EXEC_SIGNALS], *resized, *patience;
	unsigned n_signals; /* that asked for an end */
	int queued[CTL_EXEC_QUEUED];
	unsigned n_queued;
	int stop_signal; /* came before it ran; 0: none */
};

/* exec_options.c. As ctl_run_options_parse(). */
int ctl_exec_options_parse(
	struct ctl_exec_options *ret, int argc, char **argv, struct err *e);
void ctl_exec_options_clear(struct ctl_exec_options *o);
void ctl_exec_help(void);

/* exec_spec.c: a `process` as the runtime spec has it: the container's own,
 * from config.json, with what the options change. For the caller to free. */
int ctl_exec_spec(const char *config, const struct ctl_exec_options *o,
	char **ret, struct err *e);

/* exec_io.c */
int ctl_exec_open_io(struct ctl_exec *x, struct err *e);
void ctl_exec_stdio(const struct ctl_exec *x, struct client_stdio *ret);
/* From here on the process gets stdin. Not before it was started: some shims
 * open the FIFO no sooner, and don't remember a CloseIO. */
int ctl_exec_feed(struct ctl_exec *x, struct err *e);
/* Kills it if nobody reads its output: that may be so before it is known to
 * have started. */
void ctl_exec_kill_unread(struct ctl_exec *x);
/* Runs until all output is written, or nothing comes any more. */
int ctl_exec_drain(struct ctl_exec *x);
void ctl_exec_close_io(struct ctl_exec *x);

/* exec_signal.c */
int ctl_exec_catch_signals(struct ctl_exec *x, struct err *e);
void ctl_exec_ignore_signals(struct ctl_exec *x);
/* Now that it runs: what came while it was being launched. */
void ctl_exec_pass_signals(struct ctl_exec *x);
void ctl_exec_resize(struct ctl_exec *x);

#endif
