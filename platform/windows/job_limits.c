/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_limits.h"

#include <stdint.h>

const struct limits_api *limits_double;

static const struct limits_api *api(void)
{
	static struct limits_api own;

	if (limits_double)
		return limits_double;
	if (!own.set) {
		HMODULE kernel = GetModuleHandleW(L"kernel32.dll");

		own.set_io_rate =
			(DWORD(WINAPI *)(HANDLE, void *))(void *)GetProcAddress(
				kernel, "SetIoRateControlInformationJobObject");
		own.set = SetInformationJobObject;
	}
	return &own;
}

static int set(HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n)
{
	return api()->set(job, which, info, n) ? 0 : win_last();
}

static int limit_memory(HANDLE job, uint64_t bytes)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION x = {
		.BasicLimitInformation.LimitFlags =
			JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

	if (bytes) {
		x.BasicLimitInformation.LimitFlags |=
			JOB_OBJECT_LIMIT_JOB_MEMORY;
		x.JobMemoryLimit = bytes;
	}
	return set(job, JobObjectExtendedLimitInformation, &x, sizeof(x));
}

static DWORD processors(void)
{
	DWORD n = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);

	return n ? n : 1;
}

/* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION: the rate is in 1/100 percent of all
 * processors, the weight 1 to 9. Without a limit it is switched off. */
static int limit_cpu(HANDLE job, const struct container_limits *l)
{
	JOBOBJECT_CPU_RATE_CONTROL_INFORMATION x = {0};
	uint64_t rate = l->cpu_maximum;
	int r;

	if (l->cpu_count) {
		rate = (uint64_t)l->cpu_count * 10000 / processors();
		rate = rate > 0 ? rate : 1;
	}
	if (rate) {
		x.ControlFlags = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE |
				 JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
		x.CpuRate = rate > 10000 ? 10000 : (DWORD)rate;
	} else if (l->cpu_weight) {
		x.ControlFlags = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE |
				 JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED;
		x.Weight = 1 + 8 * l->cpu_weight / 10000;
	}
	r = set(job, JobObjectCpuRateControlInformation, &x, sizeof(x));
	/* one that was never on need not be switched off */
	return x.ControlFlags ? r : 0;
}

static int limit_io(HANDLE job, const struct container_limits *l, struct err *e)
{
	struct limits_io_rate x = {.bandwidth = (LONG64)l->io_bandwidth,
		.operations = (LONG64)l->io_operations};
	bool wanted = l->io_bandwidth || l->io_operations;

	if (wanted)
		x.flags = LIMITS_IO_RATE_ENABLE;
	if (!api()->set_io_rate)
		return wanted ? err_set(e, -ENOSYS,
					"limits of the storage (bandwidth, "
					"operations): this system has none for "
					"a job")
			      : 0;
	if (api()->set_io_rate(job, &x) || !wanted)
		return 0;
	return err_sys(e, win_last(), "limits of the job's storage");
}

static int check(const struct container_limits *l, struct err *e)
{
	if (!!l->cpu_count + !!l->cpu_maximum + !!l->cpu_weight > 1)
		return err_set(e, -EINVAL,
			"only one of the CPU's count, maximum and weight may "
			"be set");
	if (l->cpu_maximum > 10000 || l->cpu_weight > 10000)
		return err_set(e, -EINVAL,
			"the CPU's maximum and weight are 10000 at most");
	if (l->io_bandwidth > INT64_MAX || l->io_operations > INT64_MAX)
		return err_set(e, -EINVAL,
			"the storage's bandwidth and operations are %lld at "
			"most",
			(long long)INT64_MAX);
	return 0;
}

int job_limit(HANDLE job, const struct container_limits *l, struct err *e)
{
	int r = check(l, e);

	if (r < 0)
		return r;
	r = limit_memory(job, l->memory_bytes);
	if (r < 0)
		return err_sys(e, r, "memory limit of the job");
	r = limit_cpu(job, l);
	if (r < 0)
		return err_sys(e, r, "CPU limit of the job");
	return limit_io(job, l, e);
}
