/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "bench/measure.h"
#include "bench/proc.h"

#define SETTLE_MS 3000 /* a garbage collector may still be at work */
#define TICK_MS 1000

static const char *const sleeper[] = {"/bin/sleep", "1000", NULL};

struct idle {
	unsigned n;
	struct bench_box *boxes[BENCH_SHIMS * BENCH_IDLE_MAX]; /* in turn */
	double before[BENCH_SHIMS * BENCH_IDLE_MAX];
};

static int idle_begin(struct bench_world *w, struct idle *d, unsigned at,
	const char *shim, struct err *e)
{
	struct bench_box *b;
	double ms;
	int r = bench_box_new(w, shim, sleeper, false, &b, e);

	if (r < 0)
		return r;
	d->boxes[at] = b;
	r = bench_box_start_shim(b, &ms, e);
	if (r == 0)
		r = bench_box_create(b, &ms, e);
	return r < 0 ? r : bench_box_start(b, &ms, e);
}

static int idle_begin_all(struct bench_world *w, struct idle *d,
	const struct bench_results *x, struct err *e)
{
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < d->n; i++) {
		bench_progress("idle shims", i, d->n);
		r = idle_begin(w, d, i, x->shims[i % x->n_shims].path, e);
	}
	return r;
}

/* Bounded sleep, in which the loop answers whoever asks (nobody should). */
static int sleep_ms(struct bench_world *w, unsigned ms)
{
	bool never = false;
	int r = ms ? client_run_until(w->client, &never, ms) : 0;

	return r == -EINTR ? r : 0;
}

static int sleep_long(struct bench_world *w, unsigned s, struct err *e)
{
	unsigned i;

	for (i = 0; i < s; i++) {
		bench_progress("doing nothing", i, s);
		if (sleep_ms(w, TICK_MS) == -EINTR)
			return err_set(e, -EINTR, "interrupted");
	}
	return 0;
}

static int idle_measure(struct bench_world *w, struct idle *d,
	const struct bench_options *o, struct bench_results *x, struct err *e)
{
	struct bench_memory m;
	unsigned i;
	int r;

	if (sleep_ms(w, SETTLE_MS) == -EINTR)
		return err_set(e, -EINTR, "interrupted");
	for (i = 0; i < d->n; i++)
		d->before[i] = bench_proc_wakeups(d->boxes[i]->shim_pid);
	r = sleep_long(w, o->idle_s, e);
	for (i = 0; r == 0 && i < d->n; i++) {
		struct bench_shim *s = &x->shims[i % x->n_shims];
		uint32_t pid = d->boxes[i]->shim_pid;

		if (d->boxes[i]->lost || bench_proc_memory(pid, &m) < 0)
			return err_set(e, -ESRCH,
				"%s: has died while it had nothing to do",
				s->path);
		bench_samples_add(
			&s->wakeups, bench_proc_wakeups(pid) - d->before[i]);
		bench_samples_add(&s->threads, bench_proc_threads(pid));
		bench_samples_add(&s->rss_kib, m.rss_kib);
		bench_samples_add(&s->pss_kib, m.pss_kib);
		bench_samples_add(&s->private_kib, m.private_kib);
	}
	return r;
}

int bench_measure_idle(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e)
{
	struct idle d = {.n = o->idle_shims * x->n_shims};
	unsigned i;
	int r;

	if (!d.n)
		return 0;
	r = idle_begin_all(w, &d, x, e);
	if (r == 0)
		r = idle_measure(w, &d, o, x, e);
	for (i = 0; i < d.n; i++) {
		bench_progress("cleaning up", i, d.n);
		bench_box_free(d.boxes[i]);
	}
	return r;
}
