/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_yard.h - a reaper with its loop, and children for it.
 */
#ifndef WISP_TESTS_UTIL_YARD_H
#define WISP_TESTS_UTIL_YARD_H

#include <event2/event.h>

#include "reaper/reaper.h"

struct yard {
	struct event_base *base;
	struct reaper *reaper;
	unsigned n_told;
	bool in_loop, told_elsewhere;
};

extern struct yard yard;

void yard_begin(void);
void yard_end(void);

/* As loop_turn() and loop_settle(). */
void yard_turn(void);
void yard_settle(void);

/* What a claim was told. */
struct told {
	unsigned times, order;
	struct process_exit exit;
};

/* For reaper_claim(), with a struct told. */
void yard_told(const struct process_exit *x, void *told);

/* A child that ends with this status when it gets SIGUSR1. */
pid_t child_new(int status);

/* Until the kernel has its exit; nobody has collected it yet. */
void child_wait_dead(pid_t pid);

/* Ends it, and waits like that. Returns pid. */
pid_t child_end(pid_t pid);

/* One that has ended. */
pid_t child_dead(int status);

/* Whether its exit was collected. */
bool child_is_gone(pid_t pid);

#endif
