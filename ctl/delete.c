/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete.c - `wispctl delete`: a container that has ended, or is made to end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/kept.h"
#include "ctl/release.h"
#include "ctl/say.h"
#include "ctl/target.h"

#define SIGNAL_KILL 9
#define OWNER_MS 15000 /* for whoever holds a place to let it go */
#define OWNER_TICK_MS 20

struct delete_options {
	struct ctl_task_options common;
	const char *exec_id; /* "": the container */
	bool force;
};

static const struct option long_options[] = {
	{"force", no_argument, NULL, 'f'},
	{"exec", required_argument, NULL, 'x'},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl delete [-f] [OPTIONS] ID...\n\n"
	      "Deletes a container that has ended, with all that belongs to "
	      "it. "
	      "Of our own\n(those of `wispctl ps`), what a lost shim has left "
	      "goes, too.\n\n"
	      "  -f, --force           kill it first if it runs; and delete "
	      "even "
	      "a daemon's\n                        container, of which the "
	      "daemon "
	      "is not told: it will be\n                        surprised\n"
	      "  -x, --exec EXEC       only a process that was added to it and "
	      "has ended\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nExit status: 0; 125 if it is there still.\n"
	      "\nExamples:\n"
	      "  wispctl delete web\n"
	      "  wispctl delete -f web db\n"
	      "  wispctl delete -x exec-7 web\n",
		stdout);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct delete_options *o = own;

	(void)e;
	if (opt == 'f')
		o->force = true;
	else
		o->exec_id = arg;
	return 0;
}

/* ---- calls ---- */

static int call_kill(struct ctl_target *t, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	return client_await(aw,
		client_process_kill(client_task_init(t->task), SIGNAL_KILL,
			true, client_await_done, aw),
		e);
}

static void call_resume(struct ctl_target *t)
{
	struct client_await *aw = ctl_target_await(t);

	client_await(
		aw, client_task_resume(t->task, client_await_done, aw), NULL);
}

static int call_wait(struct ctl_target *t, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	return client_await(aw,
		client_process_wait(
			client_task_init(t->task), client_await_done, aw),
		e);
}

static int call_delete(
	struct ctl_target *t, struct client_process *p, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	return client_await(
		aw, client_process_delete(p, client_await_done, aw), e);
}

/* That the shim has other containers, or has left already, is fine. */
static void call_shutdown(struct ctl_target *t)
{
	struct client_await *aw = ctl_target_await(t);

	client_await(aw,
		client_shim_shutdown(
			t->shim, t->where.id, client_await_done, aw),
		NULL);
}

/* ---- what they make together ---- */

/* Whatever it is doing. One that is frozen dies when it thaws. */
static int make_it_end(struct ctl_target *t, struct err *e)
{
	struct client_process *init = client_task_init(t->task);
	enum client_status status;
	int r = ctl_target_look(t, e);

	if (r < 0)
		return r;
	status = client_process_status(init);
	if (status == CLIENT_STOPPED || status == CLIENT_CREATED)
		return 0;
	r = call_kill(t, e);
	if (r == -ENOENT)
		r = 0; /* it has just ended */
	if (r < 0)
		return r;
	if (status == CLIENT_PAUSED || status == CLIENT_PAUSING)
		call_resume(t); /* the kill may have thawed it: runc */
	return call_wait(t, e);
}

/* Shims before containerd 2 say so in words only. */
static bool is_running(int r, const struct err *e)
{
	return r == -EBUSY || (r < 0 && strstr(e->msg, "running"));
}

static int delete_exec(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	struct client_process *p = client_task_process(t->task, o->exec_id);
	int r;

	if (!p)
		return err_sys(e, -ENOMEM, "exec '%s'", o->exec_id);
	r = call_delete(t, p, e);
	if (is_running(r, e))
		err_append(e, "; end it with `wispctl kill -x %s %s`",
			o->exec_id, t->where.id);
	return r;
}

static int delete_task(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	int r = o->force ? make_it_end(t, e) : 0;

	if (r == 0)
		r = call_delete(t, client_task_init(t->task), e);
	if (!o->force && is_running(r, e))
		err_append(e, "; kill it first, or use --force");
	return r;
}

/* Who holds it, `wispctl run` or a keeper, releases it when it has ended. */
static int wait_for_owner(struct ctl_target *t, struct err *e)
{
	bool never = false;
	int ms, r;

	for (ms = 0; access(t->place.state, F_OK) == 0; ms += OWNER_TICK_MS) {
		if (ms >= OWNER_MS)
			return err_set(e, -ETIMEDOUT,
				"whoever runs it has not released it within "
				"%d s: see who holds '%s'",
				OWNER_MS / 1000, t->place.state);
		r = client_run_until(t->session->client, &never, OWNER_TICK_MS);
		if (r == -EINTR)
			return err_set(e, r, "interrupted");
	}
	return 0;
}

/* Nobody holds it: its wispctl is gone. What is there is released, whether the
 * shim is there or not; but not under a container that runs. */
static int delete_left(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	bool runs = t->shim && !o->force && ctl_target_look(t, NULL) == 0 &&
		    client_process_status(client_task_init(t->task)) !=
			    CLIENT_STOPPED &&
		    client_process_status(client_task_init(t->task)) !=
			    CLIENT_CREATED;
	struct client *c = t->session->client;

	if (runs)
		return err_set(
			e, -EBUSY, "it runs; kill it first, or use --force");
	client_task_free(t->task);
	client_shim_free(t->shim);
	t->task = NULL;
	t->shim = NULL;
	return ctl_release_place(c, &t->place, 0, e);
}

/* A keeper releases what somebody has deleted. */
static int delete_kept(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	int r = t->shim ? delete_task(t, o, e) : 0;

	if (r == -ENOENT || r == -ENOTCONN)
		r = 0; /* it is being deleted */
	return r < 0 ? r : wait_for_owner(t, e);
}

/* `wispctl run` in the foreground deletes its container itself. */
static int delete_held(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	int r = 0;

	if (t->shim && !o->force)
		r = ctl_target_look(t, e);
	if (r == 0 && t->shim && !o->force &&
		client_process_status(client_task_init(t->task)) !=
			CLIENT_STOPPED)
		return err_set(e, -EBUSY,
			"`wispctl run` has it; kill it first, or use --force");
	if (r == 0 && t->shim && o->force)
		r = make_it_end(t, e);
	if (r == -ENOENT || r == -ENOTCONN)
		r = 0; /* it is being deleted */
	return r < 0 ? r : wait_for_owner(t, e);
}

static int delete_own(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	if (ctl_place_lock_left(&t->place) == 0)
		return delete_left(t, o, e);
	if (t->record.detached)
		return delete_kept(t, o, e);
	return delete_held(t, o, e);
}

static int delete_others(
	struct ctl_target *t, const struct delete_options *o, struct err *e)
{
	int r;

	if (!o->force)
		return err_set(e, -EPERM,
			"it is a daemon's, of namespace %s, or of another "
			"--root: delete it there. With --force it is done "
			"behind the daemon's back",
			t->where.ns);
	r = delete_task(t, o, e);
	if (r < 0)
		return r;
	call_shutdown(t);
	ctl_say("delete '%s': done; a daemon that made it has not been told "
		"and will be surprised",
		t->where.id);
	return 0;
}

static int delete_one(struct ctl_session *s, const char *id,
	const struct delete_options *o, struct err *e)
{
	struct ctl_target t;
	int r = *o->exec_id ? -ENOENT : ctl_kept_remove(o->common.root, id, e);

	if (r != -ENOENT)
		return r;
	r = ctl_target_find(&t, s, id, e);
	if (r == 0)
		r = ctl_target_connect(&t, e);
	if (r < 0 && t.own && !*o->exec_id) {
		client_shim_free(t.shim);
		t.shim = NULL;
		r = delete_own(&t, o, e);
	} else if (r == 0 && *o->exec_id) {
		r = delete_exec(&t, o, e);
	} else if (r == 0) {
		r = t.own ? delete_own(&t, o, e) : delete_others(&t, o, e);
	}
	ctl_target_close(&t);
	return r;
}

static int delete_all(
	struct ctl_session *s, char **ids, const struct delete_options *o)
{
	int code = CTL_OK;

	for (; *ids; ids++) {
		struct err e = {0};

		if (delete_one(s, *ids, o, &e) == 0)
			continue;
		ctl_say("delete '%s': %s", *ids, e.msg);
		code = CTL_FAILED;
	}
	return code;
}

int ctl_delete(int argc, char **argv)
{
	struct delete_options o = {
		.common.timeout_ms = 2 * CTL_TASK_TIMEOUT_MS, .exec_id = ""};
	struct ctl_session s = {0};
	struct err e = {0};
	int first, r, code = CTL_FAILED;

	r = ctl_task_options_parse(&o.common, argc, argv, "fx:", long_options,
		set, &o, &first, &e);
	if (r == 0 && o.common.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, -1, &e);
	if (r == 0)
		r = ctl_session_open(&s, &o.common, &e);
	if (r < 0)
		ctl_say("%s", e.msg);
	else
		code = delete_all(&s, argv + first, &o);
	ctl_session_close(&s);
	return code;
}
