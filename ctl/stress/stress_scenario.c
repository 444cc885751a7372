/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ctl/stress/stress_crew.h"
#include "ctl/stress/stress_system.h"

#define OOM_MS 3000
#define OUTPUT_MS 15000
#define OOM_LIMIT (16u << 20)
#define LINES 100000

static int create_delete(struct stress_world *w)
{
	struct stress_box_spec s = {.does = STRESS_EXITS, .n = 7};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, w->o->at_once, stress_few(w));

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0)
		r = stress_finish(w, &set, 7);
	stress_free_boxes(&set);
	return r;
}

/* What a daemon does after a Create that failed. */
static int give_up(struct stress_world *w, struct stress_set *set)
{
	size_t i;
	int r = stress_each(w, set, stress_create);

	for (i = 0; r == 0 && i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (b->actor.failed)
			continue;
		if (!b->actor.err.code)
			stress_fault(w, "Create succeeds without a program",
				"for %s", b->id);
		b->made = !b->actor.err.code || b->actor.err.code == -ETIME;
	}
	if (r == 0)
		r = stress_each(w, set, stress_delete);
	return r < 0 ? r : stress_dismiss(w, set);
}

static int failing_starts(struct stress_world *w)
{
	struct stress_box_spec no_program = {.does = STRESS_MISSING};
	struct stress_box_spec broken = {.does = STRESS_SLEEPS, .broken = true};
	struct stress_set set = {.n = 0};
	unsigned half = (w->o->at_once + 1) / 2;
	int r = stress_make(w, &set, &no_program, half, 1);

	if (r == 0)
		r = stress_make(w, &set, &broken, half, stress_few(w));
	if (r == 0)
		r = stress_start_shims(w, &set);
	if (r == 0)
		r = give_up(w, &set);
	if (r == 0)
		r = stress_failing_execs(w);
	stress_free_boxes(&set);
	return r;
}

/* The text that `seq` writes. */
static uint64_t sum_of_lines(uint64_t *bytes)
{
	uint64_t sum = STRESS_SUM_BEGIN;
	char line[16];
	unsigned i;

	*bytes = 0;
	for (i = 1; i <= LINES; i++) {
		int n = snprintf(line, sizeof(line), "%u\n", i);

		sum = stress_sum(sum, line, (size_t)n);
		*bytes += (uint64_t)n;
	}
	return sum;
}

static void check_output(struct stress_world *w, struct stress_set *set)
{
	uint64_t bytes, sum = sum_of_lines(&bytes);
	size_t i;
	int k;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		for (k = 0; k < 2 && !b->actor.failed; k++)
			if (b->sinks[k].bytes != bytes ||
				b->sinks[k].sum != sum)
				stress_fault(w,
					"output is not what was written",
					"%s: %" PRIu64 " bytes of %" PRIu64,
					k ? "stderr" : "stdout",
					b->sinks[k].bytes, bytes);
	}
}

static int output_bursts(struct stress_world *w)
{
	struct stress_box_spec s = {
		.does = STRESS_WRITES, .n = LINES, .piped = true};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, w->o->at_once, stress_few(w));

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0)
		r = stress_finish(w, &set, 0);
	if (r == 0)
		r = stress_wait(w, &set, stress_is_read, OUTPUT_MS,
			"output does not end");
	if (r == 0)
		check_output(w, &set);
	stress_free_boxes(&set);
	return r;
}

static bool had_oom(const struct stress_actor *a)
{
	return ((const struct stress_box *)a)->ooms > 0;
}

static int oom(struct stress_world *w)
{
	struct stress_box_spec s = {.does = STRESS_EATS, .memory = OOM_LIMIT};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, w->o->at_once, stress_few(w));

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0)
		r = stress_wait(w, &set, stress_has_exited, STRESS_EXIT_MS,
			"its exit is not told");
	if (r == 0)
		r = stress_wait(w, &set, had_oom, OOM_MS, "no OOM event comes");
	if (r == 0)
		r = stress_finish(w, &set, stress_killed);
	stress_free_boxes(&set);
	return r;
}

static const struct stress_scenario scenarios[] = {
	{"create-delete", "containers that end by themselves", create_delete},
	{"exec-storm", "many execs in two containers", stress_exec_storm},
	{"failing-starts",
		"programs that do not exist, and what cannot be made",
		failing_starts},
	{"output-bursts", "1.2 MB on stdout and stderr, checked",
		output_bursts},
	{"oom", "more memory than allowed, and the event", oom},
	{"daemon-loss", "exits while no daemon is there to hear",
		stress_daemon_loss},
	{"shim-kill", "SIGKILL for the shim, then `delete`", stress_shim_kill},
};

const struct stress_scenario *stress_scenario_at(size_t i)
{
	const struct stress_scenario *s = scenarios;
	const struct stress_scenario *end =
		s + sizeof(scenarios) / sizeof(scenarios[0]);

	for (; s < end; s++)
		if ((s->run != oom || stress_has_oom) && i-- == 0)
			return s;
	return NULL;
}
