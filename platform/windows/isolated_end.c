/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a compute system: asked for, and at once. */
#include <event2/event.h>

#include "platform/cgroup.h"
#include "platform/windows/isolated_parts.h"

/* How long the end may take once a system has been terminated. */
#define END_MS 10000

/* The system has ended, or goes with its machine. */
static void system_ended(struct step *s, int r, const struct err *e)
{
	if (isolated_machine_down(s, NULL) < 0)
		step_done(s, r, 0, e);
}

static void end_over(evutil_socket_t fd, short what, void *arg)
{
	struct step *s = arg;
	struct isolated *i = s->i;
	struct err e = {0};
	int r = 0;

	(void)fd;
	(void)what;
	/* the step may wait for its machine now: a further word of the system's
	 * end must not come here again */
	event_free(s->timer);
	s->timer = NULL;
	if (!i->exited)
		r = err_set(&e, -ETIMEDOUT,
			"container '%s' has been terminated, and has not ended "
			"within %d ms",
			i->id, END_MS);
	system_ended(s, r, &e);
}

static void terminated(struct step *s, struct hcs_answer *a)
{
	static const struct timeval while_ending = {.tv_sec = END_MS / 1000};
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == -ESRCH || r == -ENOENT || i->exited || !i->started) {
		/* one that never ran has nothing that would have to end */
		r = r == -ESRCH || r == -ENOENT ? 0 : r;
		system_ended(s, i->exited ? 0 : r, &e);
		return;
	}
	if (r == 0) {
		s->timer = event_new(i->base, -1, 0, end_over, s);
		if (s->timer && event_add(s->timer, &while_ending) == 0)
			return;
		r = err_set(&e, -ENOMEM, "no memory to end '%s'", i->id);
	}
	system_ended(s, r, &e);
}

int isolated_end(
	struct isolated *i, const struct container_later *later, struct err *e)
{
	bool gone = !i->system || i->exited;
	struct step *s;
	int r;

	if (gone && !i->vm)
		return 0;
	s = step_new(i, later, e);
	if (!s)
		return -ENOMEM;
	r = gone ? -ESRCH
		 : step_ask(s, false, "terminate container", HCS_SHORT_MS,
			   terminated, e);
	if (r == 0) {
		r = hcs_call_begun(s->call,
			i->api->HcsTerminateComputeSystem(
				i->system, hcs_call_operation(s->call), NULL),
			e);
		if (r < 0)
			s->call = NULL;
	}
	if (r < 0 && isolated_machine_down(s, NULL) == 0)
		return CONTAINER_LATER;
	if (r < 0)
		step_free(s);
	if (r == -ESRCH || r == -ENOENT)
		return 0;
	return r < 0 ? r : CONTAINER_LATER;
}

static void stop_answered(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	int r = a->r;

	if (r == -ESRCH || r == -ENOENT) {
		step_done(s, 0, 0, NULL);
		if (!i->exited)
			isolated_ended(i);
		return;
	}
	if (r < 0 && !i->terminated)
		i->stopping_since = 0; /* no use waiting */
	step_done(s, 0, 0, NULL);
}

static void terminate_answered(struct step *s, struct hcs_answer *a)
{
	if (a->r < 0)
		s->i->terminated = false; /* the next round tries again */
	stop_answered(s, a);
}

static void ask_to_stop(struct isolated *i, bool terminate)
{
	struct step *s = step_new(i, NULL, NULL);
	HCS_OPERATION operation;
	int r;

	if (!s)
		return; /* the next round */
	r = step_ask(s, false,
		terminate ? "terminate container" : "stop container",
		terminate ? HCS_SHORT_MS : CGROUP_SHUTDOWN_MS,
		terminate ? terminate_answered : stop_answered, NULL);
	if (r < 0) {
		step_free(s);
		return;
	}
	operation = hcs_call_operation(s->call);
	r = step_asked(s,
		terminate ? i->api->HcsTerminateComputeSystem(
				    i->system, operation, NULL)
			  : i->api->HcsShutDownComputeSystem(
				    i->system, operation, NULL),
		NULL);
	i->stopping = true;
	i->terminated |= terminate && r == 0;
	if (r == -ESRCH || r == -ENOENT)
		isolated_ended(i);
	else if (r < 0)
		i->stopping_since = 0;
}

int isolated_kill_round(struct isolated *i)
{
	uint64_t now = GetTickCount64();

	if (!i->system || !i->started || i->exited)
		return 0;
	if (!i->stopping) {
		i->stopping_since = now;
		ask_to_stop(i, false);
	} else if (!i->terminated &&
		   now - i->stopping_since >= CGROUP_SHUTDOWN_MS) {
		ask_to_stop(i, true);
	}
	return i->exited ? 0 : 1;
}
