/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "io/stdio.h"
#include "platform/file.h"
#include "reaper/reaper.h"
#include "shim/criu.h"
#include "shim/log.h"
#include "shim/task.h"

#define RESTORE_LOG "restore.log"

struct restoring {
	struct task *task;
	struct criu_work work;
};

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
	struct failure *f = malloc(sizeof(*f));
	struct err own;

	t->restore_failed = true;
	proc_disown(&t->init);
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
	struct restoring *rs = arg;
	struct task *t = rs->task;
	struct err own;

	if (r < 0) {
		own = *e;
		criu_explain(&rs->work, RESTORE_LOG, t->bundle.dir, &own);
	} else {
		r = proc_adopt(&t->init, BUNDLE_PID, &own);
	}
	reaper_release(task_config(t)->reaper);
	criu_work_remove(&rs->work);
	free(rs);
	if (r < 0) {
		failed(t, &own);
		return;
	}
	task_arm_cgroup(t);
	task_started(t, 0, NULL);
}

static int run(struct restoring *rs, struct err *e)
{
	struct task *t = rs->task;
	char pid_file[BUNDLE_PATH_MAX];
	struct criu c = {.image = t->checkpoint, .work = rs->work.dir};
	int r = criu_work_make(
		&rs->work, t->bundle.dir, t->options.criu_work, e);

	if (r == 0)
		r = criu_load(&c, e);
	if (r < 0)
		return r;
	r = bundle_path(t->bundle.dir, BUNDLE_PID, pid_file);
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", t->bundle.dir);
	reaper_hold(task_config(t)->reaper);
	r = runtime_restore(
		&t->runtime, &c, t->init.stdio, pid_file, restored, rs, e);
	if (r < 0)
		reaper_release(task_config(t)->reaper);
	else
		t->runtime_ran = true;
	return r;
}

int restore_start(struct proc *p, struct err *e)
{
	struct task *t = p->task;
	struct restoring *rs;
	int r;

	if (t->restore_failed)
		return err_set(e, -EBUSY,
			"restoring '%s' has failed: delete it, and create it "
			"anew",
			t->id);
	rs = calloc(1, sizeof(*rs));
	if (!rs)
		return err_set(e, -ENOMEM, "no memory to restore '%s'", t->id);
	rs->task = t;
	r = run(rs, e);
	if (r < 0) {
		err_prefix(e, "restore '%s'", t->id);
		criu_work_remove(&rs->work);
		free(rs);
	}
	return r;
}
