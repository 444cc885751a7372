/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress_crew.h"

#include <inttypes.h>

struct stress_box *stress_box_of(struct stress_actor *a)
{
	return (struct stress_box *)a;
}

/* Some in the shim that lives on, and fewer with a shim of their own. */
int stress_make(struct stress_world *w, struct stress_set *set,
	struct stress_box_spec *s, unsigned shared, unsigned own)
{
	struct err e = {0};
	unsigned i;
	int r;

	for (i = 0; i < shared + own; i++) {
		struct stress_box *b = NULL;

		s->own = i >= shared;
		r = stress_box_new(w, s, &b, &e);
		if (r < 0) {
			stress_fault(
				w, "no container can be made", "%s", e.msg);
			return r;
		}
		set->actors[set->n++] = &b->actor;
	}
	return 0;
}

unsigned stress_few(const struct stress_world *w)
{
	return 1 + w->o->at_once / 4;
}

void stress_free_boxes(struct stress_set *set)
{
	while (set->n > 0)
		stress_box_free(stress_box_of(set->actors[--set->n]));
}

int stress_start_shims(struct stress_world *w, struct stress_set *set)
{
	return stress_must(
		w, set, stress_start_shim, "the shim does not start");
}

int stress_launch(struct stress_world *w, struct stress_set *set)
{
	int r = stress_start_shims(w, set);

	if (r == 0)
		r = stress_must(w, set, stress_create, "Create fails");
	return r < 0 ? r : stress_must(w, set, stress_start, "Start fails");
}

int stress_dismiss(struct stress_world *w, struct stress_set *set)
{
	int r = stress_must(w, set, stress_shutdown, "Shutdown fails");

	return r < 0 ? r
		     : stress_wait(w, set, stress_is_lost, STRESS_LEAVE_MS,
			       "the shim does not leave");
}

static int remove_all(struct stress_world *w, struct stress_set *set)
{
	size_t i;
	int r = stress_must(w, set, stress_delete, "Delete fails");

	for (i = 0; r == 0 && i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (!b->actor.failed && b->exits != 1)
			stress_fault(w, "an exit is not told once", "%u times",
				b->exits);
	}
	return r < 0 ? r : stress_dismiss(w, set);
}

static void check_status(
	struct stress_world *w, struct stress_set *set, uint32_t expected)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (!b->actor.failed && b->status != expected)
			stress_fault(w, "wrong exit status",
				"%" PRIu32 " instead of %" PRIu32, b->status,
				expected);
	}
}

int stress_finish(
	struct stress_world *w, struct stress_set *set, uint32_t expected)
{
	int r = stress_wait(w, set, stress_has_exited, STRESS_EXIT_MS,
		"its exit is not told");

	if (r < 0)
		return r;
	check_status(w, set, expected);
	return remove_all(w, set);
}
