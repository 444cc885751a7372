/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/samples.h"
#include "bench/world.h"
#include "client/fifo.h"
#include "client/log.h"
#include "ctl/release.h"
#include "ctl/spec/spec.h"
#include "platform/file.h"

#define SIGNAL_KILL 9
#define STEP_TIMEOUT_MS 20000

static void on_log(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

static void on_lost(void *arg)
{
	struct bench_box *b = arg;

	b->lost = true;
}

static int write_config(
	struct bench_box *b, const char *const *argv, struct err *e)
{
	char path[160], *config;
	struct ctl_spec s = {.id = b->id,
		.rootfs = b->world->rootfs,
		.cgroup = b->cgroup,
		.args = argv};
	int r;

	snprintf(path, sizeof(path), "%s/config.json", b->bundle);
	r = ctl_spec_make(&s, &config);
	if (r < 0)
		return err_sys(e, r, "config.json");
	r = file_write(path, config, strlen(config));
	free(config);
	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

static int make_fifos(struct bench_box *b, struct err *e)
{
	int r;

	snprintf(b->stdin_path, sizeof(b->stdin_path), "%s/%s.in",
		b->world->dir, b->id);
	snprintf(b->stdout_path, sizeof(b->stdout_path), "%s/%s.out",
		b->world->dir, b->id);
	snprintf(b->stderr_path, sizeof(b->stderr_path), "%s/%s.err",
		b->world->dir, b->id);
	r = client_fifo_make(b->stdin_path, e);
	if (r == 0)
		r = client_fifo_make(b->stdout_path, e);
	return r < 0 ? r : client_fifo_make(b->stderr_path, e);
}

static void fill_container(struct bench_box *b, const char *shim)
{
	struct bench_world *w = b->world;

	b->record.container = (struct client_container){.ns = BENCH_NAMESPACE,
		.id = b->id,
		.bundle = b->bundle,
		.shim = shim,
		.events = w->events_path,
		.runtime = w->runtime,
		.runtime_root = w->runtime_root};
}

int bench_box_new(struct bench_world *w, const char *shim,
	const char *const *argv, bool piped, struct bench_box **ret,
	struct err *e)
{
	struct bench_box *b;
	char log[160];
	int r = 0;

	if (w->stopped)
		return err_set(e, -EINTR, "interrupted");
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_sys(e, -ENOMEM, "container");
	b->world = w;
	list_add_tail(&w->boxes, &b->link);
	snprintf(b->id, sizeof(b->id), "%s-%u", strrchr(w->dir, '-') + 1,
		w->n_ids++);
	snprintf(b->bundle, sizeof(b->bundle), "%s/b/%s", w->dir, b->id);
	snprintf(log, sizeof(log), "%s/log", b->bundle);
	snprintf(b->cgroup, sizeof(b->cgroup), "/wisp-%s", b->id);
	b->record.cgroup = b->cgroup;
	fill_container(b, shim);
	if (mkdir(b->bundle, 0700) < 0)
		r = err_sys(e, -errno, "make '%s'", b->bundle);
	if (r == 0)
		r = write_config(b, argv, e);
	if (r == 0 && piped)
		r = make_fifos(b, e);
	if (r == 0)
		r = client_log_new(w->base, log, on_log, NULL, &b->log, e);
	if (r < 0)
		bench_box_free(b);
	else
		*ret = b;
	return r;
}

/* A shim that has not said where it listens is looked for. */
static void release_shim(struct bench_box *b)
{
	struct client_shim *shim = b->shim;
	struct err e = {0};

	if (!shim)
		return;
	if (!client_shim_is_connected(shim)) {
		client_shim_free(shim);
		shim = NULL;
	}
	if (!b->left && ctl_release(b->world->client, &b->record, shim, &e) < 0)
		fprintf(stderr, "wisp-bench: %s\n", e.msg);
}

void bench_box_free(struct bench_box *b)
{
	if (!b)
		return;
	bench_world_forget_stop(b->world);
	client_task_free(b->task);
	b->task = NULL; /* events may still come */
	release_shim(b);
	client_log_free(b->log);
	ctl_remove_tree(b->bundle, NULL);
	if (b->stdin_path[0]) {
		unlink(b->stdin_path);
		unlink(b->stdout_path);
		unlink(b->stderr_path);
	}
	list_del(&b->link);
	free(b);
}

/* Ends a step: how long it took, or what failed. */
static int step_end(const struct bench_box *b, const char *what, double begun,
	double *ms, int r, struct err *e)
{
	*ms = bench_now_ms() - begun;
	if (r < 0)
		err_prefix(e, "%s: %s", b->record.container.shim, what);
	return r;
}

static struct client_await *await_new(struct bench_box *b)
{
	return client_await_new(b->world->client, STEP_TIMEOUT_MS);
}

int bench_box_start_shim(struct bench_box *b, double *ms, struct err *e)
{
	struct client_await *aw = await_new(b);
	struct client_shim_info info = {0};
	double begun = bench_now_ms();
	int r;

	r = client_shim_start(b->world->client, &b->record.container,
		client_await_done, aw, &b->shim, e);
	r = client_await(aw, r, e);
	if (step_end(b, "start of the shim", begun, ms, r, e) < 0)
		return r;
	client_shim_on_lost(b->shim, on_lost, b);
	snprintf(b->record.address, sizeof(b->record.address), "%s",
		client_shim_address(b->shim));
	b->record.version = client_shim_version(b->shim);
	aw = await_new(b);
	client_await(aw,
		client_shim_ask_info(
			b->shim, b->id, &info, client_await_done, aw),
		e);
	client_shim_forget_calls(b->shim);
	b->shim_pid = info.shim_pid;
	b->task = client_task_new(b->shim, &b->record.container);
	return b->task ? 0 : err_sys(e, -ENOMEM, "task");
}

int bench_box_create(struct bench_box *b, double *ms, struct err *e)
{
	struct client_await *aw = await_new(b);
	struct client_stdio io = {0};
	double begun = bench_now_ms();
	int r;

	if (b->stdin_path[0]) {
		io.in = b->stdin_path;
		io.out = b->stdout_path;
		io.err = b->stderr_path;
	}
	r = client_await(
		aw, client_task_create(b->task, &io, client_await_done, aw), e);
	b->record.creating = r == -EINTR;
	return step_end(b, "create", begun, ms, r, e);
}

int bench_box_start(struct bench_box *b, double *ms, struct err *e)
{
	struct client_process *init = client_task_init(b->task);
	struct client_await *aw = await_new(b);
	double begun = bench_now_ms();
	int r;

	r = client_await(
		aw, client_process_start(init, client_await_done, aw), e);
	return step_end(b, "start", begun, ms, r, e);
}

int bench_box_state(struct bench_box *b, double *ms, struct err *e)
{
	struct client_process *init = client_task_init(b->task);
	struct client_await *aw = await_new(b);
	double begun = bench_now_ms();
	int r;

	r = client_await(
		aw, client_process_refresh(init, client_await_done, aw), e);
	return step_end(b, "state", begun, ms, r, e);
}

int bench_box_exec(struct bench_box *b, double *ms, struct err *e)
{
	static int (*const steps[])(struct client_process * p, client_cb cb,
		void *arg) = {client_process_start, client_process_wait,
		client_process_delete};
	static const char *const argv[] = {"/bin/true", NULL};
	struct ctl_spec s = {.args = argv};
	struct client_stdio io = {0};
	struct client_await *aw;
	struct client_process *p;
	double begun = bench_now_ms();
	char *spec, id[32];
	size_t i;
	int r = ctl_spec_make_process(&s, &spec);

	if (r < 0)
		return err_sys(e, r, "process");
	snprintf(id, sizeof(id), "e%u", b->world->n_ids++);
	aw = await_new(b);
	r = client_task_exec(b->task, id, spec, &io, client_await_done, aw, &p);
	free(spec);
	r = client_await(aw, r, e);
	for (i = 0; r == 0 && i < 3; i++) {
		aw = await_new(b);
		r = client_await(aw, steps[i](p, client_await_done, aw), e);
	}
	if (r == 0)
		client_process_free(p);
	return step_end(b, "exec", begun, ms, r, e);
}

int bench_box_kill(struct bench_box *b, double *ms, struct err *e)
{
	struct client_process *init = client_task_init(b->task);
	double begun = bench_now_ms();
	int r;

	r = client_process_kill(init, SIGNAL_KILL, false, NULL, NULL);
	if (r < 0)
		return err_sys(e, r, "kill");
	r = client_run_until(b->world->client, &b->exited, STEP_TIMEOUT_MS);
	*ms = b->exited_at_ms - begun;
	return r < 0 ? err_sys(e, r, "no exit event came") : 0;
}

int bench_box_delete(struct bench_box *b, double *ms, struct err *e)
{
	struct client_process *init = client_task_init(b->task);
	struct client_await *aw = await_new(b);
	double begun = bench_now_ms();
	int r;

	r = client_await(
		aw, client_process_delete(init, client_await_done, aw), e);
	return step_end(b, "delete", begun, ms, r, e);
}

int bench_box_leave(struct bench_box *b, struct err *e)
{
	struct client_await *aw = await_new(b);
	int r;

	r = client_await(aw,
		client_shim_shutdown(b->shim, b->id, client_await_done, aw), e);
	if (r == 0)
		r = client_run_until(
			b->world->client, &b->lost, STEP_TIMEOUT_MS);
	b->left = r == 0;
	return r < 0 ? err_sys(e, r, "the shim does not leave") : 0;
}
