/* SPDX-License-Identifier: Apache-2.0 */
/* A container's group of processes is a job object. */
#include "platform/cgroup.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/process.h"
#include "platform/windows/access.h"
#include "platform/windows/isolated.h"
#include "platform/windows/job.h"
#include "platform/windows/job_stats.h"
#include "platform/windows/port.h"
#include "platform/windows/spawn.h"

struct job {
	struct job *next;
	HANDLE h;
	int64_t init;
};

/* A handle of its own, so that job_free() and cgroup_close() may come in any
 * order. */
struct cgroup {
	struct isolated *isolated; /* instead of all that follows */
	HANDLE h;
	uint64_t born; /* FILETIME: when it was opened */
	struct watch *watch;
	uint64_t told_ms; /* when all were told to shut down; 0: not yet */
};

/* Of how many processes it is known that they ran out of memory. */
#define OOM_PIDS 64

struct watch {
	struct port_op op; /* first */
	ULONG_PTR key;
	struct port_loop *loop;
	volatile LONG posted;
	volatile LONG64 ooms;
	DWORD pids[OOM_PIDS]; /* that have been counted; 0: none */
	unsigned next_pid;
	void (*hint)(void *arg);
	void *arg;
};

/* How long a job of the same name may take to go. */
#define NAME_MS 500

/* Found by pid, as the kernel of Linux finds a cgroup. */
static struct job *jobs;

static bool has_processes(HANDLE h)
{
	JOBOBJECT_BASIC_ACCOUNTING_INFORMATION now;

	return !QueryInformationJobObject(h,
		       JobObjectBasicAccountingInformation, &now, sizeof(now),
		       NULL) ||
	       now.ActiveProcesses > 0;
}

/* A job is there for as long as one of its processes is, which a container that
 * has just been deleted may have for a moment. One without any is as good as a
 * new one, if it is not somebody else's who took the name to have a hand in it.
 */
static int open_job(const wchar_t *name, SECURITY_ATTRIBUTES *sa, HANDLE *ret)
{
	unsigned waited;

	for (waited = 0; waited < NAME_MS; waited += 10) {
		HANDLE h = CreateJobObjectW(sa, name);

		if (!h)
			return win_last();
		if (GetLastError() != ERROR_ALREADY_EXISTS ||
			(!has_processes(h) &&
				access_is_ours(h, SE_KERNEL_OBJECT))) {
			*ret = h;
			return 0;
		}
		CloseHandle(h);
		Sleep(10);
	}
	return -EEXIST;
}

int job_new(const char *id, struct job **ret, struct err *e)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
		.BasicLimitInformation.LimitFlags =
			JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
	struct job *job = calloc(1, sizeof(*job));
	SECURITY_ATTRIBUTES sa;
	wchar_t name[160];
	int r;

	if (!job)
		return err_set(e, -ENOMEM, "no memory for a job");
	_snwprintf(name, 160, L"JobContainer_%hs", id);
	r = access_open(ACCESS_US, &sa);
	if (r == 0)
		r = open_job(name, &sa, &job->h);
	access_close(&sa);
	if (r == 0 && !SetInformationJobObject(job->h,
			      JobObjectExtendedLimitInformation, &limits,
			      sizeof(limits)))
		r = win_last();
	if (r < 0) {
		handle_close(&job->h);
		free(job);
		return err_sys(e, r, "job object 'JobContainer_%s'", id);
	}
	job_count_storage(job->h);
	job->next = jobs;
	jobs = job;
	*ret = job;
	return 0;
}

int job_open(const char *id, struct job **ret, struct err *e)
{
	struct job *job = calloc(1, sizeof(*job));
	wchar_t name[160];
	int r = 0;

	if (!job)
		return err_set(e, -ENOMEM, "no memory for a job");
	_snwprintf(name, 160, L"JobContainer_%hs", id);
	job->h = OpenJobObjectW(
		JOB_OBJECT_QUERY | JOB_OBJECT_TERMINATE | READ_CONTROL, FALSE,
		name);
	if (!job->h)
		r = win_last();
	else if (!access_is_ours(job->h, SE_KERNEL_OBJECT))
		r = -EACCES;
	if (r < 0) {
		handle_close(&job->h);
		free(job);
		return err_sys(e, r, "job object 'JobContainer_%s'", id);
	}
	job->next = jobs;
	jobs = job;
	*ret = job;
	return 0;
}

int job_end(struct job *job, uint32_t status, struct err *e)
{
	uint64_t end = GetTickCount64() + JOB_END_MS;

	/* what is being started may come after the first time */
	while (has_processes(job->h) && GetTickCount64() < end) {
		if (!TerminateJobObject(job->h, status))
			return err_sys(
				e, win_last(), "end the job's processes");
		Sleep(10);
	}
	return has_processes(job->h)
		       ? err_set(e, -ETIMEDOUT,
				 "the job's processes have been terminated, "
				 "and have not ended within %d ms",
				 JOB_END_MS)
		       : 0;
}

HANDLE job_handle(const struct job *job)
{
	return job->h;
}

void job_set_init(struct job *job, int64_t pid)
{
	job->init = pid;
}

void job_free(struct job *job)
{
	struct job **at = &jobs;

	if (!job)
		return;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	TerminateJobObject(job->h, 1);
	handle_close(&job->h);
	free(job);
}

static uint64_t now(void)
{
	FILETIME ft;

	GetSystemTimeAsFileTime(&ft);
	return (uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime;
}

int cgroup_open(int64_t pid, struct cgroup **ret, struct err *e)
{
	HANDLE self = GetCurrentProcess();
	struct isolated *isolated = isolated_get(pid);
	struct job *job = jobs;
	struct cgroup *cg;

	if (isolated) {
		cg = calloc(1, sizeof(*cg));
		if (!cg) {
			isolated_put(isolated);
			return err_sys(e, -ENOMEM, "a container's group");
		}
		cg->isolated = isolated;
		*ret = cg;
		return 0;
	}
	while (job && job->init != pid)
		job = job->next;
	if (!job)
		return err_set(e, -ENOENT,
			"process %lld is the first one of no job of ours",
			(long long)pid);
	cg = calloc(1, sizeof(*cg));
	if (!cg || !DuplicateHandle(self, job->h, self, &cg->h, 0, FALSE,
			   DUPLICATE_SAME_ACCESS)) {
		int r = cg ? win_last() : -ENOMEM;

		free(cg);
		return err_sys(e, r, "job of process %lld", (long long)pid);
	}
	cg->born = now();
	*ret = cg;
	return 0;
}

/* As many as there are; fresh memory, NULL without memory. */
JOBOBJECT_BASIC_PROCESS_ID_LIST *cgroup_list_pids(const struct cgroup *cg)
{
	size_t room = 64;

	for (;;) {
		size_t n = sizeof(JOBOBJECT_BASIC_PROCESS_ID_LIST) +
			   room * sizeof(ULONG_PTR);
		JOBOBJECT_BASIC_PROCESS_ID_LIST *list = calloc(1, n);
		DWORD got;

		if (!list)
			return NULL;
		if (QueryInformationJobObject(cg->h,
			    JobObjectBasicProcessIdList, list, (DWORD)n, &got))
			return list;
		free(list);
		if (GetLastError() != ERROR_MORE_DATA || room > 1 << 20)
			return NULL;
		room *= 2;
	}
}

int cgroup_each_pid(
	struct cgroup *cg, void (*each)(int64_t pid, void *arg), void *arg)
{
	JOBOBJECT_BASIC_PROCESS_ID_LIST *list;
	DWORD i;

	if (cg->isolated) {
		isolated_each_pid(cg->isolated, each, arg);
		return 0;
	}
	list = cgroup_list_pids(cg);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < list->NumberOfProcessIdsInList; i++)
		each((int64_t)list->ProcessIdList[i], arg);
	free(list);
	return 0;
}

bool job_is_conhost(int64_t pid)
{
	auto_handle HANDLE h = OpenProcess(
		PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
	wchar_t path[WIN_PATH_MAX];
	DWORD n = WIN_PATH_MAX;
	const wchar_t *name;

	if (!h || !QueryFullProcessImageNameW(h, 0, path, &n))
		return true; /* it is about to go */
	name = wcsrchr(path, L'\\');
	return _wcsicmp(name ? name + 1 : path, L"conhost.exe") == 0;
}

int job_open_process(HANDLE job, int64_t pid, struct process_ref **ret)
{
	BOOL is_in = FALSE;
	int r = process_ref_open(pid, ret);

	if (r < 0)
		return r;
	if (IsProcessInJob(process_ref_handle(*ret), job, &is_in) && is_in &&
		!job_is_conhost(pid))
		return 0;
	process_ref_close(*ret);
	return -ESRCH;
}

static void shut_down(int64_t pid, void *arg)
{
	const struct cgroup *cg = arg;
	struct process_ref *ref;

	if (job_open_process(cg->h, pid, &ref) < 0)
		return;
	process_ref_signal(ref, CTRL_SHUTDOWN_EVENT);
	process_ref_close(ref);
}

int cgroup_kill(struct cgroup *cg)
{
	JOBOBJECT_BASIC_ACCOUNTING_INFORMATION left;

	if (cg->isolated)
		return isolated_kill_round(cg->isolated);
	if (!cg->told_ms) {
		cg->told_ms = GetTickCount64();
		cgroup_each_pid(cg, shut_down, cg);
	} else if (GetTickCount64() - cg->told_ms >= CGROUP_SHUTDOWN_MS) {
		TerminateJobObject(cg->h, 1); /* or in the next round */
	}
	/* a job is there while this handle is: an error is that of a moment,
	 * and not known to be empty is not empty */
	return QueryInformationJobObject(cg->h,
		       JobObjectBasicAccountingInformation, &left, sizeof(left),
		       NULL)
		       ? (int)left.ActiveProcesses
		       : 1;
}

HANDLE cgroup_job(const struct cgroup *cg)
{
	return cg->h;
}

uint64_t cgroup_born(const struct cgroup *cg)
{
	return cg->born;
}

/* A program that gets no memory may ask again and again, and each time the
 * system says so: a process counts once. pids are looked at by the port's
 * thread alone. */
static bool is_first_time(struct watch *w, DWORD pid)
{
	size_t i;

	for (i = 0; pid && i < OOM_PIDS; i++)
		if (w->pids[i] == pid)
			return false;
	w->pids[w->next_pid++ % OOM_PIDS] = pid;
	return true;
}

static void forget(struct watch *w, DWORD pid)
{
	size_t i;

	for (i = 0; i < OOM_PIDS; i++)
		if (w->pids[i] == pid)
			w->pids[i] = 0;
}

/* In the port's thread. */
static void job_said(DWORD message, DWORD pid, void *arg)
{
	struct watch *w = arg;

	if (message == JOB_OBJECT_MSG_EXIT_PROCESS ||
		message == JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS)
		forget(w, pid);
	if (message != JOB_OBJECT_MSG_JOB_MEMORY_LIMIT &&
		message != JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT)
		return;
	if (!is_first_time(w, pid))
		return;
	InterlockedIncrement64(&w->ooms);
	if (InterlockedExchange(&w->posted, 1) == 0)
		port_post(&w->op, 0);
}

static void told(struct port_op *op)
{
	struct watch *w = (struct watch *)op;

	port_begin(&w->op);
	InterlockedExchange(&w->posted, 0);
	w->hint(w->arg);
}

struct isolated *cgroup_isolated(const struct cgroup *cg)
{
	return cg->isolated;
}

int cgroup_refresh(struct cgroup *cg,
	void (*done)(int r, const struct err *e, void *arg), void *arg,
	struct err *e)
{
	return cg->isolated ? isolated_refresh(cg->isolated, done, arg, e) : 0;
}

int cgroup_watch_oom(struct cgroup *cg, struct event_base *base,
	void (*hint)(void *arg), void *arg, struct err *e)
{
	struct watch *w;
	int r;

	if (cg->isolated)
		return 0; /* the service does not tell */
	w = calloc(1, sizeof(*w));
	r = w ? port_loop_get(base, &w->loop) : -ENOMEM;
	if (r < 0) {
		free(w);
		return err_sys(e, r, "watch a job");
	}
	w->op.loop = w->loop;
	w->op.done = told;
	w->hint = hint;
	w->arg = arg;
	port_begin(&w->op);
	r = port_watch_job(cg->h, job_said, w, &w->key);
	if (r < 0) {
		port_loop_put(w->loop);
		free(w);
		return err_sys(e, r, "watch a job");
	}
	cg->watch = w;
	return 0;
}

uint64_t cgroup_oom_kills(struct cgroup *cg)
{
	return cg->watch ? (uint64_t)cg->watch->ooms : 0;
}

void cgroup_close(struct cgroup *cg)
{
	struct watch *w;

	if (!cg)
		return;
	w = cg->watch;
	if (w) {
		struct port_loop *loop = w->loop;

		port_unwatch_job(w->key);
		if (!w->posted)
			port_ended(&w->op);
		port_abandon(&w->op, NULL);
		port_loop_put(loop);
	}
	isolated_put(cg->isolated);
	handle_close(&cg->h);
	free(cg);
}

/* A process is born into its job, by whoever starts it. */
int cgroup_join(const char *path, struct err *e)
{
	return err_set(e, -ENOSYS,
		"'%s': there are no groups to join on Windows", path);
}

int cgroup_to_be(const char *path, char *ret, size_t n)
{
	(void)path;
	(void)ret;
	(void)n;
	return -ENOENT;
}

/* A job goes with its last handle. */
void cgroup_remove_empty(const char *folder)
{
	(void)folder;
}
