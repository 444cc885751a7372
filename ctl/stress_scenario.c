/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/stress.h"

#define KILLED 137
#define EXIT_MS 30000
#define OOM_MS 3000
#define LEAVE_MS 10000
#define OUTPUT_MS 15000
#define GONE_MS 10000
#define OOM_LIMIT (16u << 20)
#define LINES 100000
#define LINES_TEXT "100000"

static const char *const sleeper[] = {"sleep", "1000000", NULL};

static struct stress_box *box_of(struct stress_actor *a)
{
	return (struct stress_box *)a;
}

/* Some in the shim that lives on, and fewer with a shim of their own. */
static int make(struct stress_world *w, struct stress_set *set,
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

static unsigned few(const struct stress_world *w)
{
	return 1 + w->o->at_once / 4;
}

static void free_boxes(struct stress_set *set)
{
	while (set->n > 0)
		stress_box_free(box_of(set->actors[--set->n]));
}

static int start_shims(struct stress_world *w, struct stress_set *set)
{
	return stress_must(
		w, set, stress_start_shim, "the shim does not start");
}

static int launch(struct stress_world *w, struct stress_set *set)
{
	int r = start_shims(w, set);

	if (r == 0)
		r = stress_must(w, set, stress_create, "Create fails");
	return r < 0 ? r : stress_must(w, set, stress_start, "Start fails");
}

static int dismiss(struct stress_world *w, struct stress_set *set)
{
	int r = stress_must(w, set, stress_shutdown, "Shutdown fails");

	return r < 0 ? r
		     : stress_wait(w, set, stress_is_lost, LEAVE_MS,
			       "the shim does not leave");
}

static int remove_all(struct stress_world *w, struct stress_set *set)
{
	size_t i;
	int r = stress_must(w, set, stress_delete, "Delete fails");

	for (i = 0; r == 0 && i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (!b->actor.failed && b->exits != 1)
			stress_fault(w, "an exit is not told once", "%u times",
				b->exits);
	}
	return r < 0 ? r : dismiss(w, set);
}

static void check_status(
	struct stress_world *w, struct stress_set *set, uint32_t expected)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (!b->actor.failed && b->status != expected)
			stress_fault(w, "wrong exit status",
				"%" PRIu32 " instead of %" PRIu32, b->status,
				expected);
	}
}

static int finish(
	struct stress_world *w, struct stress_set *set, uint32_t expected)
{
	int r = stress_wait(
		w, set, stress_has_exited, EXIT_MS, "its exit is not told");

	if (r < 0)
		return r;
	check_status(w, set, expected);
	return remove_all(w, set);
}

static int create_delete(struct stress_world *w)
{
	static const char *const argv[] = {"sh", "-c", "exit 7", NULL};
	struct stress_box_spec s = {.argv = argv};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, w->o->at_once, few(w));

	if (r == 0)
		r = launch(w, &set);
	if (r == 0)
		r = finish(w, &set, 7);
	free_boxes(&set);
	return r;
}

static int add_execs(struct stress_world *w, struct stress_set *set,
	struct stress_box *b, unsigned n)
{
	struct err e = {0};
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		char script[32];
		const char *argv[] = {"sh", "-c", script, NULL};
		struct stress_exec *x = NULL;

		snprintf(script, sizeof(script), "exit %u", i % 50);
		r = stress_exec_new(b, argv, i % 50, &x, &e);
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
		r = stress_wait(w, &set, stress_exec_has_exited, EXIT_MS,
			"an exec's exit is not told");
	if (r == 0)
		r = stress_must(
			w, &set, stress_exec_delete, "Delete of an exec fails");
	if (r == 0)
		check_execs(w, &set);
	free_execs(&set);
	return r;
}

static int exec_storm(struct stress_world *w)
{
	struct stress_box_spec s = {.argv = sleeper};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, 0, 1);

	if (r == 0)
		r = launch(w, &set);
	if (r == 0)
		r = storm(w, box_of(set.actors[0]));
	if (r == 0)
		r = stress_must(w, &set, stress_kill, "Kill fails");
	if (r == 0)
		r = finish(w, &set, KILLED);
	free_boxes(&set);
	return r;
}

/* What a daemon does after a Create that failed. */
static int give_up(struct stress_world *w, struct stress_set *set)
{
	size_t i;
	int r = stress_each(w, set, stress_create);

	for (i = 0; r == 0 && i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (b->actor.failed)
			continue;
		if (!b->actor.err.code)
			stress_fault(w, "Create succeeds without a program",
				"for %s", b->id);
		b->made = !b->actor.err.code || b->actor.err.code == -ETIME;
	}
	if (r == 0)
		r = stress_each(w, set, stress_delete);
	return r < 0 ? r : dismiss(w, set);
}

static int failing_execs(struct stress_world *w)
{
	static const char *const argv[] = {"nosuch", NULL};
	struct stress_set set = {.n = 0};
	struct stress_exec *x;
	struct err e = {0};
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < w->o->at_once; i++) {
		r = stress_exec_new(w->anchor, argv, 0, &x, &e);
		if (r == 0)
			set.actors[set.n++] = &x->actor;
	}
	if (r == 0)
		r = stress_must(w, &set, stress_exec_add, "Exec fails");
	if (r == 0)
		r = stress_each(w, &set, stress_exec_start);
	for (i = 0; r == 0 && i < set.n; i++)
		if (!set.actors[i]->failed && !set.actors[i]->err.code)
			stress_fault(
				w, "an exec of nothing starts", "%s", argv[0]);
	if (r == 0)
		r = stress_must(w, &set, stress_exec_delete,
			"Delete of an exec that did not start fails");
	free_execs(&set);
	return r;
}

static int failing_starts(struct stress_world *w)
{
	static const char *const argv[] = {"nosuch", NULL};
	struct stress_box_spec no_program = {.argv = argv};
	struct stress_box_spec no_rootfs = {
		.argv = sleeper, .rootfs = "/nonexistent/rootfs"};
	struct stress_set set = {.n = 0};
	unsigned half = (w->o->at_once + 1) / 2;
	int r = make(w, &set, &no_program, half, 1);

	if (r == 0)
		r = make(w, &set, &no_rootfs, half, few(w));
	if (r == 0)
		r = start_shims(w, &set);
	if (r == 0)
		r = give_up(w, &set);
	if (r == 0)
		r = failing_execs(w);
	free_boxes(&set);
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
		struct stress_box *b = box_of(set->actors[i]);

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
	static const char *const argv[] = {"sh", "-c",
		"seq 1 " LINES_TEXT " & seq 1 " LINES_TEXT " >&2; wait", NULL};
	struct stress_box_spec s = {.argv = argv, .piped = true};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, w->o->at_once, few(w));

	if (r == 0)
		r = launch(w, &set);
	if (r == 0)
		r = finish(w, &set, 0);
	if (r == 0)
		r = stress_wait(w, &set, stress_is_read, OUTPUT_MS,
			"output does not end");
	if (r == 0)
		check_output(w, &set);
	free_boxes(&set);
	return r;
}

static bool had_oom(const struct stress_actor *a)
{
	return ((const struct stress_box *)a)->ooms > 0;
}

static int oom(struct stress_world *w)
{
	static const char *const argv[] = {"tail", "/dev/zero", NULL};
	struct stress_box_spec s = {.argv = argv, .memory = OOM_LIMIT};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, w->o->at_once, few(w));

	if (r == 0)
		r = launch(w, &set);
	if (r == 0)
		r = stress_wait(w, &set, stress_has_exited, EXIT_MS,
			"its exit is not told");
	if (r == 0)
		r = stress_wait(w, &set, had_oom, OOM_MS, "no OOM event comes");
	if (r == 0)
		r = finish(w, &set, KILLED);
	free_boxes(&set);
	return r;
}

static bool is_dead(const struct stress_actor *a)
{
	const struct stress_box *b = (const struct stress_box *)a;

	return b->pid <= 1 || kill(b->pid, 0) < 0;
}

static void know_pids(struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (b->task)
			b->pid = (int)client_process_pid(
				client_task_init(b->task));
	}
}

static void disconnect_all(struct stress_world *w)
{
	struct list *node;

	for (node = w->boxes.next; node != &w->boxes; node = node->next)
		stress_disconnect(list_entry(node, struct stress_box, link));
}

/* The containers end while nobody listens, and nobody is connected. */
static int lose_daemon(struct stress_world *w, struct stress_set *set)
{
	int r;

	stress_world_deafen(w);
	r = stress_must(w, set, stress_kill, "Kill fails");
	disconnect_all(w);
	return r < 0 ? r
		     : stress_wait(w, set, is_dead, GONE_MS,
			       "a killed process is not reaped");
}

static int find_daemon(struct stress_world *w, struct stress_set *set)
{
	struct stress_set anchor = {.actors = {&w->anchor->actor}, .n = 1};
	struct err e = {0};
	int r = stress_world_listen(w, &e);

	if (r < 0) {
		stress_fault(w, "the daemon does not come back", "%s", e.msg);
		return r;
	}
	r = stress_must(
		w, &anchor, stress_reconnect, "the shim does not answer");
	return r < 0 ? r
		     : stress_must(w, set, stress_reconnect,
			       "the shim does not answer");
}

static int daemon_loss(struct stress_world *w)
{
	struct stress_box_spec s = {.argv = sleeper};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, w->o->at_once, few(w)), back;

	if (r == 0)
		r = launch(w, &set);
	if (r == 0) {
		know_pids(&set);
		r = lose_daemon(w, &set);
		back = find_daemon(w, &set);
		r = r < 0 ? r : back;
	}
	if (r == 0)
		r = stress_wait(w, &set, stress_has_exited, EXIT_MS,
			"its exit is not told when the daemon is back");
	if (r == 0)
		r = stress_must(w, &set, stress_refresh, "State fails");
	if (r == 0)
		r = finish(w, &set, KILLED);
	free_boxes(&set);
	return r;
}

static void kill_shims(struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (!b->actor.failed && b->info.shim_pid > 1)
			kill((int)b->info.shim_pid, SIGKILL);
	}
}

static void check_deletions(struct stress_world *w, struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = box_of(set->actors[i]);

		if (!b->actor.failed && b->deletion.exit.status != KILLED)
			stress_fault(w, "`delete` tells a wrong exit status",
				"%" PRIu32 " instead of %d",
				b->deletion.exit.status, KILLED);
	}
}

static int shim_kill(struct stress_world *w)
{
	struct stress_box_spec s = {.argv = sleeper};
	struct stress_set set = {.n = 0};
	int r = make(w, &set, &s, 0, w->o->at_once);

	if (r == 0)
		r = launch(w, &set);
	if (r == 0)
		r = stress_must(w, &set, stress_ask_shim, "Connect fails");
	if (r == 0) {
		know_pids(&set);
		kill_shims(&set);
		r = stress_wait(w, &set, stress_is_lost, LEAVE_MS,
			"a killed shim does not end");
	}
	if (r == 0)
		r = stress_must(w, &set, stress_run_delete, "`delete` fails");
	if (r == 0)
		check_deletions(w, &set);
	if (r == 0)
		r = stress_wait(w, &set, is_dead, GONE_MS,
			"a process survives `delete`");
	free_boxes(&set);
	return r;
}

static const struct stress_scenario scenarios[] = {
	{"create-delete", "containers that end by themselves", create_delete},
	{"exec-storm", "many execs in two containers", exec_storm},
	{"failing-starts", "programs and root folders that do not exist",
		failing_starts},
	{"output-bursts", "1.2 MB on stdout and stderr, checked",
		output_bursts},
	{"oom", "more memory than allowed, and the event", oom},
	{"daemon-loss", "exits while no daemon is there to hear", daemon_loss},
	{"shim-kill", "SIGKILL for the shim, then `delete`", shim_kill},
};

const struct stress_scenario *stress_scenario_at(size_t i)
{
	return i < sizeof(scenarios) / sizeof(scenarios[0]) ? &scenarios[i]
							    : NULL;
}
