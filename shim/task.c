/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/cgroup.h"
#include "platform/file.h"
#include "platform/host.h"
#include "reaper/reaper.h"
#include "shim/events.h"
#include "shim/explain.h"
#include "shim/ident.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/publish.h"

/* Deletions that are remembered. */
#define GRAVES 16

struct grave {
	char *id, *exec_id; /* NULL: an empty one */
	struct obituary obituary;
};

struct tasks {
	struct tasks_config config;
	struct task *head;
	struct grave graves[GRAVES];
	unsigned next_grave;
};

struct tasks *tasks_new(const struct tasks_config *config)
{
	struct tasks *ts = calloc(1, sizeof(*ts));

	if (ts)
		ts->config = *config;
	return ts;
}

static void grave_clear(struct grave *g)
{
	free(g->id);
	free(g->exec_id);
	memset(g, 0, sizeof(*g));
}

void tasks_free(struct tasks *ts)
{
	struct task *t;
	unsigned i;

	if (!ts)
		return;
	while ((t = ts->head)) {
		ts->head = t->next;
		task_free(t);
	}
	for (i = 0; i < GRAVES; i++)
		grave_clear(&ts->graves[i]);
	free(ts);
}

static struct grave *grave_find(
	struct tasks *ts, const char *id, const char *exec_id)
{
	unsigned i;

	for (i = 0; i < GRAVES; i++) {
		struct grave *g = &ts->graves[i];

		if (g->id && strcmp(g->id, id) == 0 &&
			strcmp(g->exec_id, exec_id) == 0)
			return g;
	}
	return NULL;
}

void tasks_remember(struct tasks *ts, const struct proc *p)
{
	struct grave *g = &ts->graves[ts->next_grave];

	ts->next_grave = (ts->next_grave + 1) % GRAVES;
	grave_clear(g);
	g->id = strdup(p->task->id);
	g->exec_id = strdup(p->id);
	if (!g->id || !g->exec_id) { /* then it can't be asked for twice */
		grave_clear(g);
		return;
	}
	g->obituary.pid = p->pid;
	g->obituary.status = p->status;
	g->obituary.exited_at = p->exited_at;
}

void tasks_forget(struct tasks *ts, const char *id, const char *exec_id)
{
	struct grave *g = grave_find(ts, id, exec_id);

	if (g)
		grave_clear(g);
}

bool tasks_recall(struct tasks *ts, const char *id, const char *exec_id,
	struct obituary *ret)
{
	struct grave *g = grave_find(ts, id, exec_id);

	if (g)
		*ret = g->obituary;
	return g != NULL;
}

unsigned tasks_count(const struct tasks *ts)
{
	const struct task *t;
	unsigned n = 0;

	for (t = ts->head; t; t = t->next)
		n++;
	return n;
}

unsigned tasks_alive(const struct tasks *ts)
{
	const struct task *t;
	unsigned n = 0;

	for (t = ts->head; t; t = t->next)
		n += !t->init.published;
	return n;
}

void tasks_each(
	struct tasks *ts, void (*each)(struct task *t, void *arg), void *arg)
{
	struct task *t;

	for (t = ts->head; t; t = t->next)
		each(t, arg);
}

void tasks_changed(struct tasks *ts)
{
	if (ts->config.changed)
		ts->config.changed(ts->config.arg);
}

void tasks_place(struct tasks *ts, const struct task *t)
{
	const char *group = t->options.shim_cgroup;
	struct err e;

	if (ts->config.placed || !group)
		return;
	ts->config.placed = true;
	if (cgroup_join(group, &e) < 0)
		log_warn(t->id, "option shim_cgroup: %s", e.msg);
}

const struct tasks_config *task_config(const struct task *t)
{
	return &t->tasks->config;
}

int tasks_find(struct tasks *ts, const char *id, const char *exec_id,
	struct proc **ret, struct err *e)
{
	struct task *t;
	struct proc *p;

	for (t = ts->head; t && strcmp(t->id, id) != 0; t = t->next)
		;
	if (!t)
		return err_set(e, -ENOENT, "container not created");
	if (!exec_id || !*exec_id) {
		*ret = &t->init;
		return 0;
	}
	for (p = t->execs; p; p = p->next) {
		if (strcmp(p->id, exec_id) != 0)
			continue;
		*ret = p;
		return 0;
	}
	return err_set(e, -ENOENT, "process does not exist: exec '%s' of '%s'",
		exec_id, id);
}

struct task *task_new(struct tasks *ts, const char *id, struct err *e)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t)
		t->id = strdup(id);
	if (!t || !t->id) {
		free(t);
		err_set(e, -ENOMEM, "no memory for task '%s'", id);
		return NULL;
	}
	t->tasks = ts;
	return t;
}

void task_link(struct task *t)
{
	t->next = t->tasks->head;
	t->tasks->head = t;
	tasks_changed(t->tasks);
}

void task_unlink(struct task *t)
{
	struct task **at = &t->tasks->head;

	while (*at && *at != t)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = t->next;
	tasks_changed(t->tasks);
}

void task_hold(struct task *t)
{
	t->refs++;
}

void task_drop(struct task *t)
{
	if (--t->refs == 0 && t->dead)
		free(t);
}

void task_free(struct task *t)
{
	task_unlink(t);
	while (t->execs) {
		struct proc *p = t->execs;

		t->execs = p->next;
		proc_clear(p);
		free(p);
	}
	proc_clear(&t->init);
	if (t->leftover)
		event_free(t->leftover);
	if (t->hold)
		event_free(t->hold);
	task_drop_metrics(t);
	explain_free(t->explain);
	cgroup_close(t->cgroup);
	bundle_clear(&t->bundle);
	options_clear(&t->options);
	publisher_unreserve(t->create_room);
	free(t->runtime_root);
	free(t->checkpoint);
	free(t->id);
	t->dead = true;
	if (t->refs == 0)
		free(t);
}

int proc_init(struct proc *p, struct task *t, const char *id, const char *in,
	const char *out, const char *err, bool terminal, struct err *e)
{
	p->task = t;
	p->terminal = terminal;
	p->id = strdup(id);
	p->in = strdup(in);
	p->out = strdup(out);
	p->err = strdup(err);
	p->exit_room = publisher_reserve(NULL, EVENTS_EXIT_SIZE);
	if (!p->id || !p->in || !p->out || !p->err || !p->exit_room)
		return err_set(
			e, -ENOMEM, "no memory for a process of '%s'", t->id);
	return 0;
}

static void wake(struct waiter **list, int r, const struct err *e)
{
	while (*list) {
		struct waiter *w = *list;

		*list = w->next;
		w->cb(r, e, w->arg);
	}
}

void proc_clear(struct proc *p)
{
	static const struct err gone = {
		.code = -ENOENT, .msg = "process was deleted"};

	if (!p->task)
		return; /* never begun */
	wake(&p->waiters, gone.code, &gone);
	wake(&p->deleters, 0, NULL);
	if (p->pid && !p->exited)
		reaper_forget(task_config(p->task)->reaper, p->pid);
	process_ref_close(p->ref);
	stdio_close(p->stdio);
	loggers_free(p->loggers);
	publisher_unreserve(p->exit_room);
	free(p->id);
	free(p->in);
	free(p->out);
	free(p->err);
	free(p->spec);
}

bool proc_is_init(const struct proc *p)
{
	return p == &p->task->init;
}

int proc_allows(const struct proc *p, enum task_event ev, struct err *e)
{
	if (state_next(p->state, ev) != TASK_BAD)
		return 0;
	if (ev == EV_KILL && p->exited)
		return err_set(e, -ESRCH, "process already finished");
	return err_set(e, -EBUSY, "cannot %s a %s %s: '%s'",
		state_event_name(ev), state_name(p->state),
		proc_is_init(p) ? "container" : "process",
		proc_is_init(p) ? p->task->id : p->id);
}

int proc_set(struct proc *p, enum task_event ev, struct err *e)
{
	int r = proc_allows(p, ev, e);

	if (r < 0)
		return r;
	log_debug(p->task->id, "%s%s%s: %s after %s",
		proc_is_init(p) ? "init" : "exec ", p->id, "",
		state_name(state_next(p->state, ev)), state_name(p->state));
	p->state = state_next(p->state, ev);
	return 0;
}

static int open_loggers(struct proc *p, struct stream *ret[2], struct err *e)
{
	const struct tasks_config *tc = task_config(p->task);
	struct loggers_config config = {
		.base = tc->base,
		.reaper = tc->reaper,
		.ns = tc->ns,
		.id = p->task->id,
	};
	int r = stdio_check(p->in, p->out, p->err, e);

	if (r < 0)
		return r;
	loggers_free(ptr_take(&p->loggers)); /* of a start that failed */
	r = loggers_start(
		&config, p->out, p->terminal ? NULL : p->err, &p->loggers, e);
	if (r == 0 && p->loggers)
		loggers_take(p->loggers, ret);
	return r;
}

void proc_close_stdio(struct proc *p, void (*done)(void *arg), void *arg)
{
	stdio_close(ptr_take(&p->stdio));
	if (p->loggers)
		loggers_end(p->loggers, done, arg);
	else
		done(arg);
}

/* A process opens its own stdout again by /dev/stdout, and must own the pipe
 * for that. The runtime gives it to the process' user, but root in a user
 * namespace may only give away what belongs to somebody in there. An ordinary
 * user's pipes are those of the only user that there is. */
static void choose_owner(const struct task *t, struct stdio_config *config)
{
	config->uid = t->options.io_uid;
	config->gid = t->options.io_gid;
	if (config->uid || config->gid || !host_is_root())
		return;
	config->uid = t->bundle.root_uid;
	config->gid = t->bundle.root_gid;
}

int proc_open_stdio(struct proc *p, struct err *e)
{
	struct task *t = p->task;
	char name[IDENT_MAX + 32];
	struct stdio_config config = {
		.in = p->in,
		.out = p->out,
		.err = p->err,
		.terminal = p->terminal,
		.dir = t->bundle.dir,
		.name = name,
		.policy = t->stdio_policy,
		.told = proc_output_told,
		.told_arg = p,
	};
	int r;

	choose_owner(t, &config);
	snprintf(name, sizeof(name), "console%s%s.sock", *p->id ? "-" : "",
		p->id);
	r = open_loggers(p, config.to_logger, e);
	if (r == 0)
		r = stdio_open(task_config(t)->base, &config, &p->stdio, e);
	if (r == 0 && p->stdin_closed)
		stdio_close_stdin(p->stdio);
	return r;
}

int proc_adopt(struct proc *p, const char *pid_file, struct err *e)
{
	const struct tasks_config *config = task_config(p->task);
	char path[BUNDLE_PATH_MAX];
	int64_t pid = 0;
	int r;

	r = bundle_path(p->task->bundle.dir, pid_file, path);
	if (r == 0)
		r = file_read_pid(path, &pid);
	if (r == -ENOENT || r == -EINVAL)
		return err_sys(e, -EREMOTEIO,
			"the OCI runtime left no pid in '%s' (%s)", path,
			strerror(-r));
	if (r < 0)
		return err_sys(e, r, "read '%s'", path);
	r = reaper_claim(config->reaper, pid, proc_exited, p);
	if (r < 0)
		return err_sys(e, r,
			"process %" PRId64 " in '%s' is none of this shim's",
			pid, path);
	p->pid = pid;
	r = process_ref_open(pid, &p->ref);
	if (r < 0 && r != -ESRCH) /* it may have ended and been collected */
		return err_sys(e, r, "pidfd of process %" PRId64, pid);
	return stdio_start(p->stdio, e);
}

void proc_disown(struct proc *p)
{
	stdio_close(ptr_take(&p->stdio));
	if (!p->pid)
		return;
	if (p->ref)
		process_ref_signal(p->ref, SIGKILL);
	reaper_forget(task_config(p->task)->reaper, p->pid);
	process_ref_close(ptr_take(&p->ref));
	p->pid = 0;
	p->exited = false;
}

void proc_finish(struct proc *p, int r, const struct err *e)
{
	task_done done = p->done;

	p->done = NULL;
	if (done)
		done(r, e, p->done_arg);
}
