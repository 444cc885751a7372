/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/file.h"
#include "platform/process.h"
#include "reaper/reaper.h"
#include "shim/criu.h"
#include "shim/log.h"
#include "shim/task.h"

#define PID_FILE "init.pid"
#define RESTORE_LOG "restore.log"

/* A failure that is told once everything has been cleaned up after it. */
struct failure {
	struct task *task;
	struct err err;
};

/* CRIU finds the pages that an incremental image lacks by the link "parent" in
 * it, which may have come here by a way that lost what it points to. */
static int link_parent(const char *image, const char *parent, struct err *e)
{
	char path[BUNDLE_PATH_MAX], to[BUNDLE_PATH_MAX];
	int r = criu_relative(image, parent, to, sizeof(to), e);

	if (r < 0)
		return r;
	r = bundle_path(image, "parent", path);
	if (r == 0)
		r = file_link(to, path);
	return r < 0 ? err_sys(e, r, "link '%s/parent' to '%s'", image, to) : 0;
}

int restore_prepare(struct task *t, const CreateRequest *rq, struct err *e)
{
	const char *image =
		*rq->checkpoint ? rq->checkpoint : t->options.criu_image;
	char real[FILE_PATH_MAX];
	int r;

	if (!image) {
		if (*rq->parent_checkpoint)
			return err_set(e, -EINVAL,
				"a parent checkpoint, but no checkpoint");
		return 0;
	}
	if (image[0] != '/')
		return err_set(
			e, -EINVAL, "checkpoint '%s' must be absolute", image);
	r = file_real_folder(image, real);
	if (r < 0) /* never -ENOENT: to a client that is the container */
		return err_set(
			e, -EINVAL, "checkpoint '%s': %s", image, strerror(-r));
	if (*rq->parent_checkpoint) {
		r = link_parent(image, rq->parent_checkpoint, e);
		if (r < 0)
			return r;
	}
	t->checkpoint = strdup(image);
	return t->checkpoint
		       ? 0
		       : err_set(e, -ENOMEM, "no memory for task '%s'", t->id);
}

/* In the bundle, unless the operator wants it elsewhere. */
static int work_folder(const struct task *t, char *ret, struct err *e)
{
	int r = 0;

	if (!t->options.criu_work)
		r = bundle_path(t->bundle.dir, "criu-work", ret);
	else if (snprintf(ret, BUNDLE_PATH_MAX, "%s", t->options.criu_work) >=
		 BUNDLE_PATH_MAX)
		r = -ENAMETOOLONG;
	if (r == 0)
		r = file_make_folder(ret);
	return r < 0 ? err_set(e, -EINVAL, "criu_work_path '%s': %s",
			       t->options.criu_work ? ret : t->bundle.dir,
			       strerror(-r))
		     : 0;
}

static void drop_work_folder(const struct task *t)
{
	char work[BUNDLE_PATH_MAX];

	if (!t->options.criu_work &&
		bundle_path(t->bundle.dir, "criu-work", work) == 0)
		file_remove_folder(work);
}

static void explain(const struct task *t, struct err *e)
{
	char work[BUNDLE_PATH_MAX];

	if (work_folder(t, work, NULL) == 0)
		criu_explain(work, RESTORE_LOG, t->bundle.dir,
			!t->options.criu_work, e);
}

static void tell_failed(struct task *t, const struct err *e)
{
	log_warn(t->id, "%s", e->msg);
	task_started(t, e->code, e);
}

static void undone(int r, const struct err *e, void *arg)
{
	struct failure *f = arg;

	if (r < 0)
		log_warn(f->task->id, "after a failed restore: %s", e->msg);
	else
		f->task->runtime_ran = false;
	tell_failed(f->task, &f->err);
	free(f);
}

/* What it made so far goes before anybody hears of the failure; its Delete
 * tries once more if that can't be done. */
static void failed(struct task *t, const struct err *e)
{
	struct proc *p = &t->init;
	struct failure *f = malloc(sizeof(*f));
	struct err own;

	t->restore_failed = true;
	stdio_close(ptr_take(&p->stdio));
	if (p->pid) { /* its exit is nobody's news */
		if (p->ref)
			process_ref_signal(p->ref, SIGKILL);
		reaper_forget(task_config(t)->reaper, p->pid);
		process_ref_close(ptr_take(&p->ref));
		p->pid = 0;
		p->exited = false;
	}
	if (f) {
		f->task = t;
		f->err = *e;
		if (runtime_delete(&t->runtime, undone, f, &own) == 0)
			return;
		log_warn(t->id, "after a failed restore: %s", own.msg);
		free(f);
	}
	tell_failed(t, e);
}

static void restored(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	struct err own;

	if (r < 0) {
		own = *e;
		explain(t, &own);
	} else {
		r = proc_adopt(&t->init, PID_FILE, &own);
	}
	reaper_release(task_config(t)->reaper);
	drop_work_folder(t);
	if (r < 0) {
		failed(t, &own);
		return;
	}
	task_arm_cgroup(t);
	task_started(t, 0, NULL);
}

static int run(struct task *t, struct err *e)
{
	char pid_file[BUNDLE_PATH_MAX], work[BUNDLE_PATH_MAX];
	struct criu c = {.image = t->checkpoint, .work = work};
	int r = bundle_path(t->bundle.dir, PID_FILE, pid_file);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	r = work_folder(t, work, e);
	if (r == 0)
		r = criu_load(&c, e);
	if (r < 0)
		return r;
	reaper_hold(task_config(t)->reaper);
	r = runtime_restore(
		&t->runtime, &c, t->init.stdio, pid_file, restored, t, e);
	if (r < 0)
		reaper_release(task_config(t)->reaper);
	else
		t->runtime_ran = true;
	return r;
}

int restore_start(struct proc *p, struct err *e)
{
	struct task *t = p->task;
	int r;

	if (t->restore_failed)
		return err_set(e, -EBUSY,
			"restoring '%s' has failed: delete it, and create it "
			"anew",
			t->id);
	r = run(t, e);
	if (r < 0) {
		err_prefix(e, "restore '%s'", t->id);
		drop_work_folder(t);
	}
	return r;
}
