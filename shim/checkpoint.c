/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "platform/file.h"
#include "shim/criu.h"
#include "shim/events.h"
#include "shim/log.h"
#include "shim/task.h"

typedef Containerd__Runc__V1__CheckpointOptions CheckpointOptions;

#define DUMP_LOG "dump.log"

/* A checkpoint under way: the task may be gone when it is done. */
struct saving {
	struct task *task;
	task_done done;
	void *arg;
	struct criu_work work;
	char image[BUNDLE_PATH_MAX];
	char parent[BUNDLE_PATH_MAX]; /* "": none */
};

static int make_image(struct saving *s, const char *path, struct err *e)
{
	int r;

	if (!*path)
		return err_set(e, -EINVAL, "no path for the image");
	if (path[0] != '/')
		return err_set(e, -EINVAL, "path '%s' must be absolute", path);
	if (snprintf(s->image, BUNDLE_PATH_MAX, "%s", path) >= BUNDLE_PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "path is too long");
	r = file_make_folder(path);
	/* -ENOENT to a client would be the container */
	return r < 0 ? err_set(e, r == -ENOENT ? -EINVAL : r,
			       "make folder '%s': %s", path, strerror(-r))
		     : 0;
}

static int set_folders(struct saving *s, const CheckpointRequest *rq,
	const CheckpointOptions *o, struct criu *c, struct err *e)
{
	const char *image = *rq->path ? rq->path : o->image_path;
	const char *work =
		*o->work_path ? o->work_path : s->task->options.criu_work;
	int r = make_image(s, image, e);

	if (r == 0)
		r = criu_work_make(&s->work, s->task->bundle.dir, work, e);
	if (r == 0 && *o->parent_path)
		r = criu_relative(s->image, o->parent_path, s->parent,
			sizeof(s->parent), e);
	c->image = s->image;
	c->work = s->work.dir;
	c->parent = *s->parent ? s->parent : NULL;
	return r;
}

static int set_switches(
	const CheckpointOptions *o, struct criu *c, struct err *e)
{
	size_t i;
	int r;

	c->leave_running = !o->exit;
	c->open_tcp = o->open_tcp;
	c->external_unix_sockets = o->external_unix_sockets;
	c->file_locks = o->file_locks;
	c->terminal = o->terminal;
	r = criu_set_cgroups_mode(c, o->cgroups_mode, e);
	for (i = 0; i < o->n_empty_namespaces && r == 0; i++)
		r = criu_set_empty(c, o->empty_namespaces[i], e);
	return r;
}

/* NULL if they are no such options. */
static CheckpointOptions *unpack(const Any *any, struct err *e)
{
	static const Any none = GOOGLE__PROTOBUF__ANY__INIT;
	CheckpointOptions *o;

	if (!any || !any->type_url || !*any->type_url)
		any = &none;
	else if (!any_is(any, "containerd.runc.v1.CheckpointOptions")) {
		err_set(e, -EINVAL,
			"checkpoint options of unknown type '%s': known is "
			"containerd.runc.v1.CheckpointOptions",
			any->type_url);
		return NULL;
	}
	o = containerd__runc__v1__checkpoint_options__unpack(
		NULL, any->value.len, any->value.data);
	if (!o)
		err_set(e, -EINVAL, "options are no valid %s", any->type_url);
	return o;
}

static void saved(int r, const struct err *e, void *arg)
{
	struct saving *s = arg;
	struct task *t = s->task;
	struct err own;

	if (r < 0) {
		own = *e;
		if (!t->dead) {
			criu_explain(&s->work, DUMP_LOG, t->bundle.dir, &own);
			log_warn(t->id, "%s", own.msg);
		}
		e = &own;
	}
	criu_work_remove(&s->work);
	if (!t->dead) {
		proc_set(&t->init, EV_CHECKPOINTED, NULL);
		if (r == 0)
			events_checkpointed(t, s->image);
	}
	s->done(r, e, s->arg);
	if (!t->dead)
		task_settle(t);
	task_drop(t);
	free(s);
}

static int begin(struct saving *s, const CheckpointRequest *rq, struct err *e)
{
	struct task *t = s->task;
	CheckpointOptions *o = unpack(rq->options, e);
	struct criu c = {0};
	int r;

	if (!o)
		return -EINVAL;
	r = set_switches(o, &c, e);
	if (r == 0)
		r = set_folders(s, rq, o, &c, e);
	if (r == 0)
		r = criu_save(&c, e);
	if (r == 0)
		r = runtime_checkpoint(&t->runtime, &c, saved, s, e);
	if (r < 0)
		criu_work_remove(&s->work);
	containerd__runc__v1__checkpoint_options__free_unpacked(o, NULL);
	return r;
}

int task_checkpoint(struct task *t, const CheckpointRequest *rq, task_done done,
	void *arg, struct err *e)
{
	struct saving *s;
	int r = proc_allows(&t->init, EV_CHECKPOINT, e);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "no memory for a checkpoint");
	s->task = t;
	s->done = done;
	s->arg = arg;
	r = begin(s, rq, e);
	if (r != 0) {
		err_prefix(e, "checkpoint '%s'", t->id);
		free(s);
		return r;
	}
	proc_set(&t->init, EV_CHECKPOINT, NULL);
	task_hold(t);
	return 0;
}
