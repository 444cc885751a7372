/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/file.h"
#include "reaper/reaper.h"
#include "shim/events.h"
#include "shim/ident.h"
#include "platform/json.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/task.h"

/* The two files that an exec needs while it is being started. */
struct names {
	char spec[IDENT_MAX + 16], pid[IDENT_MAX + 16];
};

static void name_files(const struct proc *p, struct names *n)
{
	snprintf(n->spec, sizeof(n->spec), "exec-%s.json", p->id);
	snprintf(n->pid, sizeof(n->pid), "exec-%s.pid", p->id);
}

static void remove_files(struct proc *p)
{
	struct names n;

	name_files(p, &n);
	bundle_remove(p->task->bundle.dir, n.spec);
	bundle_remove(p->task->bundle.dir, n.pid);
}

static int check_spec(const ExecRequest *rq, struct err *e)
{
	int r = json_check_object(
		(const char *)rq->spec->value.data, rq->spec->value.len, e);

	if (r < 0)
		err_prefix(e, "exec '%s': process spec", rq->exec_id);
	return r;
}

static int check_request(struct task *t, const ExecRequest *rq, struct err *e)
{
	struct proc *other;
	int r;

	r = ident_check("exec id", rq->exec_id, e);
	if (r < 0)
		return r;
	if (tasks_find(t->tasks, t->id, rq->exec_id, &other, NULL) == 0)
		return err_set(
			e, -EEXIST, "exec '%s' exists already", rq->exec_id);
	r = proc_allows(&t->init, EV_EXEC, e);
	if (r < 0)
		return r;
	if (!rq->spec || rq->spec->value.len == 0)
		return err_set(e, -EINVAL, "exec '%s' has no process spec",
			rq->exec_id);
	if (!any_is(rq->spec, "opencontainers/runtime-spec/1/Process") &&
		!strstr(rq->spec->type_url, "runtime-spec/1/Process"))
		return err_set(e, -EINVAL,
			"exec '%s': spec of unknown type '%s'", rq->exec_id,
			rq->spec->type_url);
	return check_spec(rq, e);
}

static int fill(struct proc *p, const ExecRequest *rq, struct err *e)
{
	p->spec = malloc(rq->spec->value.len);
	if (!p->spec)
		return err_set(
			e, -ENOMEM, "no memory for exec '%s'", rq->exec_id);
	memcpy(p->spec, rq->spec->value.data, rq->spec->value.len);
	p->n_spec = rq->spec->value.len;
	p->state = TASK_CREATED;
	return stdio_check(rq->stdin, rq->stdout, rq->stderr, e);
}

int task_add_exec(struct task *t, const ExecRequest *rq, struct err *e)
{
	struct proc *p;
	int r = check_request(t, rq, e);

	if (r < 0)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(
			e, -ENOMEM, "no memory for exec '%s'", rq->exec_id);
	r = proc_init(p, t, rq->exec_id, rq->stdin, rq->stdout, rq->stderr,
		rq->terminal, e);
	if (r == 0)
		r = fill(p, rq, e);
	if (r < 0) {
		proc_clear(p);
		free(p);
		return r;
	}
	tasks_forget(t->tasks, t->id, rq->exec_id);
	p->next = t->execs;
	t->execs = p;
	events_exec_added(p);
	return 0;
}

/* It was made, but can't be used: its exit is nobody's news. */
/* A failure that is told once its loggers have ended. */
struct failure {
	struct proc *proc;
	struct err err;
};

static void tell_failed(struct proc *p, const struct err *e)
{
	proc_set(p, EV_START_FAILED, NULL);
	proc_finish(p, e->code, e);
	task_settle(p->task);
}

static void exec_undone(void *arg)
{
	struct failure *f = arg;

	tell_failed(f->proc, &f->err);
	free(f);
}

static void exec_failed(struct proc *p, const struct err *e)
{
	struct failure *f = p->loggers ? malloc(sizeof(*f)) : NULL;

	proc_disown(p);
	remove_files(p);
	if (!f) {
		loggers_free(ptr_take(&p->loggers));
		tell_failed(p, e);
		return;
	}
	f->proc = p;
	f->err = *e;
	loggers_end(p->loggers, exec_undone, f);
}

static void exec_done(int r, const struct err *e, void *arg)
{
	struct proc *p = arg;
	struct names n;
	struct err own;

	name_files(p, &n);
	if (r == 0) {
		r = proc_adopt(p, n.pid, &own);
		e = &own;
	}
	reaper_release(task_config(p->task)->reaper);
	if (r < 0) {
		exec_failed(p, e);
		return;
	}
	remove_files(p);
	free(ptr_take(&p->spec));
	proc_set(p, EV_STARTED, NULL);
	events_start(p);
	proc_finish(p, 0, NULL);
	task_settle(p->task);
}

static int write_spec(struct proc *p, const char *path, struct err *e)
{
	int r = file_write(path, p->spec, p->n_spec);

	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

static int exec_run(struct proc *p, struct err *e)
{
	struct task *t = p->task;
	char spec[BUNDLE_PATH_MAX], pid[BUNDLE_PATH_MAX];
	struct names n;
	int r;

	if (t->init.exited || !p->spec)
		return err_set(e, -EBUSY, "cannot exec in a stopped container");
	name_files(p, &n);
	if (bundle_path(t->bundle.dir, n.spec, spec) < 0 ||
		bundle_path(t->bundle.dir, n.pid, pid) < 0)
		return err_set(e, -ENAMETOOLONG, "bundle path is too long");
	r = write_spec(p, spec, e);
	if (r < 0)
		return r;
	reaper_hold(task_config(t)->reaper);
	r = runtime_exec(&t->runtime, p->stdio, spec, pid, exec_done, p, e);
	if (r < 0)
		reaper_release(task_config(t)->reaper);
	return r;
}

static void exec_logged(int r, const struct err *e, void *arg)
{
	struct proc *p = arg;
	struct err own;

	if (r == 0) {
		r = exec_run(p, &own);
		e = &own;
	}
	if (r < 0)
		exec_failed(p, e);
}

int exec_start(struct proc *p, struct err *e)
{
	int r;

	if (p->task->init.exited || !p->spec)
		return err_set(e, -EBUSY, "cannot exec in a stopped container");
	if (!p->task->init.pid)
		return err_set(e, -EBUSY,
			"cannot exec in a container that is not restored yet");
	r = proc_open_stdio(p, e);
	if (r == 0 && !p->loggers)
		r = exec_run(p, e);
	if (r < 0) {
		stdio_close(ptr_take(&p->stdio));
		loggers_free(ptr_take(&p->loggers));
		remove_files(p);
		return r;
	}
	if (p->loggers)
		loggers_await(p->loggers, exec_logged, p);
	return 0;
}
