/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "bench/measure.h"
#include "platform/file.h"

#define GONE_TIMEOUT_MS 5000

/* What a round's shims are compared with. */
struct base {
	double program_ms, bare_ms;
};

static const char *const sleeper[] = {"/bin/sleep", "1000", NULL};

static int measure_execs(struct bench_box *b, struct bench_shim *s,
	const struct bench_options *o, struct err *e)
{
	double ms;
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < o->states; i++) {
		r = bench_box_state(b, &ms, e);
		if (r == 0)
			bench_samples_add(&s->state_us, ms * 1e3);
	}
	for (i = 0; r == 0 && i < o->execs; i++) {
		r = bench_box_exec(b, &ms, e);
		if (r == 0)
			bench_samples_add(&s->exec, ms);
	}
	return r;
}

/* How long each step of one life took. */
struct life {
	double start, create, task_start, kill, delete;
};

static int live(struct bench_box *b, struct bench_shim *s,
	const struct bench_options *o, struct life *t, struct err *e)
{
	int r = bench_box_start_shim(b, &t->start, e);

	if (r == 0)
		r = bench_box_create(b, &t->create, e);
	if (r == 0)
		r = bench_box_start(b, &t->task_start, e);
	if (r == 0)
		r = measure_execs(b, s, o, e);
	if (r == 0)
		r = bench_box_kill(b, &t->kill, e);
	if (r == 0)
		r = bench_box_delete(b, &t->delete, e);
	return r < 0 ? r : bench_box_leave(b, e);
}

static void life_add(
	struct bench_shim *s, const struct life *t, const struct base *base)
{
	double sum = t->create + t->task_start + t->delete;

	bench_samples_add(&s->start, t->start);
	bench_samples_add(&s->create, t->create);
	bench_samples_add(&s->task_start, t->task_start);
	bench_samples_add(&s->kill, t->kill);
	bench_samples_add(&s->delete, t->delete);
	bench_samples_add(&s->sum, sum);
	bench_samples_add(&s->start_over_program, t->start - base->program_ms);
	bench_samples_add(&s->sum_over_bare, sum - base->bare_ms);
}

static int measure_shim(struct bench_world *w, struct bench_shim *s,
	const struct bench_options *o, const struct base *base, struct err *e)
{
	struct life t = {0};
	struct bench_box *b;
	int r = bench_box_new(w, s->path, sleeper, false, &b, e);

	if (r < 0)
		return r;
	r = live(b, s, o, &t, e);
	if (r == 0)
		life_add(s, &t, base);
	bench_box_free(b);
	return r;
}

/* Its parent is gone, so it becomes our child and is reaped by the loop. */
static int wait_gone(struct bench_world *w, int64_t pid)
{
	double begun = bench_now_ms();
	bool never = false;

	while (kill((pid_t)pid, 0) == 0) {
		if (client_run_until(w->client, &never, 1) == -EINTR)
			return -EINTR;
		if (bench_now_ms() - begun > GONE_TIMEOUT_MS)
			return -ETIMEDOUT;
	}
	return 0;
}

static int run_bare(
	struct bench_world *w, struct bench_box *b, double *ms, struct err *e)
{
	char pid_file[160];
	const char *create[] = {w->runtime, "--root", w->runtime_root, "create",
		"--bundle", b->bundle, "--pid-file", pid_file, b->id, NULL};
	const char *start[] = {
		w->runtime, "--root", w->runtime_root, "start", b->id, NULL};
	const char *delete[] = {
		w->runtime, "--root", w->runtime_root, "delete", b->id, NULL};
	double create_ms = 0, start_ms = 0, delete_ms = 0;
	int64_t pid;
	int r;

	snprintf(pid_file, sizeof(pid_file), "%s/pid", b->bundle);
	r = bench_run_program(w, create, true, &create_ms, e);
	if (r == 0)
		r = bench_run_program(w, start, true, &start_ms, e);
	if (r < 0)
		return r;
	r = file_read_pid(pid_file, &pid);
	if (r < 0)
		return err_sys(e, r, "read '%s'", pid_file);
	kill((pid_t)pid, SIGKILL);
	r = wait_gone(w, pid);
	if (r < 0)
		return err_sys(e, r, "the bare runtime's container");
	r = bench_run_program(w, delete, true, &delete_ms, e);
	if (r < 0)
		return r;
	*ms = create_ms + start_ms + delete_ms;
	return 0;
}

/* However far it came, nothing of it stays. */
static void undo_bare(struct bench_world *w, const struct bench_box *b)
{
	const char *argv[] = {w->runtime, "--root", w->runtime_root, "delete",
		"--force", b->id, NULL};
	struct err ignored;
	double ms;

	bench_world_forget_stop(w);
	bench_run_program(w, argv, true, &ms, &ignored);
}

static int measure_bare(struct bench_world *w, double *ms, struct err *e)
{
	struct bench_box *b;
	int r = bench_box_new(w, "", sleeper, false, &b, e);

	if (r < 0)
		return r;
	r = run_bare(w, b, ms, e);
	if (r < 0) {
		undo_bare(w, b);
		err_prefix(e, "bare runtime");
	}
	bench_box_free(b);
	return r;
}

static int measure_base(struct bench_world *w, struct bench_results *x,
	struct base *ret, struct err *e)
{
	static const char *const argv[] = {"/bin/true", NULL};
	int r = bench_run_program(w, argv, false, &ret->program_ms, e);

	if (r == 0)
		r = measure_bare(w, &ret->bare_ms, e);
	if (r < 0)
		return r;
	bench_samples_add(&x->program, ret->program_ms);
	bench_samples_add(&x->bare, ret->bare_ms);
	return 0;
}

/* The shims take turns in being the first, who finds warmer or colder caches.
 */
int bench_measure_latency(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e)
{
	struct base base = {0};
	unsigned i, n;
	int r = 0;

	for (i = 0; r == 0 && i < o->rounds; i++) {
		bench_progress("life and death", i, o->rounds);
		r = measure_base(w, x, &base, e);
		for (n = 0; r == 0 && n < x->n_shims; n++)
			r = measure_shim(w, &x->shims[(i + n) % x->n_shims], o,
				&base, e);
	}
	return r;
}
