/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/run.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/events.h"
#include "client/log.h"
#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/find.h"
#include "ctl/launch.h"
#include "ctl/release.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "ctl/windows/stdio.h"
#include "ctl/windows/watch.h"
#include "platform/file.h"

#define NAMESPACE "wisp"
#define DELETE_EVENT_MS 1000
#define LEAVE_MS 3000
#define EVENTS_MS 500

struct run {
	const struct run_options *o; /* borrowed */
	struct event_base *base;
	struct client *client;
	struct ctl_watch watch;
	char id[80], shim_path[1024];
	struct ctl_place place;
	bool made_place, made_record;
	struct ctl_record record;
	struct ctl_stdio io;
	struct client_events *events;
	struct client_log *log;
	char last_log[512]; /* the shim's last complaint */
	struct client_shim *shim;
	struct client_task *task;
	bool shim_lost;
	bool over;           /* it has exited, or that will never be known */
	struct err wait_err; /* why it will not */
	bool deleted;        /* its last event has come */
};

static void on_event(const struct client_event *ev, void *arg)
{
	struct run *r = arg;

	if (r->task)
		client_task_learn(r->task, ev);
	if (ev->type == CLIENT_EVENT_DELETE && !*ev->exec_id)
		r->deleted = true;
	if (r->o->events && r->o->json)
		ctl_show_event_json(ev);
	else if (r->o->events)
		ctl_show_event(ev);
}

static void on_log(const char *line, void *arg)
{
	struct run *r = arg;

	if (r->o->debug)
		ctl_say_line(line);
	if (!strstr(line, "level=info") && !strstr(line, "level=debug"))
		snprintf(r->last_log, sizeof(r->last_log), "%s", line);
}

static void set_id(struct run *r)
{
	unsigned char random[6];
	int i;

	if (r->o->name) {
		snprintf(r->id, sizeof(r->id), "%s", r->o->name);
		return;
	}
	evutil_secure_rng_get_bytes(random, sizeof(random));
	for (i = 0; i < (int)sizeof(random); i++)
		sprintf(r->id + 2 * i, "%02x", random[i]);
}

static int make_place(struct run *r, struct err *e)
{
	int rc = ctl_place_init(&r->place, r->o->root, r->id, e);

	if (rc == 0)
		rc = ctl_place_make(&r->place, e);
	if (rc < 0)
		return rc;
	r->made_place = true;
	r->record.container = (struct client_container){.ns = NAMESPACE,
		.id = r->id,
		.bundle = r->place.bundle,
		.shim = r->shim_path,
		.events = r->place.events,
		.debug = r->o->debug};
	r->record.terminal = r->o->terminal;
	r->record.interactive = r->o->interactive;
	rc = ctl_record_write(&r->place, &r->record, e);
	r->made_record = rc == 0;
	return rc;
}

static int make_config(struct run *r, struct err *e)
{
	char *config = NULL;
	int rc = run_config(r->o, &config, e);

	if (rc < 0)
		return rc;
	rc = file_write(r->place.config, config, strlen(config));
	free(config);
	return rc < 0 ? err_sys(e, rc, "write '%s'", r->place.config) : 0;
}

static int prepare(struct run *r, struct err *e)
{
	int rc;

	set_id(r);
	rc = ctl_find_shim(r->o->shim, r->shim_path, sizeof(r->shim_path), e);
	if (rc == 0)
		rc = make_place(r, e);
	if (rc == 0)
		rc = make_config(r, e);
	if (rc == 0)
		rc = ctl_stdio_open(&r->io, r->client, r->id, r->o->interactive,
			r->o->terminal, e);
	if (rc == 0)
		rc = client_events_new(
			r->base, r->place.events, on_event, r, &r->events, e);
	if (rc == 0)
		rc = client_log_new(
			r->base, r->place.log, on_log, r, &r->log, e);
	return rc;
}

static void on_shim_lost(void *arg)
{
	struct run *r = arg;

	r->shim_lost = true;
	r->over = true;
}

static void on_exited(const struct err *e, void *arg)
{
	struct run *r = arg;

	r->wait_err = *e;
	r->over = true;
}

static int start_shim(struct run *r, struct err *e)
{
	int rc = ctl_launch_shim(r->client, &r->place, &r->record, &r->shim, e);

	if (rc < 0)
		return rc;
	client_shim_on_lost(r->shim, on_shim_lost, r);
	r->task = client_task_new(r->shim, &r->record.container);
	return r->task ? 0 : err_sys(e, -ENOMEM, "task");
}

static int create(struct run *r, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, 0);
	struct client_stdio io;
	int rc;

	ctl_stdio_uris(&r->io, &io);
	rc = client_await(
		aw, client_task_create(r->task, &io, client_await_done, aw), e);
	r->record.creating = rc == -EINTR;
	return rc;
}

/* The size is there before the container's first instruction, and the answer
 * to Wait is under way before anything can exit. */
static int start(struct run *r, struct err *e)
{
	struct client_process *init = client_task_init(r->task);
	struct client_await *aw;
	int rc = 0;

	if (r->o->terminal)
		rc = ctl_watch_terminal(&r->watch, init, r->o->interactive, e);
	if (rc < 0)
		return rc;
	rc = client_process_wait(init, on_exited, r);
	if (rc < 0)
		return err_sys(e, rc, "wait");
	rc = ctl_stdio_feed(&r->io, init, e);
	if (rc < 0)
		return rc;
	aw = client_await_new(r->client, 0);
	rc = client_await(
		aw, client_process_start(init, client_await_done, aw), e);
	if (rc == 0)
		ctl_watch_running(&r->watch, init);
	return rc;
}

static int finish_running(struct run *r, struct err *e)
{
	int rc = client_run_until(r->client, &r->over, 0);

	ctl_watch_over(&r->watch);
	if (rc < 0)
		return err_set(e, rc, "interrupted");
	if (r->wait_err.code && !r->shim_lost) {
		*e = r->wait_err;
		err_prefix(e, "wait");
		return r->wait_err.code;
	}
	rc = ctl_stdio_drain(&r->io);
	if (rc < 0)
		return err_set(e, rc, "interrupted");
	return r->shim_lost ? -ENOTCONN : 0;
}

static int delete_task(struct run *r, struct err *e)
{
	struct client_process *init = client_task_init(r->task);
	struct client_await *aw = client_await_new(r->client, 0);

	return client_await(
		aw, client_process_delete(init, client_await_done, aw), e);
}

/* Sees the shim off: when this has gone well, nothing of it is left. */
static int leave(struct run *r, struct err *e)
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

static int run_steps(struct run *r, struct err *e)
{
	static const struct step {
		int (*run)(struct run *r, struct err *e);
		const char *what; /* NULL: the message says it */
	} steps[] = {
		{prepare, NULL},
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
			err_set(e, -ENOTCONN,
				"the shim is gone, and the container with "
				"it%s%s",
				*r->last_log ? "; it said last: " : "",
				r->last_log);
		else if (rc < 0 && steps[i].what)
			err_prefix(e, "%s", steps[i].what);
	}
	return rc;
}

/* Whatever was made is unmade here, however far it came. */
static int clean_up(struct run *r, bool well, struct err *e)
{
	struct client_shim *shim = r->shim;
	int rc = 0, files = 0;

	client_interrupt(r->client, false);
	client_task_free(r->task);
	r->task = NULL;
	r->io.process = NULL;
	if (shim && (well || !client_shim_is_connected(shim))) {
		client_shim_free(shim);
		shim = NULL;
	}
	if (r->made_record && !well && r->shim)
		rc = ctl_release(r->client, &r->record, shim, e);
	ctl_watch_end(&r->watch);
	ctl_stdio_close(&r->io);
	client_events_free(r->events);
	client_log_free(r->log);
	if (r->made_record)
		files = ctl_release_files(&r->place, &r->record, e);
	else if (r->made_place)
		files = ctl_place_remove(&r->place, false, e);
	return rc < 0 ? rc : files;
}

static int run_and_report(struct run *r)
{
	struct err e = {0}, late = {0};
	struct client_exit how = {0};
	int rc, code;
	bool well;

	ctl_release_all_left(r->client, r->o->root);
	rc = ctl_watch_begin(&r->watch, r->client, &e);
	if (rc == 0)
		rc = run_steps(r, &e);
	if (rc == 0)
		client_process_exit(client_task_init(r->task), &how);
	well = rc == 0;
	if (well && r->io.error)
		rc = err_sys(&e, r->io.error, "output is lost");
	code = rc == 0 ? (int)how.status : ctl_exit_code(&e);
	if (rc == 0 && r->io.reader_gone)
		code = 128 + SIGPIPE;
	if (clean_up(r, well, &late) < 0)
		ctl_say("clean up: %s", late.msg);
	if (rc < 0)
		ctl_say("%s", e.msg);
	return code;
}

static int run(const struct run_options *o)
{
	struct run *r = calloc(1, sizeof(*r));
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
	r->place.lock = r->place.guard_lock = -1;
	if (client_new(r->base, &r->client, &e) < 0)
		ctl_say("%s", e.msg);
	else
		code = run_and_report(r);
	client_free(r->client);
	event_base_free(r->base);
	free(r);
	return code;
}

int ctl_run(int argc, char **argv)
{
	struct run_options o;
	struct err e = {0};
	int code = CTL_FAILED;

	if (run_options_parse(&o, argc, argv, &e) < 0) {
		ctl_say("%s", e.msg);
	} else if (o.help) {
		run_help();
		code = CTL_OK;
	} else {
		code = run(&o);
	}
	run_options_clear(&o);
	return code;
}
