/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_stats.h"

#include <stdlib.h>

#include "platform/details.h"

#include <psapi.h>

job_query job_query_double;

static bool query(
	const struct cgroup *cg, JOBOBJECTINFOCLASS which, void *info, DWORD n)
{
	job_query ask =
		job_query_double ? job_query_double : QueryInformationJobObject;

	return ask(cgroup_job(cg), which, info, n, NULL);
}

static uint64_t commit_of(DWORD pid)
{
	auto_handle HANDLE h =
		OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
	PROCESS_MEMORY_COUNTERS_EX m = {.cb = sizeof(m)};

	if (!h || !K32GetProcessMemoryInfo(
			  h, (PROCESS_MEMORY_COUNTERS *)&m, sizeof(m)))
		return 0;
	return m.PrivateUsage;
}

static void read_accounting(const struct cgroup *cg, struct job_stats *js)
{
	JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION a = {0};
	struct job_io_attribution io = {.flags = JOB_IO_ATTRIBUTION_ENABLE};

	if (query(cg, JobObjectBasicAndIoAccountingInformation, &a,
		    sizeof(a))) {
		js->user_ns =
			(uint64_t)a.BasicInfo.TotalUserTime.QuadPart * 100;
		js->kernel_ns =
			(uint64_t)a.BasicInfo.TotalKernelTime.QuadPart * 100;
		js->reads = a.IoInfo.ReadOperationCount;
		js->read_bytes = a.IoInfo.ReadTransferCount;
		js->writes = a.IoInfo.WriteOperationCount;
		js->write_bytes = a.IoInfo.WriteTransferCount;
	}
	if (query(cg, JOB_IO_ATTRIBUTION, &io, sizeof(io))) {
		js->reads = io.reads.n;
		js->read_bytes = io.reads.bytes;
		js->writes = io.writes.n;
		js->write_bytes = io.writes.bytes;
	}
}

static void read_memory(const struct cgroup *cg, struct job_stats *js)
{
	JOBOBJECT_BASIC_PROCESS_ID_LIST *list = cgroup_list_pids(cg);
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION x = {0};
	struct job_memory_usage usage;
	struct process_details p;
	struct details *all = NULL;
	bool known = query(cg, JOB_MEMORY_USAGE, &usage, sizeof(usage));
	DWORD i;

	if (known) {
		js->commit = usage.bytes;
		js->commit_peak = usage.peak_bytes;
	} else if (query(cg, JobObjectExtendedLimitInformation, &x,
			   sizeof(x))) {
		js->commit_peak = x.PeakJobMemoryUsed;
	}
	if (list)
		(void)details_take(&all);
	for (i = 0; list && i < list->NumberOfProcessIdsInList; i++) {
		DWORD pid = (DWORD)list->ProcessIdList[i];

		if (!known)
			js->commit += commit_of(pid);
		if (all && details_find(all, pid, &p) == 0)
			js->private_working_set += p.private_bytes;
	}
	details_free(all);
	free(list);
}

void job_read_stats(const struct cgroup *cg, struct job_stats *ret)
{
	FILETIME now;

	GetSystemTimeAsFileTime(&now);
	*ret = (struct job_stats){
		.now = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime,
		.born = cgroup_born(cg)};
	read_accounting(cg, ret);
	read_memory(cg, ret);
}

void job_count_storage(HANDLE job)
{
	struct job_io_attribution io = {.flags = JOB_IO_ATTRIBUTION_ENABLE};

	SetInformationJobObject(job, JOB_IO_ATTRIBUTION, &io, sizeof(io));
}
