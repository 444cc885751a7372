/* SPDX-License-Identifier: Apache-2.0 */
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
#include "platform/mount.h"
#include "reaper/reaper.h"
#include "shim/events.h"
#include "shim/explain.h"
#include "shim/ident.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/task.h"

/* A failure that is told once everything has been cleaned up after it. */
struct failure {
	struct task *task;
	struct err err;
};

static int set_runtime(struct task *t, struct err *e)
{
	const struct tasks_config *config = task_config(t);
	struct runtime *rt = &t->runtime;
	int r = runtime_find(&t->options, &rt->binary, e);

	if (r < 0)
		return r;
	r = runtime_root(&t->options, config->ns, &t->runtime_root, e);
	if (r < 0)
		return r;
	rt->base = config->base;
	rt->reaper = config->reaper;
	rt->root = t->runtime_root;
	rt->options = &t->options;
	rt->bundle = t->bundle.dir;
	rt->id = t->id;
	rt->timeout_ms = config->runtime_timeout_ms;
	return 0;
}

/* What `delete` will need, if this process is gone by then. */
static int leave_notes(struct task *t, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r;

	bundle_remove(t->bundle.dir, BUNDLE_RELEASED);
	bundle_remove(t->bundle.dir, "exit-status");
	bundle_remove(t->bundle.dir, BUNDLE_PID);
	r = bundle_note_cgroup(&t->bundle, e);
	if (r < 0)
		return r;
	r = bundle_path(t->bundle.dir, BUNDLE_OPTIONS, path);
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	r = options_save(&t->options, path, e);
	if (r < 0)
		return r;
	return bundle_write(
		t->bundle.dir, BUNDLE_RUNTIME, t->runtime.binary, e);
}

static int mount_rootfs(struct task *t, const CreateRequest *rq, struct err *e)
{
	char root[BUNDLE_PATH_MAX], scratch[BUNDLE_PATH_MAX];
	struct mount_spec *specs;
	size_t i;
	int r;

	if (rq->n_rootfs == 0)
		return 0;
	r = bundle_path(t->bundle.dir, BUNDLE_ROOTFS, root);
	if (r == 0)
		r = bundle_path(t->bundle.dir, BUNDLE_MOUNTS, scratch);
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	specs = calloc(rq->n_rootfs, sizeof(*specs));
	if (!specs)
		return err_set(e, -ENOMEM, "no memory for task '%s'", t->id);
	for (i = 0; i < rq->n_rootfs; i++) {
		const Containerd__Types__Mount *m = rq->rootfs[i];

		specs[i] = (struct mount_spec){
			.type = m->type,
			.source = m->source,
			.target = m->target,
			.options = (const char *const *)m->options,
			.n_options = m->n_options,
		};
	}
	file_make_passage(root); /* mount_all() tells if it is not there */
	t->mounted = true;
	r = mount_all(specs, rq->n_rootfs, root, scratch, e);
	if (r == -ENOENT) /* to a client that would be the container */
		r = e->code = -EINVAL;
	free(specs);
	return r;
}

static int check_request(
	struct tasks *ts, const CreateRequest *rq, struct err *e)
{
	struct proc *other;
	int r = ident_check("container id", rq->id, e);

	if (r < 0)
		return r;
	if (tasks_find(ts, rq->id, "", &other, NULL) == 0)
		return err_set(
			e, -EEXIST, "container '%s' exists already", rq->id);
	return 0;
}

static int prepare(struct task *t, const CreateRequest *rq, struct err *e)
{
	struct proc *p = &t->init;
	int r;

	r = bundle_open(rq->bundle, &t->bundle, e);
	if (r == 0)
		r = policy_parse(t->bundle.stdio_policy, &t->stdio_policy, e);
	if (r == 0)
		r = options_unpack(rq->options, &t->options, e);
	/* Docker passes no options to a runtime that it is not told of */
	t->options.systemd_cgroup |= t->bundle.systemd_cgroup;
	if (r == 0)
		tasks_place(t->tasks, t);
	if (r == 0)
		r = set_runtime(t, e);
	if (r == 0)
		r = proc_init(p, t, "", rq->stdin, rq->stdout, rq->stderr,
			rq->terminal, e);
	if (r < 0)
		return r;
	p->state = TASK_CREATING;
	r = restore_prepare(t, rq, e);
	if (r < 0)
		return r;
	t->create_room = events_prepare_create(t, rq);
	if (!t->create_room)
		return err_set(e, -ENOMEM, "no memory for task '%s'", t->id);
	r = proc_open_stdio(p, e);
	if (r == 0)
		r = leave_notes(t, e);
	return r < 0 ? r : mount_rootfs(t, rq, e);
}

void task_arm_cgroup(struct task *t)
{
	const struct tasks_config *config = task_config(t);
	struct err e;
	int r;

	r = cgroup_open(t->init.pid, &t->cgroup, &e);
	if (r == 0)
		r = cgroup_watch_oom(
			t->cgroup, config->base, task_oom_hint, t, &e);
	if (r < 0)
		log_warn(t->id, "OOM is not watched: %s", e.msg);
	else
		t->oom_kills = cgroup_oom_kills(t->cgroup);
}

static void create_undone(void *arg)
{
	struct failure *f = arg;

	proc_finish(&f->task->init, f->err.code, &f->err);
	task_free(f->task);
	free(f);
}

static void create_released(int r, const struct err *e, void *arg)
{
	struct failure *f = arg;

	if (r < 0)
		log_warn(f->task->id, "after a failed create: %s", e->msg);
	proc_close_stdio(&f->task->init, create_undone, f);
}

/* The runtime may have been killed in the middle: whatever it made must go
 * before the client hears of the failure. */
static void create_failed(struct task *t, const struct err *e)
{
	struct failure *f = malloc(sizeof(*f));

	if (t->init.ref)
		process_ref_signal(t->init.ref, SIGKILL);
	stdio_close(ptr_take(&t->init.stdio));
	if (!f) { /* clean up all the same, tell it now */
		proc_finish(&t->init, e->code, e);
		task_release(t, NULL, NULL);
		return;
	}
	f->task = t;
	f->err = *e;
	task_release(t, create_released, f);
}

static void created(struct task *t)
{
	proc_set(&t->init, EV_CREATED, NULL);
	events_create(t);
	proc_finish(&t->init, 0, NULL);
	host_trim_memory();
	task_settle(t);
}

static void create_done(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	struct err own;

	t->creating = NULL;
	if (r == 0 && runtime_has_process(&t->runtime)) {
		r = proc_adopt(&t->init, BUNDLE_PID, &own);
		e = &own;
	}
	reaper_release(task_config(t)->reaper);
	if (r < 0) {
		create_failed(t, e);
		return;
	}
	if (t->init.pid)
		task_arm_cgroup(t);
	created(t);
}

static int create_run(struct task *t, struct err *e)
{
	char pid_file[BUNDLE_PATH_MAX];
	int r = bundle_path(t->bundle.dir, BUNDLE_PID, pid_file);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	reaper_hold(task_config(t)->reaper);
	r = runtime_create(&t->runtime, t->init.stdio, pid_file, create_done, t,
		&t->creating, e);
	if (r < 0)
		reaper_release(task_config(t)->reaper);
	else
		t->runtime_ran = true;
	return r;
}

static void create_logged(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	struct err own;

	if (r == 0 && t->checkpoint) {
		created(t);
		return;
	}
	if (r == 0) {
		r = create_run(t, &own);
		e = &own;
	}
	if (r < 0)
		create_failed(t, e);
}

static void create_explained(int r, const struct err *e, void *arg)
{
	struct task *t = arg;

	if (r < 0)
		create_failed(t, e);
	else if (t->init.loggers)
		loggers_await(t->init.loggers, create_logged, t);
	else
		create_logged(0, NULL, t);
}

/* The profile is rewritten before the runtime sees it. */
static int explain(struct task *t, struct err *e)
{
	const struct explain_config config = {
		.base = task_config(t)->base,
		.reaper = task_config(t)->reaper,
		.id = t->id,
		.bundle = t->bundle.dir,
		.runtime = t->runtime.binary,
	};

	if (!t->bundle.explain)
		return 0;
	if (t->checkpoint) {
		log_warn(t->id, "seccomp: what is restored has the filter that "
				"it had: it is not explained");
		return 0;
	}
	return explain_new(&config, create_explained, t, &t->explain, e);
}

int task_create(struct tasks *ts, const CreateRequest *rq, task_done done,
	void *arg, struct err *e)
{
	struct task *t;
	int r = check_request(ts, rq, e);

	if (r < 0)
		return r;
	t = task_new(ts, rq->id, e);
	if (!t)
		return e->code;
	r = prepare(t, rq, e);
	if (r == 0)
		r = explain(t, e);
	if (r == 0 && !t->explain && !t->init.loggers && !t->checkpoint)
		r = create_run(t, e);
	if (r < 0) {
		err_prefix(e, "create '%s'", rq->id);
		task_release(t, NULL, NULL);
		return r;
	}
	tasks_forget(ts, rq->id, "");
	t->init.done = done;
	t->init.done_arg = arg;
	task_link(t);
	if (t->explain)
		return 0; /* create_explained() goes on */
	if (t->init.loggers)
		loggers_await(t->init.loggers, create_logged, t);
	else if (t->checkpoint)
		created(t);
	return 0;
}

void task_started(struct task *t, int r, const struct err *e)
{
	struct proc *p = &t->init;

	proc_set(p, r == 0 ? EV_STARTED : EV_START_FAILED, NULL);
	if (r == 0)
		events_start(p);
	task_oom_hint(t);
	proc_finish(p, r, e);
	host_trim_memory();
	task_settle(t);
}

static void start_done(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	bool late = !t->init.pid;
	struct err own;

	if (r == 0 && late) {
		r = proc_adopt(&t->init, BUNDLE_PID, &own);
		e = &own;
		if (r < 0)
			proc_disown(&t->init);
		else
			task_arm_cgroup(t);
	}
	if (late)
		reaper_release(task_config(t)->reaper);
	task_started(t, r, e);
}

static int start_init(struct task *t, struct err *e)
{
	char pid_file[BUNDLE_PATH_MAX];
	int r = bundle_path(t->bundle.dir, BUNDLE_PID, pid_file);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	if (!t->init.stdio)
		return err_set(e, -EBUSY,
			"the start of '%s' has failed: delete it, and create "
			"it anew",
			t->id);
	if (!t->init.pid)
		reaper_hold(task_config(t)->reaper);
	r = runtime_start(
		&t->runtime, t->init.stdio, pid_file, start_done, t, e);
	if (r < 0 && !t->init.pid)
		reaper_release(task_config(t)->reaper);
	return r;
}

int proc_start(struct proc *p, task_done done, void *arg, struct err *e)
{
	int r = proc_set(p, EV_START, e);

	if (r < 0)
		return r;
	if (!proc_is_init(p))
		r = exec_start(p, e);
	else if (p->task->checkpoint)
		r = restore_start(p, e);
	else
		r = start_init(p->task, e);
	if (r < 0) {
		proc_set(p, EV_START_FAILED, NULL);
		return r;
	}
	p->done = done;
	p->done_arg = arg;
	return 0;
}
