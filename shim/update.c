/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "platform/file.h"
#include "platform/json.h"
#include "shim/task.h"

/* The runtime reads it; there is one update at a time. */
#define FILE_NAME "update.json"

/* Updates are run one after the other: two runtimes that change one container
 * at once would leave what neither was asked for. */
struct update {
	struct update *next;
	task_done done;
	void *arg;
	size_t n;
	char resources[];
};

static int check_request(struct task *t, const UpdateRequest *rq, struct err *e)
{
	const Any *any = rq->resources;
	int r = proc_allows(&t->init, EV_UPDATE, e);
	char type[64];

	if (r < 0)
		return r;
	if (!any || any->value.len == 0)
		return err_set(e, -EINVAL, "no resources");
	snprintf(type, sizeof(type), "runtime-spec/1/%s", runtime_resources);
	if (!strstr(any->type_url, type))
		return err_set(e, -EINVAL, "resources of unknown type '%s'",
			any->type_url);
	r = json_check_object((const char *)any->value.data, any->value.len, e);
	if (r < 0)
		err_prefix(e, "resources");
	return r;
}

/* Takes the first one off the list. */
static void finish(struct task *t, int r, const struct err *e)
{
	struct update *u = t->updates;

	t->updates = u->next;
	u->done(r, e, u->arg);
	free(u);
	task_drop(t);
}

static void update_done(int r, const struct err *e, void *arg);

static int begin(struct task *t, const struct update *u, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r;

	if (t->dead)
		return err_set(e, -ESRCH, "container was deleted");
	r = proc_allows(&t->init, EV_UPDATE, e);
	if (r < 0)
		return r;
	r = bundle_path(t->bundle.dir, FILE_NAME, path);
	if (r == 0)
		r = file_write(path, u->resources, u->n);
	if (r < 0)
		return err_sys(e, r, "write '" FILE_NAME "'");
	r = runtime_update(&t->runtime, path, update_done, t, e);
	if (r < 0)
		bundle_remove(t->bundle.dir, FILE_NAME);
	return r;
}

/* Goes on until one is under way, or none is left. */
static void pump(struct task *t)
{
	struct err e;
	int r;

	while (t->updates) {
		r = begin(t, t->updates, &e);
		if (r == 0)
			return;
		finish(t, r, &e);
	}
}

static void update_done(int r, const struct err *e, void *arg)
{
	struct task *t = arg;

	task_hold(t);
	if (!t->dead)
		bundle_remove(t->bundle.dir, FILE_NAME);
	finish(t, r, e);
	pump(t);
	task_drop(t);
}

/* rq->annotations are for runtimes that look at them while a container runs;
 * neither runc nor crun does, and an update has no place for them. */
int task_update(struct task *t, const UpdateRequest *rq, task_done done,
	void *arg, struct err *e)
{
	struct update *u, **at;
	int r = check_request(t, rq, e);

	if (r < 0)
		return r;
	u = malloc(sizeof(*u) + rq->resources->value.len);
	if (!u)
		return err_set(e, -ENOMEM, "no memory for an update");
	u->next = NULL;
	u->done = done;
	u->arg = arg;
	u->n = rq->resources->value.len;
	memcpy(u->resources, rq->resources->value.data, u->n);
	task_hold(t);
	for (at = &t->updates; *at; at = &(*at)->next)
		;
	*at = u;
	if (t->updates == u)
		pump(t);
	return 0;
}
