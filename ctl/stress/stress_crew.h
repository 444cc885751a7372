/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_crew.h - what all scenarios do with a set of containers.
 */
#ifndef WISP_CTL_STRESS_CREW_H
#define WISP_CTL_STRESS_CREW_H

#include "ctl/stress/stress.h"

#define STRESS_EXIT_MS 30000
#define STRESS_LEAVE_MS 10000

struct stress_box *stress_box_of(struct stress_actor *a);

/* Some in the shim that lives on, and some with a shim of their own. A failure
 * is told as a fault, too. */
int stress_make(struct stress_world *w, struct stress_set *set,
	struct stress_box_spec *s, unsigned shared, unsigned own);
/* How many with a shim of their own, where most have not. */
unsigned stress_few(const struct stress_world *w);

int stress_start_shims(struct stress_world *w, struct stress_set *set);
/* That, Create and Start. */
int stress_launch(struct stress_world *w, struct stress_set *set);
/* Waits for the exits, which must be of this status and told once; Delete, and
 * the next. */
int stress_finish(
	struct stress_world *w, struct stress_set *set, uint32_t expected);
/* Shutdown: shims that serve nobody else must leave. */
int stress_dismiss(struct stress_world *w, struct stress_set *set);
void stress_free_boxes(struct stress_set *set);

/* stress_storm.c, stress_loss.c */
int stress_exec_storm(struct stress_world *w);
int stress_failing_execs(struct stress_world *w);
int stress_daemon_loss(struct stress_world *w);
int stress_shim_kill(struct stress_world *w);

#endif
