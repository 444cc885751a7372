/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program.h"
#include "ctl/place.h"
#include "ctl/stress/stress_system.h"
#include "platform/file.h"

#define RELEASE_MS 5000
#define SIGNAL_KILL 9

static void on_log(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* All that share a shim name the anchor as their group. */
static int write_config(struct stress_box *b, const struct stress_box_spec *s,
	const char *group, struct err *e)
{
	char path[sizeof(b->bundle) + 16], *config;
	int r = stress_config(b, s, s->own ? NULL : group, &config, e);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/config.json", b->bundle);
	r = file_write(path, config, strlen(config));
	free(config);
	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

uint64_t stress_sum(uint64_t sum, const void *data, size_t n)
{
	const unsigned char *p = data, *end = p + n;

	while (p < end)
		sum = (sum ^ *p++) * 1099511628211ull; /* FNV-1a */
	return sum;
}

static void fill(struct stress_box *b, bool own)
{
	struct stress_world *w = b->actor.world;

	list_init(&b->execs);
	b->own = own;
	b->sinks[0] = b->sinks[1] =
		(struct stress_sink){.fd = -1, .sum = STRESS_SUM_BEGIN};
	snprintf(b->id, sizeof(b->id), "%s-%u", w->tag, w->n_ids++);
	snprintf(b->cgroup, sizeof(b->cgroup), "/wisp-%s", b->id);
	snprintf(b->bundle, sizeof(b->bundle), "%s/%s", w->bundles, b->id);
	b->record.cgroup = b->cgroup;
	b->record.container = (struct client_container){.ns = STRESS_NAMESPACE,
		.id = b->id,
		.bundle = b->bundle,
		.shim = w->result->shim,
		.events = w->events_path,
		.runtime = *w->runtime ? w->runtime : NULL,
		.runtime_root = *w->runtime ? w->runtime_root : NULL,
		.timeout_ms = STRESS_STEP_MS};
}

int stress_box_new(struct stress_world *w, const struct stress_box_spec *s,
	struct stress_box **ret, struct err *e)
{
	struct stress_box *b = calloc(1, sizeof(*b));
	char log[sizeof(b->bundle) + 64];
	int r;

	if (!b)
		return err_sys(e, -ENOMEM, "container");
	b->actor.world = w;
	fill(b, s->own);
	list_add_tail(&w->boxes, &b->link);
	w->result->containers++;
	stress_log_name(b, log, sizeof(log));
	r = file_make_folder(b->bundle);
	if (r < 0)
		err_sys(e, r, "make '%s'", b->bundle);
	if (r == 0)
		r = write_config(b, s, w->anchor ? w->anchor->id : b->id, e);
	if (r == 0 && s->piped)
		r = stress_sink_open(b, 0, e);
	if (r == 0 && s->piped)
		r = stress_sink_open(b, 1, e);
	if (r == 0)
		r = client_log_new(w->base, log, on_log, NULL, &b->log, e);
	if (r < 0)
		stress_box_free(b);
	else
		*ret = b;
	return r;
}

/* One step of releasing; its failure tells in the end. */
static int step(struct stress_box *b,
	int (*begin)(struct client_process *p, client_cb cb, void *arg),
	struct err *e)
{
	struct client *c = b->actor.world->client;
	struct client_await *aw = client_await_new(c, RELEASE_MS);

	return client_await(
		aw, begin(client_task_init(b->task), client_await_done, aw), e);
}

static int kill_all(struct client_process *p, client_cb cb, void *arg)
{
	return client_process_kill(p, SIGNAL_KILL, true, cb, arg);
}

/* The shim goes on with others' containers. True if this one is gone. */
static bool release_member(struct stress_box *b)
{
	struct err e = {0};
	int r;

	if (!b->shim || !client_shim_is_connected(b->shim)) {
		stress_disconnect(b);
		if (stress_reconnect(&b->actor) < 0)
			return false;
	}
	if (step(b, kill_all, &e) == 0)
		step(b, client_process_wait, &e);
	r = step(b, client_process_delete, &e);
	return r == 0 || r == -ENOENT;
}

static bool release(struct stress_box *b)
{
	struct client_shim *shim = b->shim;
	struct err e = {0};

	if (!b->own && b != b->actor.world->anchor)
		return !b->made || b->deleted || release_member(b);
	if (!shim || (b->lost && (b->deleted || !b->made)))
		return true;
	client_task_free(b->task);
	b->task = NULL;
	b->shim = NULL;
	if (!client_shim_is_connected(shim)) {
		client_shim_free(shim);
		shim = NULL;
	}
	return stress_release(b, shim, &e) == 0;
}

/* What a shim leaves in a bundle is the daemon's to remove; that it gets more
 * and more is not right. */
static void look_at_leavings(struct stress_box *b)
{
	struct stress_look l = {0};
	size_t i, n = strlen(b->bundle) + 1;

	stress_look_tree(&l, STRESS_LEAVINGS, b->bundle);
	for (i = 0; i < l.items[STRESS_LEAVINGS].n; i++)
		stress_look_add(&b->actor.world->leavings, STRESS_LEAVINGS,
			l.items[STRESS_LEAVINGS].items[i] + n);
	stress_look_clear(&l);
}

void stress_box_free(struct stress_box *b)
{
	struct stress_world *w;
	struct list *node;
	bool gone;
	int i;

	if (!b)
		return;
	w = b->actor.world;
	stress_world_forget_stop(w);
	while ((node = list_pop(&b->execs)))
		stress_exec_free(list_entry(node, struct stress_exec, link));
	stress_let_end(&b->actor);
	gone = release(b);
	stress_disconnect(b);
	client_program_drop(w->client, &b->deletion);
	client_log_free(b->log);
	for (i = 0; i < 2; i++)
		stress_sink_close(b, i);
	if (b->deleted && b != w->anchor)
		look_at_leavings(b);
	if (b == w->anchor)
		w->anchor = NULL;
	list_del(&b->link);
	if (gone) {
		ctl_remove_tree(b->bundle, NULL);
		free(b);
	} else {
		list_add_tail(&w->stuck, &b->link);
	}
}
