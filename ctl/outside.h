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

/* The container's processes, by Pids, as an array in g: pid, exec, and what
 * put_process() tells. A string with the reason, if there is no answer. */
void ctl_outside_processes(
	struct client_shim *shim, const struct ctl_shim *s, yajl_gen g);

#endif
