/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/cgroup.h"
#include "platform/host.h"
#include "platform/process.h"
#include "shim/events.h"
#include "shim/explain.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/task.h"

static void release_finish(struct task *t, int r, const struct err *e)
{
	task_done released = t->released;

	t->releasing = false;
	if (!released) {
		task_free(t);
		return;
	}
	released(r, e, t->released_arg);
}

/* What the runtime held is gone, or it won't let go. */
static void release_rest(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	bool forgotten = r == 0;
	struct err own;

	if (r < 0 && t->init.state == TASK_DELETING) {
		release_finish(t, r, e);
		return;
	}
	if (r < 0)
		log_warn(t->id, "%s", e->msg);
	t->runtime_ran = false;
	explain_free(ptr_take(&t->explain));
	bundle_remove_cgroup(t->bundle.dir);
	r = 0;
	if (t->mounted)
		r = bundle_unmount(t->bundle.dir, &own);
	if (r == 0)
		t->mounted = false;
	/* containerd from 1.7 on runs our `delete` after every deletion: with
	 * this it has nothing to do, and without it no more than before */
	if (r == 0 && forgotten)
		(void)bundle_write(t->bundle.dir, BUNDLE_RELEASED, "", &own);
	cgroup_close(t->cgroup);
	t->cgroup = NULL;
	release_finish(t, r, r < 0 ? &own : NULL);
}

void task_release(struct task *t, task_done done, void *arg)
{
	struct err e;

	t->releasing = true;
	t->released = done;
	t->released_arg = arg;
	if (!t->runtime_ran) {
		release_rest(0, NULL, t);
		return;
	}
	if (runtime_delete(&t->runtime, release_rest, t, &e) < 0)
		release_rest(e.code, &e, t);
}

static void answer_deleters(struct proc *p, int r, const struct err *e)
{
	while (p->deleters) {
		struct waiter *w = p->deleters;

		p->deleters = w->next;
		w->cb(r, e, w->arg);
	}
}

static void task_deleted(int r, const struct err *e, void *arg)
{
	struct task *t = arg;
	struct tasks *ts = t->tasks;

	if (r < 0) {
		proc_set(&t->init, EV_DELETE_FAILED, NULL);
		answer_deleters(&t->init, r, e);
		return;
	}
	events_delete(t);
	tasks_remember(ts, &t->init);
	task_unlink(t);
	answer_deleters(&t->init, 0, NULL);
	task_free(t);
	host_trim_memory();
}

static void exec_deleted(struct proc *p)
{
	struct task *t = p->task;
	struct proc **at = &t->execs;

	tasks_remember(t->tasks, p);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	answer_deleters(p, 0, NULL);
	proc_clear(p);
	free(p);
	host_trim_memory();
}

static void output_ended(void *arg)
{
	struct proc *p = arg;

	if (proc_is_init(p))
		task_release(p->task, task_deleted, p->task);
	else
		exec_deleted(p);
}

static void drained(void *arg)
{
	struct proc *p = arg;
	struct task *t = p->task;

	if (p->stdio && stdio_was_cut(p->stdio))
		log_warn(t->id,
			"%s%s: output was still held open, or not read, when "
			"it was deleted",
			proc_is_init(p) ? "init" : "exec ", p->id);
	if (p->stdio && stdio_lost(p->stdio) > 0)
		log_warn(t->id, "%s%s: %" PRIu64 " bytes of output were lost",
			proc_is_init(p) ? "init" : "exec ", p->id,
			stdio_lost(p->stdio));
	proc_close_stdio(p, output_ended, p);
}

void proc_delete_exited(struct proc *p)
{
	if (p->stdio && p->pid)
		stdio_drain(p->stdio, drained, p);
	else
		drained(p);
}

/* A daemon that came back in the middle of a create wants to be rid of it: the
 * runtime is killed, and what follows is a failed create, which answers. */
static void cancel_create(struct proc *p, struct waiter *w)
{
	w->next = p->deleters;
	p->deleters = w;
	p->status = 128 + SIGKILL;
	clock_gettime(CLOCK_REALTIME, &p->exited_at);
	if (p->loggers)
		loggers_cancel(p->loggers);
	if (p->task->explain)
		explain_cancel(p->task->explain);
	if (p->task->creating)
		runtime_cancel(p->task->creating);
}

int proc_delete(struct proc *p, struct waiter *w, struct err *e)
{
	bool under_way = p->state == TASK_DELETING;
	int r = under_way ? 0 : proc_set(p, EV_DELETE, e);

	if (r < 0)
		return r;
	if (p->state == TASK_CREATING) {
		cancel_create(p, w);
		return 0;
	}
	w->next = p->deleters;
	p->deleters = w;
	if (under_way)
		return 0;
	if (!p->pid || p->published)
		proc_delete_exited(p);
	else if (p->ref) /* it was made, but never started */
		process_ref_signal(p->ref, SIGKILL);
	return 0;
}
