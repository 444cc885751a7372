/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolated.h - a container of the host compute service: a compute system and
 * the processes in it. The half of container.h that job objects are not.
 *
 * The system is made at container_create(); it is started, and the first
 * process made in it, at container_start(). Each process's end is an event of
 * the service's, which goes on as any child's exit (process_table.h).
 *
 * A Linux container is the same, but for its documents, and a virtual machine
 * that is there before its system and after it (lcow_vm.h).
 */
#ifndef WISP_PLATFORM_WINDOWS_ISOLATED_H
#define WISP_PLATFORM_WINDOWS_ISOLATED_H

#include "platform/container.h"
#include "platform/isolation.h"
#include "platform/windows/hcs.h"

struct guest;
struct isolated;
struct stat_sink;

/* As container_new_isolated() and those that follow it. */
int isolated_new(struct event_base *base, const char *id,
	const struct container_limits *limits, const struct isolation *iso,
	struct isolated **ret, struct err *e);
int isolated_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct isolated **ret, struct err *e);
/* What another process has made of that id, for isolated_end(): the system, and
 * the machine if there is a disk that it was let write to. Both may have gone;
 * the disk's access right is taken back all the same. */
int isolated_open(struct event_base *base, const char *id, const char *disk,
	struct isolated **ret, struct err *e);
int isolated_create(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e);
int isolated_start(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e);
int isolated_exec(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e);
int isolated_signal(struct isolated *i, uint32_t signal);
int isolated_signal_early(struct isolated *i, uint32_t signal);
int isolated_limit(struct isolated *i, const struct container_limits *limits,
	const struct container_later *later, struct err *e);
int isolated_end(
	struct isolated *i, const struct container_later *later, struct err *e);

/* Whoever holds a reference may call what is below; the system is closed by
 * isolated_close(), which comes once. NULL is fine. */
void isolated_close(struct isolated *i);
void isolated_put(struct isolated *i);

/* ---- as a group of processes: cgroup.h ---- */

/* One more reference to the container whose first process this is. NULL. */
struct isolated *isolated_get(int64_t init);

/* As cgroup_kill(): the system is shut down, then terminated. */
int isolated_kill_round(struct isolated *i);

/* As cgroup_refresh(): what the next two tell. */
int isolated_refresh(struct isolated *i,
	void (*done)(int r, const struct err *e, void *arg), void *arg,
	struct err *e);
void isolated_each_pid(
	struct isolated *i, void (*each)(int64_t pid, void *arg), void *arg);
void isolated_stats(const struct isolated *i, struct stat_sink *sink);

#endif
