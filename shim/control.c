/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "io/stdio.h"
#include "platform/cgroup.h"
#include "platform/process.h"
#include "shim/events.h"
#include "shim/log.h"
#include "shim/task.h"

/* kill(2) knows 1 to 64; 0 only asks whether there is anybody. */
#define SIGNAL_MAX 64

/* It never gets a process: the exit status is what a process would have that is
 * terminated before its first instruction. */
static int kill_early(struct proc *p, uint32_t signal, task_done done,
	void *arg, struct err *e)
{
	struct process_exit x = {.status = 1};
	int r;

	if (!proc_is_init(p) || p->state != TASK_CREATED ||
		runtime_has_process(&p->task->runtime))
		return err_set(e, -EBUSY, "process '%s' is not started", p->id);
	r = runtime_kill_early(&p->task->runtime, signal, e);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &x.at);
	task_hold(p->task);
	done(0, NULL, arg);
	proc_exited(&x, p);
	task_drop(p->task);
	return 0;
}

int proc_kill(struct proc *p, uint32_t signal, bool all, task_done done,
	void *arg, struct err *e)
{
	struct task *t = p->task;
	int r = proc_allows(p, EV_KILL, e);

	if (r < 0)
		return r;
	if (signal > SIGNAL_MAX)
		return err_set(e, -EINVAL, "no such signal: %" PRIu32, signal);
	if (!p->pid)
		return kill_early(p, signal, done, arg, e);
	/* a frozen process of cgroup v1 gets no signal: the runtime thaws it */
	if (proc_is_init(p) && (all || p->state == TASK_PAUSED))
		return runtime_kill(&t->runtime, signal, all, done, arg, e);
	r = p->exited ? -ESRCH
		      : process_ref_ask_signal(p->ref, signal, done, arg);
	if (r == PROCESS_LATER)
		return 0;
	if (r == -ESRCH)
		return err_set(e, r, "process already finished");
	if (r < 0)
		return err_sys(e, r, "signal %" PRIu32, signal);
	done(0, NULL, arg);
	return 0;
}

/* A pause or resume under way: the task may be gone when it is done. */
struct turn {
	struct task *task;
	task_done done;
	void *arg;
	bool pause;
};

static void turn_done(int r, const struct err *e, void *arg)
{
	struct turn *turn = arg;
	struct task *t = turn->task;
	enum task_event ev;
	struct err own;

	if (turn->pause)
		ev = r == 0 ? EV_PAUSED : EV_PAUSE_FAILED;
	else
		ev = r == 0 ? EV_RESUMED : EV_RESUME_FAILED;
	if ((t->dead || proc_set(&t->init, ev, NULL) < 0) && r == 0) {
		r = err_set(&own, -ESRCH, "process already finished");
		e = &own;
	}
	if (r == 0 && turn->pause)
		events_paused(t);
	else if (r == 0)
		events_resumed(t);
	turn->done(r, e, turn->arg);
	task_drop(t);
	free(turn);
}

static int turn_begin(
	struct task *t, bool pause, task_done done, void *arg, struct err *e)
{
	struct turn *turn;
	int r = proc_set(&t->init, pause ? EV_PAUSE : EV_RESUME, e);

	if (r < 0)
		return r;
	turn = calloc(1, sizeof(*turn));
	if (turn) {
		turn->task = t;
		turn->done = done;
		turn->arg = arg;
		turn->pause = pause;
		r = pause ? runtime_pause(&t->runtime, turn_done, turn, e)
			  : runtime_resume(&t->runtime, turn_done, turn, e);
	} else {
		r = err_set(e, -ENOMEM, "no memory");
	}
	if (r < 0) {
		free(turn);
		proc_set(&t->init, pause ? EV_PAUSE_FAILED : EV_RESUME_FAILED,
			NULL);
		return r;
	}
	task_hold(t);
	return 0;
}

int task_pause(struct task *t, task_done done, void *arg, struct err *e)
{
	return turn_begin(t, true, done, arg, e);
}

int task_resume(struct task *t, task_done done, void *arg, struct err *e)
{
	return turn_begin(t, false, done, arg, e);
}

int proc_resize(struct proc *p, uint32_t width, uint32_t height, struct err *e)
{
	int r = proc_allows(p, EV_RESIZE, e);

	if (r < 0)
		return r;
	if (!p->terminal)
		return err_set(e, -EINVAL,
			"process has no terminal that could be resized");
	if (width > UINT16_MAX || height > UINT16_MAX)
		return err_set(e, -EINVAL,
			"terminal size %" PRIu32 "x%" PRIu32 " is too large",
			width, height);
	r = p->stdio ? stdio_resize(p->stdio, width, height) : -ENOTTY;
	if (r < 0 && !p->exited)
		return err_set(e, -EBUSY, "the terminal is not there yet");
	return 0;
}

void proc_close_stdin(struct proc *p)
{
	p->stdin_closed = true;
	if (p->stdio)
		stdio_close_stdin(p->stdio);
}

struct listing {
	struct task *task;
	void (*each)(int64_t pid, const char *exec_id, void *arg);
	void *arg;
	bool init_seen;
};

static const char *exec_of(const struct task *t, int64_t pid)
{
	const struct proc *p;

	for (p = t->execs; p; p = p->next)
		if (p->pid == pid && !p->exited)
			return p->id;
	return NULL;
}

static void list_one(int64_t pid, void *arg)
{
	struct listing *l = arg;

	l->init_seen |= pid == l->task->init.pid;
	l->each(pid, exec_of(l->task, pid), l->arg);
}

/* Without a group of its own, a container's processes are those we know. */
static void list_known(struct listing *l)
{
	const struct proc *p;

	for (p = l->task->execs; p; p = p->next)
		if (p->pid && !p->exited)
			l->each(p->pid, p->id, l->arg);
}

void task_each_pid(struct task *t,
	void (*each)(int64_t pid, const char *exec_id, void *arg), void *arg)
{
	struct listing l = {.task = t, .each = each, .arg = arg};

	if (t->cgroup)
		cgroup_each_pid(t->cgroup, list_one, &l);
	else
		list_known(&l);
	if (!l.init_seen && t->init.pid)
		each(t->init.pid, NULL, arg);
}

struct refresh {
	struct task *task;
	task_done done;
	void *arg;
};

static void refreshed(int r, const struct err *e, void *arg)
{
	struct refresh *rf = arg;
	struct err own;

	if (rf->task->dead && r == 0) {
		r = err_set(&own, -ENOENT, "container not created");
		e = &own;
	}
	rf->done(r, e, rf->arg);
	task_drop(rf->task);
	free(rf);
}

int task_refresh(struct task *t, task_done done, void *arg, struct err *e)
{
	struct refresh *rf;
	int r = 0;

	if (t->cgroup) {
		rf = malloc(sizeof(*rf));
		if (!rf)
			return err_set(
				e, -ENOMEM, "no memory for task '%s'", t->id);
		*rf = (struct refresh){t, done, arg};
		r = cgroup_refresh(t->cgroup, refreshed, rf, e);
		if (r == CGROUP_LATER) {
			task_hold(t);
			return 0;
		}
		free(rf);
	}
	if (r == 0)
		done(0, NULL, arg);
	return r;
}
