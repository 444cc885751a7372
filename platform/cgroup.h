/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the group of processes that is a container: its members, its end,
 * and whether it ran out of memory. On Windows this is a job object.
 *
 * cgroup v1 (one tree for each controller), v2 (one tree) and hosts with both
 * are told apart by /proc/PID/cgroup and where they are mounted, by
 * /proc/self/mountinfo: see cgroups(7).
 */
#ifndef WISP_PLATFORM_CGROUP_H
#define WISP_PLATFORM_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

struct event_base;
struct cgroup;

/*
 * The group that pid is in now. pid is a container's init, stopped before its
 * program runs. A process that shares our own group has no group of its own:
 * -ENOENT (containers can be made without one).
 */
int cgroup_open(int64_t pid, struct cgroup **ret, struct err *e);

/* Every process in the group and in those below it. Calls each() for every
 * pid; the order is the kernel's. 0, also if the group is gone. */
int cgroup_each_pid(
	struct cgroup *cg, void (*each)(int64_t pid, void *arg), void *arg);

/* Somebody who takes time may have to be asked what cgroup_each_pid() and
 * cgroup_stats() tell: 0 if not, they know it now; CGROUP_LATER: done() runs
 * once, from the loop, when they know it, or with why they do not; or -errno.
 * (The host compute service of Windows.) */
#define CGROUP_LATER 1
int cgroup_refresh(struct cgroup *cg,
	void (*done)(int r, const struct err *e, void *arg), void *arg,
	struct err *e);

/* SIGKILL to every process in the group and below: cgroup.kill where there is
 * one, otherwise every listed pid, through a pidfd, again while new ones turn
 * up (bounded). Returns how many were still there at last, or -errno. Windows:
 * the first call tells each one to shut down (CtrlShutdown), and one that comes
 * CGROUP_SHUTDOWN_MS later ends them. */
#define CGROUP_SHUTDOWN_MS 5000
int cgroup_kill(struct cgroup *cg);

/*
 * Watches for the kernel's OOM killer in this group: v1 by an eventfd on
 * memory.oom_control, v2 by inotify on memory.events; the Documentation/
 * admin-guide/cgroup-{v1/memory,v2}.rst of the kernel. hint() runs from the
 * loop when cgroup_oom_kills() has changed. v1 also wakes before a victim is
 * counted, and when the group is removed: it is looked again for some seconds,
 * and nothing is told unless it was counted. -EOPNOTSUPP without a memory
 * controller.
 */
int cgroup_watch_oom(struct cgroup *cg, struct event_base *base,
	void (*hint)(void *arg), void *arg, struct err *e);

/* How many processes of this group (and below) the OOM killer has killed so
 * far; what was counted last if the group is gone. */
uint64_t cgroup_oom_kills(struct cgroup *cg);

void cgroup_close(struct cgroup *cg);

/* Moves this process into a group that somebody has made: below each v1
 * hierarchy that has it, or below the unified one on a host without v1 (the
 * reference shim does the same). -ENOENT if no hierarchy has it. */
int cgroup_join(const char *path, struct err *e);

/* The folder of the group that an OCI runtime is about to make for a container
 * whose linux.cgroupsPath is the absolute path. -ENOENT: the host has cgroup
 * v1. -EEXIST: somebody has made the group. */
int cgroup_to_be(const char *path, char *ret, size_t n);

/* Removes such a group if nothing is in it, neither process nor group. */
void cgroup_remove_empty(const char *folder);

#endif
