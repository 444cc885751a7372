/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <errno.h>

#include "ctl/stress/stress_crew.h"
#include "ctl/stress/stress_system.h"
#include "platform/process.h"

#define GONE_MS 10000
#define SIGNAL_KILL 9

static bool is_dead(const struct stress_actor *a)
{
	const struct stress_box *b = (const struct stress_box *)a;
	struct process_ref *ref;
	int r = b->pid > 1 ? process_ref_open(b->pid, &ref) : -ESRCH;

	if (r == 0)
		process_ref_close(ref);
	return r == -ESRCH;
}

static void know_pids(struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (b->task)
			b->pid = client_process_pid(client_task_init(b->task));
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
	if (r < 0)
		return r; /* interrupted: the answers are still waited for */
	disconnect_all(w);
	return stress_wait(
		w, set, is_dead, GONE_MS, "a killed process is not reaped");
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

int stress_daemon_loss(struct stress_world *w)
{
	struct stress_box_spec s = {.does = STRESS_SLEEPS};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, w->o->at_once, stress_few(w)), back;

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0) {
		know_pids(&set);
		r = lose_daemon(w, &set);
		back = find_daemon(w, &set);
		r = r < 0 ? r : back;
	}
	if (r == 0)
		r = stress_wait(w, &set, stress_has_exited, STRESS_EXIT_MS,
			"its exit is not told when the daemon is back");
	if (r == 0)
		r = stress_must(w, &set, stress_refresh, "State fails");
	if (r == 0)
		r = stress_finish(w, &set, stress_killed);
	stress_free_boxes(&set);
	return r;
}

static void kill_shims(struct stress_set *set)
{
	struct process_ref *ref;
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (b->actor.failed || b->info.shim_pid <= 1 ||
			process_ref_open(b->info.shim_pid, &ref) < 0)
			continue;
		process_ref_signal(ref, SIGNAL_KILL);
		process_ref_close(ref);
	}
}

static void check_deletions(struct stress_world *w, struct stress_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct stress_box *b = stress_box_of(set->actors[i]);

		if (!b->actor.failed && b->deletion.exit.status != stress_lost)
			stress_fault(w, "`delete` tells a wrong exit status",
				"%" PRIu32 " instead of %" PRIu32,
				b->deletion.exit.status, stress_lost);
	}
}

int stress_shim_kill(struct stress_world *w)
{
	struct stress_box_spec s = {.does = STRESS_SLEEPS};
	struct stress_set set = {.n = 0};
	int r = stress_make(w, &set, &s, 0, w->o->at_once);

	if (r == 0)
		r = stress_launch(w, &set);
	if (r == 0)
		r = stress_must(w, &set, stress_ask_shim, "Connect fails");
	if (r == 0) {
		know_pids(&set);
		kill_shims(&set);
		r = stress_wait(w, &set, stress_is_lost, STRESS_LEAVE_MS,
			"a killed shim does not end");
	}
	if (r == 0)
		r = stress_must(w, &set, stress_run_delete, "`delete` fails");
	if (r == 0)
		check_deletions(w, &set);
	if (r == 0)
		r = stress_wait(w, &set, is_dead, GONE_MS,
			"a process survives `delete`");
	stress_free_boxes(&set);
	return r;
}
