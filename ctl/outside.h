/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.h - what can be learnt of a shim that has no dump: by the calls that
 * every shim answers, and from /proc.
 */
#ifndef WISP_CTL_OUTSIDE_H
#define WISP_CTL_OUTSIDE_H

#include "ctl/json.h"
#include "ctl/locate.h"

/* A document in the form of shim/dump.h, with as much as is known; `outside` is
 * true in it, and `error` tells why calls failed, if they did. shim is NULL
 * if it can't be connected to (why then says so). -ENOMEM. */
int ctl_outside_dump(struct client_shim *shim, const struct ctl_shim *s,
	const char *why, char **ret);

/* Members of the open map that tell of a process: name, state, command, ... */
void ctl_outside_process(yajl_gen g, int64_t pid);

/* What a process has open, as an array of fd, what, waiting, room. */
void ctl_outside_open(yajl_gen g, int64_t pid);

/* The pid of the container's init out of its bundle, while it runs; else 0. */
int64_t ctl_outside_init(const struct ctl_shim *s);

/* The container's processes, by Pids, as an array in g: pid, exec, and what
 * ctl_outside_process() tells. With no answer, or shim NULL, those in init's
 * cgroup; a string with the reason if there is none. */
void ctl_outside_processes(struct client_shim *shim, const struct ctl_shim *s,
	int64_t init, yajl_gen g);

#endif
