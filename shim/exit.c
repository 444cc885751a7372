/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <inttypes.h>

#include "io/stdio.h"
#include "platform/cgroup.h"
#include "platform/process.h"
#include "shim/events.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/task.h"

/* After init's exit: how often, and how many times, its container is looked
 * through for processes that are left. */
#define LEFTOVER_MS 50
#define LEFTOVER_ROUNDS 200

/* How long an exit waits for a reader, and how long between two looks. */
#define HOLD_MS 2000
#define HOLD_TICK_MS 50

static void publish_exit(struct proc *p)
{
	p->published = true;
	events_exit(p);
	while (p->waiters) {
		struct waiter *w = p->waiters;

		p->waiters = w->next;
		w->cb(0, NULL, w->arg);
	}
	if (p->state == TASK_DELETING)
		proc_delete_exited(p);
}

static void hold_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	task_settle(arg);
}

static bool hold(struct task *t, unsigned ms)
{
	struct timeval tv = {.tv_usec = ms * 1000};

	if (!t->hold)
		t->hold = event_new(task_config(t)->base, -1, 0, hold_tick, t);
	return t->hold && event_add(t->hold, &tv) == 0;
}

/*
 * Clients up to containerd 1.6 stop reading as soon as they hear of the exit.
 * So it is told when the readers have what was written, or are not there, or
 * have had time enough: a stalled one does not hold it for long.
 */
static bool held_for_reader(struct proc *p)
{
	unsigned tick = p->held_ms > HOLD_TICK_MS ? HOLD_TICK_MS : p->held_ms;

	if (!p->stdio || p->held_ms >= HOLD_MS || !stdio_is_unread(p->stdio))
		return false;
	if (p->task->hold && event_pending(p->task->hold, EV_TIMEOUT, NULL))
		return true;
	tick = tick > 0 ? tick : 1;
	p->held_ms += tick;
	return hold(p->task, tick);
}

/* Its state changes as soon as its start is settled; everybody is told when no
 * reader is behind. */
static bool exit_is_due(struct proc *p)
{
	if (!p->exited || p->published)
		return false;
	if (p->state != TASK_STOPPED && proc_set(p, EV_EXIT, NULL) < 0)
		return false; /* it is held back until that is over */
	return !held_for_reader(p);
}

/* init's exit is the last of its container: every exec that has a process, or
 * is being given one, comes first. */
static bool execs_are_over(const struct task *t)
{
	const struct proc *p;

	for (p = t->execs; p; p = p->next) {
		if (p->state == TASK_STARTING)
			return false;
		if (p->pid && !p->published && !t->gave_up)
			return false;
	}
	return true;
}

static void leftover_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = {.tv_usec = LEFTOVER_MS * 1000};
	struct task *t = arg;

	(void)fd;
	(void)what;
	if (!t->leftover_done && cgroup_kill(t->cgroup) <= 0)
		t->leftover_done = true;
	if (++t->leftover_rounds == LEFTOVER_ROUNDS) {
		log_warn(t->id, "processes are left after init's exit and "
				"can't be killed");
		t->leftover_done = t->gave_up = true;
	}
	if (!t->gave_up && (!t->leftover_done || !execs_are_over(t)))
		event_add(t->leftover, &soon);
	task_settle(t);
}

/* Processes of a container with a pid namespace of its own are killed by the
 * kernel when init ends (pid_namespaces(7)); others are killed here. */
static void begin_leftover(struct task *t)
{
	t->leftover_done = t->bundle.own_pid_namespace || !t->cgroup;
	t->leftover = event_new(task_config(t)->base, -1, 0, leftover_tick, t);
	if (t->leftover)
		event_active(t->leftover, EV_TIMEOUT, 0);
	else /* no memory: then there is no second round */
		t->leftover_done = t->gave_up = true;
}

void task_settle(struct task *t)
{
	struct proc *p, *next;

	task_hold(t);
	for (p = t->execs; p; p = next) {
		next = p->next;
		if (exit_is_due(p))
			publish_exit(p);
	}
	if (!t->dead && exit_is_due(&t->init) && t->leftover_done &&
		execs_are_over(t)) {
		publish_exit(&t->init);
		if (!t->dead)
			tasks_changed(t->tasks);
	}
	task_drop(t);
}

void task_oom_hint(void *arg)
{
	struct task *t = arg;
	uint64_t n;

	if (!t->cgroup || t->init.state == TASK_STARTING)
		return; /* told once it is started */
	n = cgroup_oom_kills(t->cgroup);
	if (n == t->oom_kills)
		return;
	log_info(t->id, "the kernel's OOM killer ended %" PRIu64 " processes",
		n - t->oom_kills);
	t->oom_kills = n;
	events_oom(t);
}

static void init_exited(struct task *t)
{
	struct proc *p = &t->init;
	int r = bundle_write_exit(
		t->bundle.dir, p->pid, p->status, &p->exited_at);
	struct proc *exec;

	if (r < 0)
		log_warn(t->id, "exit status can't be kept in '%s': %s",
			t->bundle.dir, strerror(-r));
	/* an exec that waits for its logger can't be run any more */
	for (exec = t->execs; exec; exec = exec->next)
		if (exec->loggers)
			loggers_cancel(exec->loggers);
	begin_leftover(t);
}

void proc_exited(const struct process_exit *x, void *arg)
{
	struct proc *p = arg;
	struct task *t = p->task;

	p->exited = true;
	p->status = x->status;
	p->exited_at = x->at;
	task_oom_hint(t); /* it comes before the exit that it causes */
	if (proc_is_init(p))
		init_exited(t);
	task_settle(t);
}

void proc_wait(struct proc *p, struct waiter *w)
{
	if (p->published) {
		w->cb(0, NULL, w->arg);
		return;
	}
	w->next = p->waiters;
	p->waiters = w;
}

void proc_unwait(struct proc *p, struct waiter *w)
{
	struct waiter **at = &p->waiters;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
}
