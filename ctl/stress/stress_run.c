/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/stress/stress.h"

#define TICK_MS 50
#define EXIT_MS 10000
#define LEAVE_MS 10000

struct running {
	struct stress_world world;
	struct stress_look first, last;
	double begun;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int step(struct stress_world *w, struct stress_set *set,
	int (*begin)(struct stress_actor *a), const char *what, struct err *e)
{
	int r = stress_each(w, set, begin);

	if (r == -EINTR)
		return err_set(e, r, "interrupted");
	if (!set->actors[0]->err.code)
		return 0;
	*e = set->actors[0]->err;
	err_prefix(e, "%s: %s", w->result->shim, what);
	return e->code;
}

/* The container that keeps the shim. */
static int drop_anchor(struct stress_world *w, struct err *e)
{
	struct stress_box_spec s = {.does = STRESS_SLEEPS};
	struct stress_set set = {.n = 1};
	struct stress_box *b;
	int r;

	w->scenario = "start";
	r = stress_box_new(w, &s, &b, e);
	if (r < 0)
		return r;
	w->anchor = b;
	set.actors[0] = &b->actor;
	r = step(w, &set, stress_start_shim, "start of the shim", e);
	if (r == 0)
		r = step(w, &set, stress_create, "Create", e);
	if (r == 0)
		r = step(w, &set, stress_start, "Start", e);
	return r < 0 ? r : step(w, &set, stress_ask_shim, "Connect", e);
}

static bool is_more(const struct stress_look *l, const unsigned *before)
{
	size_t i;

	for (i = 0; i < STRESS_N_CLASSES; i++)
		if (l->count[i] > before[i])
			return true;
	return false;
}

static void look(struct stress_world *w, struct stress_look *l)
{
	struct stress_where where;
	size_t i;

	stress_look_clear(l);
	stress_world_where(w, &where);
	if (where.shim)
		stress_look_shim(l, &where);
	stress_look_host(l, &where);
	for (i = 0; i < w->leavings.items[STRESS_LEAVINGS].n; i++)
		stress_look_add(l, STRESS_LEAVINGS,
			w->leavings.items[STRESS_LEAVINGS].items[i]);
}

/* Looks when all has come to rest: as soon as there is no more than before, or
 * when time is over. */
static int settle(
	struct stress_world *w, const unsigned *before, struct stress_look *l)
{
	double end = now_s() + (double)w->o->settle_ms / 1000;
	bool never = false;

	do {
		if (client_run_until(w->client, &never, TICK_MS) == -EINTR)
			return -EINTR;
		look(w, l);
	} while (is_more(l, before) && now_s() < end);
	return 0;
}

static double share_done(const struct running *x)
{
	const struct stress_options *o = x->world.o;
	double by_rounds = 0, by_time = 0;

	if (o->rounds)
		by_rounds = (double)x->world.result->n_rounds / o->rounds;
	if (o->time_ms && x->begun > 0)
		by_time = (now_s() - x->begun) * 1000 / (double)o->time_ms;
	return by_rounds > by_time ? by_rounds : by_time;
}

static int run_scenarios(struct running *x)
{
	struct stress_world *w = &x->world;
	size_t i;
	int r = 0;

	stress_look_clear(&w->leavings);
	for (i = 0; r == 0 && i < w->o->n_scenarios; i++) {
		w->scenario = w->o->scenarios[i]->name;
		stress_progress(w, share_done(x), w->scenario);
		r = w->o->scenarios[i]->run(w);
		if (r != -EINTR && (w->anchor->lost || !w->anchor->shim)) {
			stress_fault(w, "the shim has died", "process %u",
				w->anchor->info.shim_pid);
			return -ENOTCONN;
		}
	}
	return r;
}

/* Once round: whatever is opened when it is first needed, is. What is on the
 * host is compared with what was there before it. */
static int warm_up(struct running *x)
{
	struct stress_look host = {0};
	unsigned i;
	int r;

	look(&x->world, &host);
	r = run_scenarios(x);
	if (r == 0)
		r = settle(&x->world, host.count, &x->first);
	stress_result_warm(x->world.result, &x->first);
	for (i = STRESS_PROCESSES; i < STRESS_LEAVINGS; i++) {
		stress_items_clear(&x->first.items[i]);
		x->first.items[i] = host.items[i];
		x->first.count[i] = host.count[i];
		host.items[i] = (struct stress_items){0};
	}
	stress_look_clear(&host);
	return r;
}

static bool is_over(const struct running *x)
{
	const struct stress_options *o = x->world.o;

	if (o->rounds && x->world.result->n_rounds >= o->rounds)
		return true;
	return o->time_ms && x->world.result->n_rounds > 0 &&
	       (now_s() - x->begun) * 1000 >= (double)o->time_ms;
}

static int run_rounds(struct running *x, struct err *e)
{
	struct stress_result *result = x->world.result;
	unsigned before[STRESS_N_CLASSES];
	int r = 0;

	memcpy(before, x->first.count, sizeof(before));
	while (r == 0 && !is_over(x)) {
		x->world.round++;
		r = run_scenarios(x);
		if (r == 0)
			r = settle(&x->world, before, &x->last);
		if (r < 0)
			break;
		memcpy(before, x->last.count, sizeof(before));
		if (stress_result_add_round(result, &x->last) < 0)
			return err_sys(e, -ENOMEM, "round");
	}
	return r;
}

/* The shim's own end. */
static int weigh_anchor(struct running *x)
{
	static const unsigned nothing[STRESS_N_CLASSES];
	struct stress_world *w = &x->world;
	struct stress_set set = {.actors = {&w->anchor->actor}, .n = 1};
	struct stress_look end = {0};
	int r;

	w->scenario = "end";
	w->anchor->own = true;
	r = stress_must(w, &set, stress_kill, "Kill fails");
	if (r == 0)
		r = stress_wait(w, &set, stress_has_exited, EXIT_MS,
			"its exit is not told");
	if (r == 0)
		r = stress_must(w, &set, stress_delete, "Delete fails");
	if (r == 0)
		r = stress_must(w, &set, stress_shutdown, "Shutdown fails");
	if (r == 0)
		r = stress_wait(w, &set, stress_is_lost, LEAVE_MS,
			"the shim does not leave");
	if (r < 0 || w->anchor->actor.failed)
		return r;
	stress_box_free(w->anchor);
	stress_look_clear(&w->leavings);
	r = settle(w, nothing, &end);
	if (r == 0)
		stress_result_judge_end(w->result, &end);
	stress_look_clear(&end);
	return r;
}

static int run_all(struct running *x, struct err *e)
{
	int r = drop_anchor(&x->world, e);

	if (r < 0)
		return r;
	r = warm_up(x);
	x->begun = now_s();
	if (r == 0) {
		look(&x->world, &x->last);
		r = run_rounds(x, e);
	}
	stress_progress_end();
	if (r == -ENOMEM)
		return r;
	x->world.result->seconds = now_s() - x->begun;
	stress_result_judge(x->world.result, &x->first, &x->last);
	if (r == 0)
		r = weigh_anchor(x);
	if (r == -EINTR)
		return err_set(e, r, "interrupted");
	return r == -ENOTCONN || r == 0 ? 0 : err_sys(e, r, "round");
}

int stress_run(const struct stress_options *o, const char *shim,
	struct stress_result *ret, struct err *e)
{
	struct running x = {.begun = 0};
	int r = stress_world_init(&x.world, o, shim, ret, e);

	if (r == 0)
		r = run_all(&x, e);
	ret->interrupted = r == -EINTR;
	stress_world_clear(&x.world);
	stress_look_clear(&x.first);
	stress_look_clear(&x.last);
	return r;
}
