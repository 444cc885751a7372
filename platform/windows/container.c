/* SPDX-License-Identifier: Apache-2.0 */
/* Host-process containers: job objects (job.h). Others are passed on to
 * isolated.h. */
#include "platform/container.h"

#include <stdlib.h>

#include "platform/cgroup.h"
#include "platform/windows/conpty.h"
#include "platform/windows/isolated.h"
#include "platform/windows/job.h"
#include "platform/windows/spawn.h"

struct container {
	struct job *job;
	int64_t init;
	bool started;
	struct isolated *isolated; /* instead of all this */
};

static int limit(struct container *c, const struct container_limits *limits,
	struct err *e);

int container_new(const char *id, const struct container_limits *limits,
	struct container **ret, struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	r = job_new(id, &c->job, e);
	if (r == 0)
		r = limit(c, limits, e);
	if (r < 0)
		container_free(c);
	else
		*ret = c;
	return r;
}

int container_new_isolated(struct event_base *base, const char *id,
	const struct container_limits *limits, const struct isolation *iso,
	struct container **ret, struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	r = isolated_new(base, id, limits, iso, &c->isolated, e);
	if (r < 0)
		free(c);
	else
		*ret = c;
	return r;
}

int container_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct container **ret, struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	r = isolated_new_guest(base, id, guest, &c->isolated, e);
	if (r < 0)
		free(c);
	else
		*ret = c;
	return r;
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
	return SetInformationJobObject(
		       job, JobObjectExtendedLimitInformation, &x, sizeof(x))
		       ? 0
		       : win_last();
}

static DWORD processors(void)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	return info.dwNumberOfProcessors ? info.dwNumberOfProcessors : 1;
}

/* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION: the rate is in 1/100 percent of all
 * processors, the weight 1 to 9. */
static int limit_cpu(HANDLE job, const struct container_limits *l)
{
	JOBOBJECT_CPU_RATE_CONTROL_INFORMATION x = {
		.ControlFlags = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE};
	uint64_t rate = l->cpu_maximum;

	if (l->cpu_count)
		rate = (uint64_t)l->cpu_count * 10000 / processors();
	if (rate) {
		x.ControlFlags |= JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
		x.CpuRate = rate > 10000 ? 10000 : (DWORD)rate;
	} else if (l->cpu_weight) {
		x.ControlFlags |= JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED;
		x.Weight = 1 + 8 * l->cpu_weight / 10000;
	} else {
		return 0;
	}
	return SetInformationJobObject(
		       job, JobObjectCpuRateControlInformation, &x, sizeof(x))
		       ? 0
		       : win_last();
}

static int limit(struct container *c, const struct container_limits *limits,
	struct err *e)
{
	HANDLE job = job_handle(c->job);
	int r;

	if (!!limits->cpu_count + !!limits->cpu_maximum + !!limits->cpu_weight >
		1)
		return err_set(e, -EINVAL,
			"only one of the CPU's count, maximum and weight may "
			"be set");
	if (limits->cpu_maximum > 10000 || limits->cpu_weight > 10000)
		return err_set(e, -EINVAL,
			"the CPU's maximum and weight are 10000 at most");
	r = limit_memory(job, limits->memory_bytes);
	if (r < 0)
		return err_sys(e, r, "memory limit of the job");
	r = limit_cpu(job, limits);
	return r < 0 ? err_sys(e, r, "CPU limit of the job") : 0;
}

int container_limit(struct container *c, const struct container_limits *limits,
	const struct container_later *later, struct err *e)
{
	return c->isolated ? isolated_limit(c->isolated, limits, later, e)
			   : limit(c, limits, e);
}

/* ---- programs ---- */

struct list {
	const char **at;
	char **own; /* those that are ours to free */
	size_t n, n_own;
};

static void list_clear(struct list *l)
{
	while (l->n_own > 0)
		free(l->own[--l->n_own]);
	free(l->own);
	free(l->at);
}

/* This process's environment, then theirs: of two the last one holds. */
static int merge_environment(const char *const *theirs, struct list *l)
{
	wchar_t *block = GetEnvironmentStringsW(), *p;
	size_t n = 0, more = 0;
	int r = 0;

	if (!block)
		return -ENOMEM;
	for (p = block; *p; p += wcslen(p) + 1)
		n++;
	while (theirs && theirs[more])
		more++;
	l->at = calloc(n + more + 1, sizeof(*l->at));
	l->own = calloc(n + 1, sizeof(*l->own));
	if (!l->at || !l->own)
		r = -ENOMEM;
	for (p = block; r == 0 && *p; p += wcslen(p) + 1) {
		size_t room = 4 * wcslen(p) + 1;
		char *text = malloc(room);

		r = text ? win_narrow(p, text, room) : -ENOMEM;
		if (r < 0) {
			free(text);
			break;
		}
		l->own[l->n_own++] = text;
		l->at[l->n++] = text;
	}
	FreeEnvironmentStringsW(block);
	for (n = 0; r == 0 && n < more; n++)
		l->at[l->n++] = theirs[n];
	return r;
}

static int spawn(struct container *c, const struct container_program *p,
	bool suspended, int64_t *ret_pid, struct err *e)
{
	struct process_spec spec = p->process;
	struct spawn how = {.spec = &spec,
		.line = p->command_line,
		.job = job_handle(c->job),
		.suspended = suspended};
	struct list env = {0};
	int r = merge_environment(p->process.envp, &env);

	spec.envp = env.at;
	if (r < 0)
		err_sys(e, r, "environment of '%s'", spec.argv[0]);
	else if (p->console && (r = console_pty(p->console, &how.console)) < 0)
		err_sys(e, r, "pseudo console");
	else
		r = process_spawn_with(&how, ret_pid, e);
	list_clear(&env);
	return r;
}

int container_create(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	int r;

	if (c->isolated)
		return isolated_create(c->isolated, p, later, e);
	r = spawn(c, p, true, ret_pid, e);
	if (r < 0)
		return r;
	c->init = *ret_pid;
	job_set_init(c->job, *ret_pid);
	return 0;
}

int container_start(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	int r;

	if (c->isolated)
		return isolated_start(c->isolated, p, later, e);
	r = process_resume(c->init);
	if (r < 0)
		return err_sys(
			e, r, "let process %lld run", (long long)c->init);
	c->started = true;
	*ret_pid = c->init;
	return 0;
}

int container_exec(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	return c->isolated ? isolated_exec(c->isolated, p, later, e)
			   : spawn(c, p, false, ret_pid, e);
}

struct signaling {
	uint32_t signal;
	int r;
};

static void signal_one(int64_t pid, void *arg)
{
	struct signaling *s = arg;
	struct process_ref *ref;
	int r = job_is_conhost(pid) ? -ESRCH : process_ref_open(pid, &ref);

	if (r == 0) {
		r = process_ref_signal(ref, s->signal);
		process_ref_close(ref);
	}
	if (s->r == -ESRCH || (r < 0 && r != -ESRCH))
		s->r = r;
}

int container_signal(struct container *c, uint32_t signal)
{
	struct signaling s = {.signal = signal, .r = -ESRCH};
	struct cgroup *cg;
	int r;

	if (c->isolated)
		return isolated_signal(c->isolated, signal);
	r = cgroup_open(c->init, &cg, NULL);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	r = cgroup_each_pid(cg, signal_one, &s);
	cgroup_close(cg);
	return r < 0 ? r : s.r;
}

int container_signal_early(struct container *c, uint32_t signal)
{
	return c->isolated ? isolated_signal_early(c->isolated, signal)
			   : -EBUSY;
}

int container_end(
	struct container *c, const struct container_later *later, struct err *e)
{
	return c->isolated ? isolated_end(c->isolated, later, e) : 0;
}

void container_free(struct container *c)
{
	if (!c)
		return;
	isolated_close(c->isolated);
	job_free(c->job);
	free(c);
}
