/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "ctl/stress/stress_crew.h"
#include "ctl/stress/stress_system.h"

static int add_execs(struct stress_world *w, struct stress_set *set,
	struct stress_box *b, unsigned n)
{
	struct err e = {0};
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		struct stress_exec *x = NULL;

		r = stress_exec_new(b, STRESS_EXITS, i % 50, &x, &e);
		if (r == 0)
			set->actors[set->n++] = &x->actor;
		else
			stress_fault(w, "no exec can be made", "%s", e.msg);
	}
	return r;
}

static void check_execs(struct stress_world *w, struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_exec *x = (struct stress_exec *)set->actors[i];

		if (x->actor.failed)
			continue;
		if (x->exits != 1)
			stress_fault(w, "an exec's exit is not told once",
				"%u times", x->exits);
		if (x->status != x->expected)
			stress_fault(w, "wrong exit status of an exec",
				"%" PRIu32 " instead of %" PRIu32, x->status,
				x->expected);
	}
}

static void free_execs(struct stress_set *set)
{
	while (set->n > 0)
		stress_exec_free((struct stress_exec *)set->actors[--set->n]);
}

static int storm(struct stress_world *w, struct stress_box *own)
{
	struct stress_set set = {.n = 0};
	int r = add_execs(w, &set, w->anchor, w->o->at_once);

	if (r == 0 && !own->actor.failed)
		r = add_execs(w, &set, own, w->o->at_once);
	if (r == 0)
		r = stress_must(w, &set, stress_exec_add, "Exec fails");
	if (r == 0)
		r = stress_must(
			w, &set, stress_exec_start, "Start of an exec fails");
	if (r == 0)
		r = stress_wait(w, &set, stress_exec_has_exited, STRESS_EXIT_MS,
			"an exec's exit is not told");
	if (r == 0)
		r = stress_must(
			w, &set, stress_exec_delete, "Delete of an exec fails");
	if (r == 0)
		check_execs(w, &set);
	free_execs(&set);
	return r;
}

int stress_exec_storm(struct stress_world *w)
{
	struct stress_box_spec s = {.does = STRESS_SLEEPS};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, 0, 1);

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0)
		r = storm(w, stress_box_of(set.actors[0]));
	if (r == 0)
		r = stress_must(w, &set, stress_kill, "Kill fails");
	if (r == 0)
		r = stress_finish(w, &set, stress_killed);
	stress_free_boxes(&set);
	return r;
}

int stress_failing_execs(struct stress_world *w)
{
	struct stress_set set = {.n = 0};
	struct stress_exec *x;
	struct err e = {0};
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < w->o->at_once; i++) {
		r = stress_exec_new(w->anchor, STRESS_MISSING, 0, &x, &e);
		if (r == 0)
			set.actors[set.n++] = &x->actor;
	}
	if (r == 0)
		r = stress_must(w, &set, stress_exec_add, "Exec fails");
	if (r == 0)
		r = stress_each(w, &set, stress_exec_start);
	for (i = 0; r == 0 && i < set.n; i++)
		if (!set.actors[i]->failed && !set.actors[i]->err.code)
			stress_fault(w, "an exec of nothing starts", "%s",
				"in the anchor");
	if (r == 0)
		r = stress_must(w, &set, stress_exec_delete,
			"Delete of an exec that did not start fails");
	free_execs(&set);
	return r;
}
