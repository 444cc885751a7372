/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reaper.h - from the end of a process to whoever cares.
 *
 * The reaper waits for every child of this process and every orphan that comes
 * to it. Whoever wants to know of one claims its pid. All exits that are there
 * are collected before the first callback runs, so a callback sees the world
 * as the kernel left it, and callbacks run in the order of collection.
 *
 * A container's init is started by the OCI runtime and its pid is known only
 * when the runtime has finished, perhaps after init itself has. So while any
 * spawn is unsettled (reaper_hold) exits that nobody claimed are parked, and
 * claiming such a pid delivers its exit. With nothing unsettled, unclaimed
 * exits belong to orphans of the containers and are forgotten.
 *
 * Callbacks run from the loop, never inside a function of this header, once
 * for each claim; the claim is gone by then. Delivering an exit allocates
 * nothing.
 */
#ifndef WISP_REAPER_REAPER_H
#define WISP_REAPER_REAPER_H

#include "platform/process.h"

struct event_base;
struct reaper;

typedef void (*reaper_cb)(const struct process_exit *x, void *arg);

int reaper_new(struct event_base *base, struct reaper **ret, struct err *e);

/* Claims left are dropped without a callback. */
void reaper_free(struct reaper *r);

/* process_spawn() and reaper_claim() in one: the exit cannot be missed. */
int reaper_spawn(struct reaper *r, const struct process_spec *spec,
	reaper_cb cb, void *arg, int64_t *ret_pid, struct err *e);

/* Asks for the exit of a child, or an orphan that came to us. -ECHILD if it is
 * neither alive nor parked, -EEXIST if somebody has claimed it, -ENOMEM. */
int reaper_claim(struct reaper *r, int64_t pid, reaper_cb cb, void *arg);

/* Takes a claim back; its process is still reaped. */
void reaper_forget(struct reaper *r, int64_t pid);

/* Between these two a spawn is unsettled. They nest. */
void reaper_hold(struct reaper *r);
void reaper_release(struct reaper *r);

/* For people who look: claims, and exits that are parked now. */
unsigned reaper_claimed(const struct reaper *r);
unsigned reaper_parked(const struct reaper *r);

/* Whether somebody has claimed it, and has not heard of its exit yet. */
bool reaper_is_claimed(const struct reaper *r, int64_t pid);

#endif
