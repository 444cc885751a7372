/* SPDX-License-Identifier: Apache-2.0 */
/* Host-process containers: job objects (job.h). Others are passed on to
 * isolated.h. */
#include "platform/container.h"

#include <stdlib.h>

#include "platform/auto.h"
#include "platform/cgroup.h"
#include "platform/file.h"
#include "platform/guest.h"
#include "platform/windows/conpty.h"
#include "platform/windows/isolated.h"
#include "platform/windows/job.h"
#include "platform/windows/job_limits.h"
#include "platform/windows/job_program.h"
#include "platform/windows/job_root.h"
#include "platform/windows/job_undo.h"
#include "platform/windows/job_user.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/spawn.h"

struct container {
	struct job *job;
	struct undo *undo;
	struct job_root root;
	HANDLE token; /* NULL: this process's */
	int64_t init;
	bool started;
	bool lost; /* another process made it: container_lost() */
	struct isolated *isolated; /* instead of all this */
};

static int set_up(struct container *c, const struct container_config *config,
	struct err *e)
{
	int r = undo_new(config->notes, &c->undo, e);

	if (r == 0)
		r = undo_add(c->undo, UNDO_JOB, config->id, e);
	if (r == 0)
		r = job_new(config->id, &c->job, e);
	if (r == 0)
		r = job_limit(job_handle(c->job), &config->limits, e);
	if (r == 0)
		r = job_root_set_up(
			job_handle(c->job), config, c->undo, &c->root, e);
	if (r == 0 && !config->inherit_user)
		r = user_token(config->id, config->user, c->undo, &c->token, e);
	return r;
}

int container_new(const struct container_config *config, struct container **ret,
	struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	r = set_up(c, config, e);
	if (r < 0)
		container_free(c);
	else
		*ret = c;
	return r;
}

/* Before it is made. */
static int note(struct container *c, const char *notes, const char *id,
	const char *disk, struct err *e)
{
	int r = undo_new(notes, &c->undo, e);

	if (r == 0)
		r = undo_add(c->undo, UNDO_SYSTEM, id, e);
	if (r == 0 && disk)
		r = undo_add(c->undo, UNDO_MACHINE, disk, e);
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
	if (r == 0)
		r = note(c, iso->notes, id, NULL, e);
	if (r < 0)
		container_free(c);
	else
		*ret = c;
	return r;
}

int container_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct container **ret, struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	char disk[FILE_PATH_MAX];
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	r = isolated_new_guest(base, id, guest, &c->isolated, e);
	if (r == 0)
		r = lcow_scratch_disk(guest, disk, sizeof(disk), e);
	if (r == 0)
		r = note(c, guest->notes, id, disk, e);
	if (r < 0)
		container_free(c);
	else
		*ret = c;
	return r;
}

const char *container_root(const struct container *c)
{
	return *c->root.path ? c->root.path : NULL;
}

int container_limit(struct container *c, const struct container_limits *limits,
	const struct container_later *later, struct err *e)
{
	return c->isolated ? isolated_limit(c->isolated, limits, later, e)
			   : job_limit(job_handle(c->job), limits, e);
}

/* ---- programs ---- */

static int spawn(struct container *c, const struct container_program *p,
	bool suspended, int64_t *ret_pid, struct err *e)
{
	struct process_spec spec = p->process;
	struct spawn how = {.spec = &spec,
		.job = job_handle(c->job),
		.token = c->token,
		.suspended = suspended};
	struct job_program found;
	int r = job_program_find(p, &c->root, c->token, &found, e);

	spec.envp = (const char *const *)found.env;
	spec.cwd = found.cwd;
	how.program = found.path;
	how.line = found.line;
	if (r == 0 && p->console) {
		r = console_pty(p->console, &how.console);
		if (r < 0)
			err_sys(e, r, "pseudo console");
	}
	if (r == 0)
		r = process_spawn_with(&how, ret_pid, e);
	job_program_clear(&found);
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
	HANDLE job;
	uint32_t signal;
	int r;
};

static void signal_one(int64_t pid, void *arg)
{
	struct signaling *s = arg;
	struct process_ref *ref;
	int r = job_open_process(s->job, pid, &ref);

	if (r == 0) {
		r = process_ref_signal(ref, s->signal);
		process_ref_close(ref);
	}
	if (s->r == -ESRCH || (r < 0 && r != -ESRCH))
		s->r = r;
}

int container_signal(struct container *c, uint32_t signal)
{
	struct signaling s = {
		.job = job_handle(c->job), .signal = signal, .r = -ESRCH};
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

/* What a daemon is told of a container whose shim it has lost. */
#define LOST_STATUS 255

int container_end(
	struct container *c, const struct container_later *later, struct err *e)
{
	if (c->isolated)
		return isolated_end(c->isolated, later, e);
	return c->lost && c->job ? job_end(c->job, LOST_STATUS, e) : 0;
}

void container_free(struct container *c)
{
	if (!c)
		return;
	isolated_close(c->isolated);
	job_free(c->job);
	handle_close(&c->token);
	/* what can't be undone now stays in the notes */
	if (c->undo)
		undo_all(c->undo, NULL);
	undo_free(c->undo);
	free(c);
}

/* What c->undo tells of, as far as it is still there. */
static int find_lost(struct container *c, struct event_base *base,
	const char *id, struct err *e)
{
	auto_free char *job = NULL, *system = NULL, *disk = NULL;
	int r = undo_find(c->undo, UNDO_JOB, &job);

	if (r == 0)
		r = undo_find(c->undo, UNDO_SYSTEM, &system);
	if (r == 0)
		r = undo_find(c->undo, UNDO_MACHINE, &disk);
	if (r < 0)
		return err_sys(e, r, "container '%s'", id);
	if (job) {
		r = job_open(id, &c->job, e);
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0 && system)
		r = isolated_open(base, id, disk, &c->isolated, e);
	return r;
}

int container_lost(struct event_base *base, const char *id, const char *notes,
	struct container **ret, struct err *e)
{
	struct container *c = calloc(1, sizeof(*c));
	struct err own;
	int r;

	*ret = NULL;
	if (!c)
		return err_set(e, -ENOMEM, "no memory for a container");
	c->lost = true;
	r = undo_load(notes, &c->undo, &own);
	if (r < 0) {
		free(c);
		return r == -ENOENT ? 0 : err_set(e, r, "%s", own.msg);
	}
	r = find_lost(c, base, id, e);
	if (r < 0) { /* the notes stay */
		undo_free(c->undo);
		c->undo = NULL;
		container_free(c);
	} else {
		*ret = c;
	}
	return r;
}

int container_forget(const char *notes, struct err *e)
{
	struct undo *undo;
	struct err own;
	int r = undo_load(notes, &undo, &own);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(e, r, "%s", own.msg);
	r = undo_all(undo, e);
	undo_free(undo);
	return r;
}
