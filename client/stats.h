/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - what a container uses, in plain values.
 *
 * A shim answers Stats with io.containerd.cgroups.v1.Metrics or v2.Metrics, as
 * its host has cgroups; here both are put in the same words.
 */
#ifndef WISP_CLIENT_STATS_H
#define WISP_CLIENT_STATS_H

#include "client/task.h"

#define CLIENT_NO_LIMIT UINT64_MAX

/* Bytes and nanoseconds. Usage and limits are of now, the rest counts from the
 * cgroup's birth. What is not told is 0. */
struct client_stats {
	unsigned cgroup; /* 1 or 2 */
	uint64_t cpu_ns, cpu_user_ns, cpu_kernel_ns;
	uint64_t periods, throttled_periods, throttled_ns;
	uint64_t memory, memory_max;   /* max: the most it ever was */
	uint64_t memory_inactive_file; /* can be had back at any time */
	uint64_t memory_limit;         /* CLIENT_NO_LIMIT: none */
	uint64_t swap, swap_limit;     /* swap alone, as cgroup v2 has it */
	uint64_t pids, pids_limit;     /* threads count */
	uint64_t read_bytes, read_ops, write_bytes, write_ops;
	uint64_t oom_kills; /* processes killed */
};

/* *ret is filled before cb() runs. -EREMOTEIO: an answer of another kind. */
int client_task_stats(struct client_task *t, struct client_stats *ret,
	client_cb cb, void *arg);

/* Decodes the answer's Any; n bytes of value. -EINVAL: not of that type;
 * -ENOTSUP: a type we don't know. */
int client_stats_parse(const char *type_url, const void *value, size_t n,
	struct client_stats *ret);

#endif
