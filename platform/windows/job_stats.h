/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_stats.h - what the processes of a job have used.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_STATS_H
#define WISP_PLATFORM_WINDOWS_JOB_STATS_H

#include <stdint.h>

#include "platform/windows/win.h"

struct cgroup;

/* 0 is what the system does not tell. Memory is that of the processes which
 * live; the peak, of the job. Times are FILETIMEs. */
struct job_stats {
	uint64_t now, born;
	uint64_t user_ns, kernel_ns;
	uint64_t commit, commit_peak;
	uint64_t reads, read_bytes, writes, write_bytes;
};

/* The container of a group that is no job; NULL. Borrowed. */
struct isolated;
struct isolated *cgroup_isolated(const struct cgroup *cg);

void job_read_stats(const struct cgroup *cg, struct job_stats *ret);

#endif
