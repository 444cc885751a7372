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
	uint64_t private_working_set;
	uint64_t reads, read_bytes, writes, write_bytes;
};

/* The container of a group that is no job; NULL. Borrowed. */
struct isolated;
struct isolated *cgroup_isolated(const struct cgroup *cg);

/* Processor times: JobObjectBasicAccountingInformation. Memory:
 * JobObjectMemoryUsageInformation, else the sum of the processes' and the
 * job's peak; the private working set is the sum of the processes' (details.h).
 * Storage: JobObjectIoAttribution, else the job's I/O counters, which count
 * pipes, too. */
void job_read_stats(const struct cgroup *cg, struct job_stats *ret);

/* Has what goes to storage counted apart, where the system can. */
void job_count_storage(HANDLE job);

/* kernel32's; a test may put another in its place. */
typedef BOOL(WINAPI *job_query)(HANDLE job, JOBOBJECTINFOCLASS which,
	void *info, DWORD n, DWORD *ret_n);
extern job_query job_query_double; /* NULL: the system's */

/* Classes and structures of winnt.h that mingw lacks. */
#define JOB_MEMORY_USAGE ((JOBOBJECTINFOCLASS)28)
#define JOB_IO_ATTRIBUTION ((JOBOBJECTINFOCLASS)42)
#define JOB_IO_ATTRIBUTION_ENABLE 1

struct job_memory_usage {
	ULONG64 bytes, peak_bytes;
};

struct job_io_attribution {
	ULONG flags;
	struct job_io {
		ULONG_PTR n;
		ULONGLONG queued_time, served_time;
		ULONGLONG bytes;
	} reads, writes;
};

/* cgroup.c's, for job_stats.c. */
HANDLE cgroup_job(const struct cgroup *cg);       /* borrowed */
uint64_t cgroup_born(const struct cgroup *cg);    /* FILETIME */
JOBOBJECT_BASIC_PROCESS_ID_LIST *cgroup_list_pids(/* fresh memory, NULL */
	const struct cgroup *cg);

#endif
