/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/world.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "bench/samples.h"
#include "client/log.h"
#include "client/program.h"
#include "ctl/find.h"
#include "ctl/place.h"
#include "ctl/rootfs.h"

#define PROGRAM_TIMEOUT_MS 20000

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct bench_world *w = arg;

	(void)sig;
	(void)what;
	w->stopped = true;
	if (!w->cleaning)
		client_interrupt(w->client, true);
}

static void on_event(const struct client_event *ev, void *arg)
{
	struct bench_world *w = arg;
	struct list *node;

	for (node = w->boxes.next; node != &w->boxes; node = node->next) {
		struct bench_box *b = list_entry(node, struct bench_box, link);

		if (strcmp(ev->container_id, b->id) != 0)
			continue;
		if (b->task)
			client_task_learn(b->task, ev);
		if (ev->type == CLIENT_EVENT_EXIT && !*ev->exec_id) {
			b->exited = true;
			b->exited_at_ms = bench_now_ms();
		}
	}
}

static int make_folder(struct bench_world *w, struct err *e)
{
	char path[128];

	snprintf(w->dir, sizeof(w->dir), "/run/wisp-bench-XXXXXX");
	if (!mkdtemp(w->dir)) {
		w->dir[0] = '\0';
		return err_sys(e, -errno, "make a folder in /run");
	}
	snprintf(path, sizeof(path), "%s/b", w->dir);
	snprintf(w->runtime_root, sizeof(w->runtime_root), "%s/r", w->dir);
	if (mkdir(path, 0700) < 0 || mkdir(w->runtime_root, 0700) < 0)
		return err_sys(e, -errno, "make '%s'", path);
	return ctl_rootfs_choose(w->dir, strrchr(w->dir, '-') + 1, w->rootfs,
		sizeof(w->rootfs), e);
}

static int catch_stop(struct bench_world *w, struct err *e)
{
	static const int caught[2] = {SIGINT, SIGTERM};
	int i;

	for (i = 0; i < 2; i++) {
		w->stop[i] = evsignal_new(w->base, caught[i], on_stop, w);
		if (!w->stop[i] || event_add(w->stop[i], NULL) < 0)
			return err_sys(e, -ENOMEM, "catch signals");
	}
	return 0;
}

int bench_world_init(struct bench_world *w, const char *runtime, struct err *e)
{
	int r;

	*w = (struct bench_world){0};
	list_init(&w->boxes);
	w->base = event_base_new();
	if (!w->base)
		return err_sys(e, -ENOMEM, "event loop");
	/* what a bare runtime starts becomes our child, to be reaped here */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = client_new(w->base, &w->client, e);
	if (r == 0)
		r = ctl_find_runtime(
			runtime, w->runtime, sizeof(w->runtime), e);
	if (r == 0)
		r = catch_stop(w, e);
	if (r == 0)
		r = make_folder(w, e);
	if (r == 0)
		r = ctl_rootfs_make(w->client, w->rootfs, e);
	if (r < 0)
		return r;
	snprintf(w->events_path, sizeof(w->events_path), "%s/events", w->dir);
	return client_events_new(
		w->base, w->events_path, on_event, w, &w->events, e);
}

void bench_world_forget_stop(struct bench_world *w)
{
	if (!w->stopped)
		event_base_loop(w->base, EVLOOP_NONBLOCK); /* one on its way? */
	if (!w->stopped)
		return;
	w->cleaning = true;
	client_interrupt(w->client, false);
}

void bench_world_clear(struct bench_world *w)
{
	struct err e = {0};
	struct list *node;
	int i;

	if (!w->base)
		return;
	if (w->client)
		bench_world_forget_stop(w);
	while ((node = list_pop(&w->boxes)))
		bench_box_free(list_entry(node, struct bench_box, link));
	client_events_free(w->events);
	for (i = 0; i < 2; i++)
		if (w->stop[i])
			event_free(w->stop[i]);
	if ((w->rootfs[0] && ctl_remove_tree(w->rootfs, &e) < 0) ||
		(w->dir[0] && ctl_remove_tree(w->dir, &e) < 0))
		fprintf(stderr, "wisp-bench: %s\n", e.msg);
	client_free(w->client);
	event_base_free(w->base);
}

struct running {
	bool done;
	struct err err;
	uint32_t status;
};

static void on_program(const struct client_program_result *r, void *arg)
{
	struct running *x = arg;

	x->err = r->err;
	x->status = r->status;
	if (r->status && !x->err.code)
		err_set(&x->err, -EREMOTEIO, "exit status %u: %s", r->status,
			r->err_out);
	x->done = true;
}

/* A runtime that is killed half way would leave what nobody knows of. */
static int run_to_end(struct bench_world *w, struct running *x)
{
	int r = client_run_until(w->client, &x->done, 0);

	if (r != -EINTR)
		return r;
	do {
		client_interrupt(w->client, false);
	} while (client_run_until(w->client, &x->done, 0) == -EINTR);
	client_interrupt(w->client, true);
	return r;
}

int bench_run_program(struct bench_world *w, const char *const *argv,
	bool discard, double *ms, struct err *e)
{
	struct client_program_spec spec = {.argv = argv,
		.discard = discard,
		.timeout_ms = PROGRAM_TIMEOUT_MS};
	struct running x = {0};
	double begun = bench_now_ms();
	int r;

	r = client_program_run(w->client, &spec, on_program, &x, e);
	if (r < 0)
		return r;
	r = run_to_end(w, &x);
	client_program_drop(w->client, &x);
	if (r < 0)
		return err_sys(e, r, "'%s'", argv[0]);
	*ms = bench_now_ms() - begun;
	if (x.err.code) {
		*e = x.err;
		err_prefix(e, "'%s'", argv[0]);
	}
	return x.err.code;
}
