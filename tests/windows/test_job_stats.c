/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a job, what is told of its processes, and that they ran out of
 * memory. What Wine does not have is a double. */
#include "platform/cgroup_stats.h"

#include <stdlib.h>
#include <string.h>

#include "platform/cgroup.h"
#include "platform/details.h"
#include "platform/windows/job.h"
#include "platform/windows/job_limits.h"
#include "platform/windows/job_stats.h"
#include "platform/windows/spawn.h"
#include "platform/windows/system_processes.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_calls.h"
#include "tests/windows/util_loop.h"

static struct err e;

/* ---- limits ---- */

static BOOL WINAPI fake_set(
	HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n)
{
	const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *x = info;
	const JOBOBJECT_CPU_RATE_CONTROL_INFORMATION *cpu = info;

	ck_assert_ptr_eq(job, (HANDLE)5);
	SetLastError(ERROR_ACCESS_DENIED);
	if (which == JobObjectExtendedLimitInformation) {
		ck_assert_uint_eq(n, sizeof(*x));
		return called("memory %#lx %llu",
			x->BasicLimitInformation.LimitFlags,
			(unsigned long long)x->JobMemoryLimit);
	}
	ck_assert_int_eq(which, JobObjectCpuRateControlInformation);
	ck_assert_uint_eq(n, 8);
	return called("cpu %lu %lu", cpu->ControlFlags, cpu->CpuRate);
}

static DWORD WINAPI fake_io(HANDLE job, void *info)
{
	const struct limits_io_rate *x = info;

	ck_assert_ptr_eq(job, (HANDLE)5);
	ck_assert_ptr_null(x->volume);
	ck_assert_uint_eq(sizeof(*x), 40);
	SetLastError(ERROR_NOT_SUPPORTED);
	return called(
		"io %lu %lld %lld", x->flags, x->bandwidth, x->operations);
}

static const struct limits_api fake = {.set = fake_set, .set_io_rate = fake_io};
static const struct limits_api no_io = {.set = fake_set};

static int limit(const struct limits_api *api, struct container_limits l)
{
	int r;

	limits_double = api;
	r = job_limit((HANDLE)5, &l, &e);
	limits_double = NULL;
	return r;
}

START_TEST(test_limits)
{
	unsigned n = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
	char want[128];

	calls_reset(0);
	ck_assert_int_eq(
		limit(&fake,
			(struct container_limits){.memory_bytes = 1 << 20}),
		0);
	ck_assert_str_eq(calls(), "memory 0x2200 1048576\ncpu 0 0\nio 0 0 0\n");
	calls_reset(0);
	ck_assert_int_eq(
		limit(&fake, (struct container_limits){.cpu_count = 1}), 0);
	snprintf(want, sizeof(want), "memory 0x2000 0\ncpu 5 %u\nio 0 0 0\n",
		10000 / n);
	ck_assert_str_eq(calls(), want);
	calls_reset(0);
	limit(&fake, (struct container_limits){.cpu_count = UINT32_MAX});
	ck_assert_ptr_nonnull(strstr(calls(), "cpu 5 10000\n"));
	calls_reset(0);
	limit(&fake, (struct container_limits){.cpu_weight = 5000});
	ck_assert_ptr_nonnull(strstr(calls(), "cpu 3 5\n"));
	calls_reset(0);
	limit(&fake, (struct container_limits){.cpu_weight = 10000});
	ck_assert_ptr_nonnull(strstr(calls(), "cpu 3 9\n"));
	calls_reset(0);
	limit(&fake, (struct container_limits){.cpu_maximum = 123});
	ck_assert_ptr_nonnull(strstr(calls(), "cpu 5 123\n"));
	calls_reset(0);
	limit(&fake, (struct container_limits){
			     .io_bandwidth = 7, .io_operations = 8});
	ck_assert_ptr_nonnull(strstr(calls(), "io 1 7 8\n"));
}
END_TEST

START_TEST(test_limits_refused)
{
	struct container_limits two = {.cpu_count = 1, .cpu_weight = 2};
	unsigned n;

	calls_reset(0);
	ck_assert_int_eq(limit(&fake, two), -EINVAL);
	ck_assert_int_eq(
		limit(&fake, (struct container_limits){.cpu_maximum = 10001}),
		-EINVAL);
	ck_assert_int_eq(
		limit(&fake, (struct container_limits){.cpu_weight = 10001}),
		-EINVAL);
	ck_assert_int_eq(
		limit(&fake,
			(struct container_limits){.io_bandwidth = UINT64_MAX}),
		-EINVAL);
	ck_assert_str_eq(calls(), "");
	/* this system has none: they are refused by name, or not missed */
	ck_assert_int_eq(
		limit(&no_io, (struct container_limits){.io_operations = 1}),
		-ENOSYS);
	ck_assert_ptr_nonnull(strstr(e.msg, "storage"));
	ck_assert_int_eq(limit(&no_io, (struct container_limits){0}), 0);
	for (n = 1; n <= 3; n++) {
		calls_reset(n);
		ck_assert_int_lt(
			limit(&fake,
				(struct container_limits){.memory_bytes = 1,
					.cpu_count = 1,
					.io_bandwidth = 1}),
			0);
	}
}
END_TEST

/* ---- processes ---- */

static char table[1024];
static ULONG table_n;
static unsigned asked;

static LONG WINAPI fake_query(int which, void *buf, ULONG n, ULONG *ret_n)
{
	ck_assert_int_eq(which, 5);
	asked++;
	/* as if there were many */
	if (asked == 1)
		return SYSTEM_MORE;
	ck_assert_uint_ge(n, table_n);
	memcpy(buf, table, table_n);
	/* names are where the caller has its room */
	((struct system_process *)buf)->image =
		(const wchar_t *)((char *)buf + 512);
	*ret_n = table_n;
	return 0;
}

static void make_table(uint32_t second_pid)
{
	struct system_process *p = (void *)table;

	memset(table, 0, sizeof(table));
	p->next = 256;
	p->pid = (HANDLE)4;
	p->image_n = 10;
	memcpy(table + 512, L"a.exe", 10);
	p->born = WIN_UNIX_EPOCH + 25000000;
	p->user = 11;
	p->kernel = 12;
	p->commit = 13;
	p->private_bytes = 14;
	p->working_bytes = 20;
	p = (void *)(table + 256);
	p->pid = (HANDLE)(uintptr_t)second_pid;
	p->private_bytes = 4096;
	p->working_bytes = 5; /* less than it can be */
	p->image_n = 60000;
	p->image = (const wchar_t *)0x10;
	table_n = 600;
	asked = 0;
	system_double = fake_query;
}

START_TEST(test_details)
{
	struct process_details p;
	struct details *d;

	make_table(8);
	ck_assert_int_eq(details_take(&d), 0);
	ck_assert_uint_eq(asked, 2);
	ck_assert_int_eq(details_find(d, 4, &p), 0);
	ck_assert_str_eq(p.image, "a.exe");
	ck_assert_int_eq(p.born.tv_sec, 2);
	ck_assert_int_eq(p.born.tv_nsec, 500000000);
	ck_assert_uint_eq(p.user_100ns, 11);
	ck_assert_uint_eq(p.kernel_100ns, 12);
	ck_assert_uint_eq(p.commit_bytes, 13);
	ck_assert_uint_eq(p.private_bytes, 14);
	ck_assert_uint_eq(p.shared_bytes, 6);
	ck_assert_int_eq(details_find(d, 8, &p), 0);
	ck_assert_str_eq(p.image, ""); /* a name that is out of bounds */
	ck_assert_uint_eq(p.shared_bytes, 0);
	ck_assert_int_eq(details_find(d, 9, &p), -ESRCH);
	details_free(d);
	/* a next one that would be out of bounds */
	((struct system_process *)(void *)table)->next = 500;
	ck_assert_int_eq(details_take(&d), 0);
	ck_assert_int_eq(details_find(d, 8, &p), -ESRCH);
	details_free(d);
	system_double = NULL;
	/* Wine has most of it */
	ck_assert_int_eq(details_take(&d), 0);
	ck_assert_int_eq(
		details_find(d, (int64_t)GetCurrentProcessId(), &p), 0);
	ck_assert_ptr_nonnull(strstr(p.image, ".exe"));
	ck_assert_int_ge(p.born.tv_sec, time(NULL) - 600);
	ck_assert_uint_gt(p.shared_bytes, 0);
	details_free(d);
}
END_TEST

/* ---- stats ---- */

static bool has_new_classes;

static BOOL WINAPI fake_job_query(
	HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n, DWORD *ret_n)
{
	JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION *a = info;
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION *x = info;
	struct job_memory_usage *m = info;
	struct job_io_attribution *io = info;

	ck_assert_ptr_null(ret_n);
	switch ((int)which) {
	case JobObjectBasicAndIoAccountingInformation:
		ck_assert_uint_eq(n, sizeof(*a));
		a->BasicInfo.TotalUserTime.QuadPart = 30;
		a->BasicInfo.TotalKernelTime.QuadPart = 12;
		a->IoInfo.ReadOperationCount = 1;
		a->IoInfo.ReadTransferCount = 2;
		a->IoInfo.WriteOperationCount = 3;
		a->IoInfo.WriteTransferCount = 4;
		return TRUE;
	case JobObjectExtendedLimitInformation:
		x->PeakJobMemoryUsed = 99;
		return TRUE;
	case 28:
		ck_assert_uint_eq(n, 16);
		m->bytes = 1000;
		m->peak_bytes = 2000;
		return has_new_classes;
	case 42:
		ck_assert_uint_eq(n, 72);
		ck_assert_uint_eq(io->flags, 1);
		io->reads = (struct job_io){.n = 21, .bytes = 22};
		io->writes = (struct job_io){.n = 23, .bytes = 24};
		return has_new_classes;
	default:
		return QueryInformationJobObject(job, which, info, n, ret_n);
	}
}

/* Each value with the numbers of the fields that lead to it. */
static char told[1024];
static unsigned path[8], depth;

static void on_begin(struct stat_sink *s, unsigned field)
{
	(void)s;
	path[depth++] = field;
}

static void on_end(struct stat_sink *s)
{
	(void)s;
	depth--;
}

static void on_number(struct stat_sink *s, unsigned field, uint64_t v)
{
	unsigned i;

	(void)s;
	for (i = 0; i < depth; i++)
		sprintf(told + strlen(told), "%u.", path[i]);
	/* times are what they are */
	if (path[1] <= 2 && depth == 2)
		v = 0;
	if (depth == 1)
		v = 0;
	sprintf(told + strlen(told), "%u=%llu ", field, (unsigned long long)v);
}

static struct stat_sink sink = {
	.begin = on_begin, .end = on_end, .number = on_number};

static void stats(const struct cgroup *cg)
{
	told[0] = '\0';
	ck_assert_int_eq(cgroup_stats(cg, &sink), CGROUP_JOB);
	ck_assert_uint_eq(depth, 0);
}

START_TEST(test_stats)
{
	struct cgroup *cg;
	struct job *job;

	ck_assert_int_eq(job_new("test-stats", &job, &e), 0);
	job_set_init(job, 4712);
	ck_assert_int_eq(cgroup_open(4712, &cg, &e), 0);
	Sleep(20);
	job_query_double = fake_job_query;
	has_new_classes = true;
	stats(cg);
	/* nothing is in it: no private working set */
	ck_assert_ptr_nonnull(strstr(told, "1.1.1=0 "));
	ck_assert_ptr_nonnull(strstr(told, "1.2.1=0 "));
	ck_assert_ptr_nonnull(strstr(told, "1.3=0 "));
	ck_assert_msg(
		strstr(told,
			"1.4.1=4200 1.4.2=3000 1.4.3=1200 1.5.1=1000 "
			"1.5.2=2000 1.6.1=21 1.6.2=22 1.6.3=23 1.6.4=24 ") !=
			NULL,
		"%s", told);
	has_new_classes = false;
	stats(cg);
	ck_assert_msg(
		strstr(told, "1.5.2=99 1.6.1=1 1.6.2=2 1.6.3=3 1.6.4=4 ") !=
			NULL,
		"%s", told);
	job_query_double = NULL;
	job_free(job);
	cgroup_close(cg);
}
END_TEST

static void on_ready(void *arg)
{
	(void)arg;
}

/* Of a process that is there: the system's list has what is its own. */
START_TEST(test_stats_of_processes)
{
	struct event_base *base = event_base_new();
	const char *argv[] = {own_path(), "child", "sleep", NULL};
	struct process_spec spec = {.argv = argv};
	struct spawn how = {.spec = &spec, .suspended = true};
	struct exit_source *source;
	struct process_exit x;
	struct cgroup *cg;
	struct job *job;
	int64_t pid;

	ck_assert_int_eq(exit_source_new(base, on_ready, NULL, &source, &e), 0);
	ck_assert_int_eq(job_new("test-private", &job, &e), 0);
	how.job = job_handle(job);
	ck_assert_int_eq(process_spawn_with(&how, &pid, &e), 0);
	job_set_init(job, pid);
	ck_assert_int_eq(cgroup_open(pid, &cg, &e), 0);
	make_table((uint32_t)pid);
	stats(cg);
	system_double = NULL;
	ck_assert_msg(strstr(told, "1.5.3=4096 ") != NULL, "%s", told);
	job_free(job);
	cgroup_close(cg);
	ck_assert(wait_for(base, exit_source_next_of(source, pid, &x)));
	exit_source_free(source);
	event_base_free(base);
}
END_TEST

/* ---- out of memory ---- */

#define JOB_KEYS 64

static unsigned hints;

static void on_oom(void *arg)
{
	(void)arg;
	hints++;
}

/* A message as the system posts it. The port is somewhere among the handles;
 * keys of jobs begin at 17 (port.c), others are nobody's. */
static void say(DWORD message, DWORD pid)
{
	ULONG_PTR h, key;

	for (h = 4; h < 0x1000; h += 4) {
		if (!PostQueuedCompletionStatus(
			    (HANDLE)h, 0, 16, NULL)) /* no port */
			continue;
		for (key = 17; key < 17 + JOB_KEYS; key++)
			PostQueuedCompletionStatus((HANDLE)h, message, key,
				(OVERLAPPED *)(uintptr_t)pid);
	}
}

START_TEST(test_oom)
{
	struct event_base *base = event_base_new();
	struct cgroup *cg;
	struct job *job;
	unsigned i;

	hints = 0;
	ck_assert_int_eq(job_new("test-oom", &job, &e), 0);
	job_set_init(job, 4713);
	ck_assert_int_eq(cgroup_open(4713, &cg, &e), 0);
	ck_assert_int_eq(cgroup_watch_oom(cg, base, on_oom, NULL, &e), 0);
	say(JOB_OBJECT_MSG_NEW_PROCESS, 100);
	say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, 100);
	ck_assert(wait_for(base, cgroup_oom_kills(cg) == 1 && hints == 1));
	/* it asks again and again: that is known */
	for (i = 0; i < 10; i++)
		say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, 100);
	say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, 104);
	ck_assert(wait_for(base, cgroup_oom_kills(cg) == 2 && hints == 2));
	loop_settle(base);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 2);
	ck_assert_uint_eq(hints, 2);
	/* somebody else gets its pid */
	say(JOB_OBJECT_MSG_EXIT_PROCESS, 100);
	say(JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT, 100);
	ck_assert(wait_for(base, cgroup_oom_kills(cg) == 3 && hints == 3));
	cgroup_close(cg);
	say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, 108);
	loop_settle(base);
	ck_assert_uint_eq(hints, 3);
	job_free(job);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_limits, test_limits_refused,
		test_details, test_stats, test_stats_of_processes, test_oom,
		NULL};

	child_main();
	return suite_run("windows job stats", tests);
}
