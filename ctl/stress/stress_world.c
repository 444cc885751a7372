/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/find.h"
#include "ctl/place.h"
#include "ctl/say.h"
#include "ctl/stress/stress_system.h"
#include "platform/file.h"
#include "platform/tool.h"

static struct stress_box *find_box(struct stress_world *w, const char *id)
{
	struct list *node;

	for (node = w->boxes.next; node != &w->boxes; node = node->next) {
		struct stress_box *b =
			list_entry(node, struct stress_box, link);

		if (strcmp(b->id, id) == 0)
			return b;
	}
	return NULL;
}

static void exec_exited(struct stress_box *b, const struct client_event *ev)
{
	struct list *node;

	for (node = b->execs.next; node != &b->execs; node = node->next) {
		struct stress_exec *x =
			list_entry(node, struct stress_exec, link);

		if (strcmp(x->id, ev->exec_id) != 0)
			continue;
		x->exits++;
		x->status = ev->exit_status;
	}
}

static void on_event(const struct client_event *ev, void *arg)
{
	struct stress_world *w = arg;
	struct stress_box *b = find_box(w, ev->container_id);

	w->woken = true;
	if (!b)
		return;
	if (b->task)
		client_task_learn(b->task, ev);
	if (ev->type == CLIENT_EVENT_OOM)
		b->ooms++;
	if (ev->type == CLIENT_EVENT_EXIT && *ev->exec_id)
		exec_exited(b, ev);
	if (ev->type == CLIENT_EVENT_EXIT && !*ev->exec_id) {
		b->exits++;
		b->status = ev->exit_status;
	}
}

int stress_world_listen(struct stress_world *w, struct err *e)
{
	return client_events_new(
		w->base, w->events_path, on_event, w, &w->events, e);
}

void stress_world_deafen(struct stress_world *w)
{
	client_events_free(w->events);
	w->events = NULL;
}

/* The shim works in another folder: the path must be absolute. */
static int make_root(const char *given, char *ret, size_t n, struct err *e)
{
	const char *root = given ? given : stress_default_root();
	char real[FILE_PATH_MAX];
	int r = ctl_make_dirs(root, 0700);

	if (r == 0)
		r = file_real_folder(root, real);
	if (r < 0)
		return err_sys(e, r, "make '%s'", root);
	if (strlen(real) >= n)
		return err_set(e, -ENAMETOOLONG,
			"--root '%s' is too long for what is made in it", root);
	strcpy(ret, real);
	return 0;
}

static int make_folders(struct stress_world *w, struct err *e)
{
	char root[STRESS_DIR_MAX - sizeof("/stress-XXXXXX")];
	int r = make_root(w->o->root, root, stress_root_max, e);

	if (r < 0)
		return r;
	stress_sweep_all(root);
	snprintf(w->dir, sizeof(w->dir), "%s/stress-XXXXXX", root);
	r = tool_make_new_folder(w->dir);
	if (r < 0) {
		w->dir[0] = '\0';
		return err_sys(e, r, "make a folder in '%s'", root);
	}
	w->lock = tool_lock(w->dir);
	snprintf(w->tag, sizeof(w->tag), "stress-%s", strrchr(w->dir, '-') + 1);
	snprintf(w->bundles, sizeof(w->bundles), "%s/b", w->dir);
	snprintf(w->runtime_root, sizeof(w->runtime_root), "%s/r", w->dir);
	snprintf(w->runtime_state, sizeof(w->runtime_state),
		"%s/" STRESS_NAMESPACE, w->runtime_root);
	r = file_make_folder(w->bundles);
	if (r == 0)
		r = file_make_folder(w->runtime_root);
	return r < 0 ? err_sys(e, r, "make folders in '%s'", w->dir) : 0;
}

int stress_world_init(struct stress_world *w, const struct stress_options *o,
	const char *shim, struct stress_result *result, struct err *e)
{
	int r;

	*w = (struct stress_world){.o = o, .result = result, .lock = -1};
	list_init(&w->boxes);
	list_init(&w->stuck);
	r = ctl_find_shim(shim, result->shim, sizeof(result->shim), e);
	if (r < 0)
		return r;
	w->base = event_base_new();
	if (!w->base)
		return err_sys(e, -ENOMEM, "event loop");
	r = client_new(w->base, &w->client, e);
	if (r == 0)
		r = stress_catch_stop(w, e);
	if (r == 0)
		r = make_folders(w, e);
	if (r == 0)
		r = stress_system_begin(w, e);
	return r < 0 ? r : stress_world_listen(w, e);
}

void stress_world_forget_stop(struct stress_world *w)
{
	if (!w->stopped)
		event_base_loop(w->base, EVLOOP_NONBLOCK); /* one on its way? */
	if (!w->stopped)
		return;
	w->cleaning = true;
	client_interrupt(w->client, false);
}

/* No shim has let go of these: their own `delete`, then the runtime. */
static void release_stuck(struct stress_world *w)
{
	struct list *node;

	while ((node = list_pop(&w->stuck))) {
		struct stress_box *b =
			list_entry(node, struct stress_box, link);
		struct err e = {0};

		if (stress_release(b, NULL, &e) < 0)
			ctl_say("stress: %s", e.msg);
		ctl_remove_tree(b->bundle, NULL);
		free(b);
	}
}

static void remove_folders(struct stress_world *w)
{
	struct err e = {0};

	if (w->dir[0] && ctl_remove_tree(w->dir, &e) < 0)
		ctl_say("stress: %s", e.msg);
}

void stress_world_clear(struct stress_world *w)
{
	struct stress_where where;

	if (!w->base)
		return;
	if (w->client)
		stress_world_forget_stop(w);
	while (w->client && !list_empty(&w->boxes)) /* the anchor last */
		stress_box_free(
			list_entry(w->boxes.prev, struct stress_box, link));
	if (w->client)
		release_stuck(w);
	stress_world_deafen(w);
	if (w->dir[0]) {
		stress_world_where(w, &where);
		stress_sweep(&where);
	}
	stress_system_end(w);
	tool_unlock(w->lock);
	remove_folders(w);
	stress_forget_stop(w);
	client_free(w->client);
	event_base_free(w->base);
	stress_items_clear(&w->addresses);
	stress_look_clear(&w->leavings);
}

void stress_world_where(const struct stress_world *w, struct stress_where *ret)
{
	*ret = (struct stress_where){.tag = w->tag,
		.dir = w->dir,
		.runtime = w->runtime_state,
		.events = w->events_path,
		.addresses = &w->addresses};
	if (w->anchor) {
		ret->shim = w->anchor->info.shim_pid;
		ret->bundle = w->anchor->bundle;
	}
}

void stress_fault(
	struct stress_world *w, const char *what, const char *fmt, ...)
{
	struct stress_result *x = w->result;
	struct stress_fault *f = x->faults;
	va_list ap;

	while (f < x->faults + x->n_faults &&
		(strcmp(f->what, what) != 0 ||
			strcmp(f->scenario, w->scenario) != 0))
		f++;
	if (f == x->faults + STRESS_FAULTS_MAX)
		return;
	if (f == x->faults + x->n_faults) {
		x->n_faults++;
		f->scenario = w->scenario;
		f->what = what;
		f->round = w->round;
		va_start(ap, fmt);
		vsnprintf(f->example, sizeof(f->example), fmt, ap);
		va_end(ap);
	}
	f->count++;
}
