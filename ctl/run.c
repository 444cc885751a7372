/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/run.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/launch.h"
#include "ctl/release.h"
#include "ctl/run_seccomp.h"
#include "ctl/say.h"
#include "ctl/seccomp/seccomp_log.h"

#define DELETE_EVENT_MS 1000
#define LEAVE_MS 3000
#define EVENTS_MS 500

static void on_shim_lost(void *arg)
{
	struct ctl_run *r = arg;

	r->shim_lost = true;
	r->over = true;
}

static void on_exited(const struct err *e, void *arg)
{
	struct ctl_run *r = arg;

	r->wait_err = *e;
	r->over = true;
}

/* Between two steps: does the user still want it? */
static int check_stop(const struct ctl_run *r, struct err *e)
{
	if (!r->stop_signal)
		return 0;
	return err_set(e, -ECANCELED, "stopped by signal %d (%s)",
		r->stop_signal, strsignal(r->stop_signal));
}

static int start_shim(struct ctl_run *r, struct err *e)
{
	int rc = ctl_launch_shim(r->client, &r->place, &r->record, &r->shim, e);

	if (rc < 0)
		return rc;
	client_shim_on_lost(r->shim, on_shim_lost, r);
	r->task = client_task_new(r->shim, &r->record.container);
	if (!r->task)
		return err_sys(e, -ENOMEM, "task");
	return check_stop(r, e);
}

static int create(struct ctl_run *r, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, 0);
	struct client_stdio io;
	int rc;

	ctl_run_stdio(r, &io);
	rc = client_await(
		aw, client_task_create(r->task, &io, client_await_done, aw), e);
	r->record.creating = rc == -EINTR;
	if (rc == 0)
		rc = ctl_run_is_explained(r->o, r->place.bundle, e);
	return rc < 0 ? rc : check_stop(r, e);
}

/* The size is there before the container's first instruction, and the answer
 * to Wait is under way before anything can exit. */
static int start(struct ctl_run *r, struct err *e)
{
	struct client_process *init = client_task_init(r->task);
	struct client_await *aw;
	int rc;

	if (r->o->terminal && r->o->interactive) {
		rc = ctl_terminal_raw(&r->terminal, e);
		if (rc < 0)
			return rc;
		ctl_guard_tell_terminal(&r->guard, &r->terminal);
	}
	ctl_run_resize(r);
	rc = client_process_wait(init, on_exited, r);
	if (rc < 0)
		return err_sys(e, rc, "wait");
	rc = ctl_run_feed(r, e);
	if (rc < 0)
		return rc;
	r->state = CTL_RUN_LAUNCHING;
	aw = client_await_new(r->client, 0);
	rc = client_await(
		aw, client_process_start(init, client_await_done, aw), e);
	if (rc < 0)
		return rc;
	r->state = CTL_RUN_RUNNING;
	ctl_run_pass_signals(r);
	return 0;
}

/* Open calls fail in their own words when the shim dies; this is why. */
static int shim_is_gone(const struct ctl_run *r, struct err *e)
{
	return err_set(e, -ENOTCONN,
		"the shim is gone, and the container with it%s%s",
		r->last_log[0] ? "; it said last: " : "", r->last_log);
}

static int finish_running(struct ctl_run *r, struct err *e)
{
	int rc = client_run_until(r->client, &r->over, 0);

	r->state = CTL_RUN_ENDING;
	if (rc < 0)
		return err_set(e, rc, "interrupted");
	if (r->wait_err.code && !r->shim_lost) {
		*e = r->wait_err;
		err_prefix(e, "wait");
		return r->wait_err.code;
	}
	rc = ctl_run_drain(r);
	if (rc < 0)
		return err_set(e, rc, "interrupted");
	return r->shim_lost ? -ENOTCONN : 0;
}

static int delete_task(struct ctl_run *r, struct err *e)
{
	struct client_process *init = client_task_init(r->task);
	struct client_await *aw = client_await_new(r->client, 0);

	int rc = client_await(
		aw, client_process_delete(init, client_await_done, aw), e);

	if (r->denials)
		sec_follow_look(r->denials);
	return rc;
}

/* Sees the shim off: when this has gone well, nothing of it is left. */
static int leave(struct ctl_run *r, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, 0);
	int rc;

	if (r->o->events)
		client_run_until(r->client, &r->deleted, DELETE_EVENT_MS);
	rc = client_await(aw,
		client_shim_shutdown(r->shim, r->id, client_await_done, aw), e);
	if (rc == 0)
		rc = client_run_until(r->client, &r->shim_lost, LEAVE_MS);
	if (rc < 0)
		return err_set(e, rc, "the shim does not leave");
	client_events_settle(r->events, r->client, EVENTS_MS);
	return 0;
}

static int run_steps(struct ctl_run *r, struct err *e)
{
	static const struct step {
		int (*run)(struct ctl_run *r, struct err *e);
		const char *what; /* NULL: the message says it */
	} steps[] = {
		{ctl_run_prepare, NULL},
		{start_shim, NULL},
		{create, "create"},
		{start, "start"},
		{finish_running, NULL},
		{delete_task, "delete"},
		{leave, NULL},
	};
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		rc = steps[i].run(r, e);
		if (rc < 0 && r->shim_lost)
			shim_is_gone(r, e);
		else if (rc < 0 && rc != -ECANCELED && steps[i].what)
			err_prefix(e, "%s", steps[i].what);
	}
	return rc;
}

static int exit_code_of(const struct ctl_run *r, const struct err *e)
{
	if (r->stop_signal && (e->code == -ECANCELED || e->code == -EINTR))
		return 128 + r->stop_signal;
	return ctl_exit_code(e);
}

/* Gives up the handles, and what they stand for unless it has left already. */
static int release_task(struct ctl_run *r, bool well, struct err *e)
{
	struct client_shim *shim = r->shim;

	client_task_free(r->task);
	r->task = NULL;
	r->shim = NULL;
	if (!shim)
		return 0;
	if (well || !client_shim_is_connected(shim)) {
		client_shim_free(shim);
		shim = NULL;
	}
	return well ? 0 : ctl_release(r->client, &r->record, shim, e);
}

/* Whatever was made is unmade here, however far it came. */
static int clean_up(struct ctl_run *r, bool well, struct err *e)
{
	int rc, files;

	r->state = CTL_RUN_ENDING;
	ctl_terminal_restore(&r->terminal);
	if (r->o->terminal)
		ctl_guard_tell_terminal(&r->guard, &r->terminal);
	client_interrupt(r->client, false);
	rc = release_task(r, well, e);
	ctl_run_ignore_signals(r);
	ctl_run_close_io(r);
	client_events_free(r->events);
	client_log_free(r->log);
	sec_follow_free(r->denials);
	files = ctl_run_remove_place(r, e);
	ctl_guard_end(&r->guard);
	return rc < 0 ? rc : files;
}

static int run_and_report(struct ctl_run *r)
{
	struct err e = {0}, late = {0};
	struct client_exit how = {0};
	bool well;
	int rc, code;

	ctl_release_all_left(r->client, r->o->root);
	rc = ctl_run_catch_signals(r, &e);
	if (rc == 0)
		rc = run_steps(r, &e);
	if (rc == 0)
		client_process_exit(client_task_init(r->task), &how);
	well = rc == 0;
	if (well && r->output_error)
		rc = err_sys(&e, r->output_error, "output is lost");
	code = rc == 0 ? (int)how.status : exit_code_of(r, &e);
	if (rc == 0 && r->reader_gone)
		code = 128 + SIGPIPE;
	if (clean_up(r, well, &late) < 0)
		ctl_say("clean up: %s", late.msg);
	if (rc < 0)
		ctl_say("%s", e.msg);
	return code;
}

int ctl_run_begin(
	const struct ctl_run_options *o, int (*story)(struct ctl_run *r))
{
	struct ctl_run *r = calloc(1, sizeof(*r));
	struct err e = {0};
	int code = CTL_FAILED;

	if (r)
		r->base = event_base_new();
	if (!r || !r->base) {
		ctl_say("no memory");
		free(r);
		return code;
	}
	r->o = o;
	r->input = -1;
	r->place.lock = r->place.guard_lock = -1;
	if (client_new(r->base, &r->client, &e) < 0)
		ctl_say("%s", e.msg);
	else
		code = story(r);
	client_free(r->client);
	event_base_free(r->base);
	free(r);
	return code;
}

int ctl_run(int argc, char **argv)
{
	struct ctl_run_options o;
	struct err e = {0};
	int code = CTL_FAILED;

	if (ctl_run_options_parse(&o, argc, argv, &e) < 0) {
		ctl_say("%s", e.msg);
	} else if (o.help) {
		ctl_run_help();
		code = CTL_OK;
	} else if (o.detach) {
		code = ctl_run_detached(&o, true);
	} else {
		code = ctl_run_begin(&o, run_and_report);
	}
	ctl_run_options_clear(&o);
	return code;
}
