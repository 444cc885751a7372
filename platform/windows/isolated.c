/* SPDX-License-Identifier: Apache-2.0 */
/* The compute system of isolated.h: from its making to its end. */
#include "platform/windows/isolated.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/cgroup.h"
#include "platform/windows/hcs_document.h"
#include "platform/windows/isolated_parts.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_vm.h"

/* How long the exits of processes may come after the end of their system, and
 * how long that end may take once it has been terminated. */
#define GRACE_MS 1000
#define END_MS 10000

/* Found by the pid of the first process. */
static struct isolated *all;

/* ---- steps ---- */

struct step *step_new(
	struct isolated *i, const struct container_later *later, struct err *e)
{
	struct step *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(e, -ENOMEM, "no memory for container '%s'", i->id);
		return NULL;
	}
	s->i = i;
	if (later)
		s->later = *later;
	s->next = i->steps;
	i->steps = s;
	return s;
}

void step_free(struct step *s)
{
	struct step **at = &s->i->steps;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	hcs_call_drop(s->call);
	if (s->timer)
		event_free(s->timer);
	isolated_process_free(s->process);
	free(s);
}

void step_done(struct step *s, int r, int64_t pid, const struct err *e)
{
	struct container_later later = s->later;
	process_told told = s->told;
	void *told_arg = s->told_arg;
	struct err own = {.code = r};

	if (e)
		own = *e;
	step_free(s);
	if (later.done)
		later.done(r, pid, &own, later.arg);
	if (told)
		told(r, &own, told_arg);
}

static void step_answered(struct hcs_answer *a, void *arg)
{
	struct step *s = arg;

	s->call = NULL;
	s->go_on(s, a);
}

int step_ask(struct step *s, bool process, const char *verb,
	uint32_t timeout_ms,
	void (*go_on)(struct step *s, struct hcs_answer *a), struct err *e)
{
	char what[ISOLATED_ID_MAX + 64];
	int r;

	snprintf(what, sizeof(what), "%s '%s'", verb, s->i->id);
	s->go_on = go_on;
	r = process ? hcs_call_new_process(s->i->base, what, timeout_ms,
			      step_answered, s, &s->call, e)
		    : hcs_call_new(s->i->base, what, timeout_ms, step_answered,
			      s, &s->call, e);
	return r;
}

int step_asked(struct step *s, HRESULT hr, struct err *e)
{
	int r = hcs_call_begun(s->call, hr, e);

	if (r < 0) {
		s->call = NULL;
		step_free(s);
	}
	return r;
}

/* ---- new ---- */

static int new (struct event_base *base, const char *id, struct isolated **ret,
	struct err *e)
{
	struct isolated *i = calloc(1, sizeof(*i));
	int r;

	if (!i)
		return err_set(e, -ENOMEM, "no memory for container '%s'", id);
	i->refs = 1;
	i->base = base;
	i->next = all;
	all = i;
	r = (size_t)snprintf(i->id, sizeof(i->id), "%s", id) < sizeof(i->id)
		    ? hcs_api(&i->api, e)
		    : err_set(e, -EINVAL, "container id '%s' is too long", id);
	if (r < 0)
		isolated_close(i);
	else
		*ret = i;
	return r;
}

int isolated_new(struct event_base *base, const char *id,
	const struct container_limits *limits, const struct isolation *iso,
	struct isolated **ret, struct err *e)
{
	struct isolated *i;
	int r = new (base, id, &i, e);

	if (r < 0)
		return r;
	i->limits = *limits;
	r = hcs_system_document(iso, limits, &i->system_document, e);
	if (r < 0)
		isolated_close(i);
	else
		*ret = i;
	return r;
}

int isolated_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct isolated **ret, struct err *e)
{
	struct isolated *i;
	int r = new (base, id, &i, e);

	if (r < 0)
		return r;
	r = lcow_vm_new(base, id, guest, &i->vm, e);
	if (r == 0)
		r = lcow_container_document(guest, id, &i->system_document, e);
	if (r < 0)
		isolated_close(i);
	else
		*ret = i;
	return r;
}

static void grace_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	isolated_processes_lost(arg);
}

static void ended(struct isolated *i)
{
	static const struct timeval grace = {
		.tv_sec = GRACE_MS / 1000, .tv_usec = GRACE_MS % 1000 * 1000};
	struct step *s, *next;

	i->exited = true;
	if (i->processes && (!i->grace || event_add(i->grace, &grace) < 0))
		isolated_processes_lost(i);
	for (s = i->steps; s; s = next) {
		next = s->next;
		if (s->timer) /* it waits for this */
			event_active(s->timer, EV_TIMEOUT, 0);
	}
}

static void system_event(const struct hcs_event *ev, void *arg)
{
	(void)ev; /* however it has ended, and be it that the service has */
	ended(arg);
}

static int open_system(struct isolated *i, struct err *e)
{
	char what[ISOLATED_ID_MAX + 64];
	wchar_t *id;
	HRESULT hr;
	int r = win_wide(i->id, &id);

	if (r < 0)
		return err_sys(e, r, "container id '%s'", i->id);
	hr = i->api->HcsOpenComputeSystem(id, GENERIC_ALL, &i->system);
	free(id);
	snprintf(what, sizeof(what), "open container '%s'", i->id);
	r = hcs_explain(e, hr, NULL, what);
	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? 0 : r;
	i->started = true; /* or so it may be */
	return hcs_watch_system(
		i->base, i->system, system_event, i, &i->watch, e);
}

int isolated_open(struct event_base *base, const char *id, const char *disk,
	struct isolated **ret, struct err *e)
{
	struct isolated *i;
	int r = new (base, id, &i, e);

	if (r < 0)
		return r;
	if (disk)
		r = lcow_vm_open(base, id, disk, &i->vm, e);
	if (r == 0)
		r = open_system(i, e);
	if (r < 0)
		isolated_close(i);
	else
		*ret = i;
	return r;
}

static void created(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0)
		r = hcs_watch_system(
			i->base, i->system, system_event, i, &i->watch, &e);
	step_done(s, r, 0, &e);
}

/* The step is still there if this fails. */
static int create_system(struct step *s, struct err *e)
{
	struct isolated *i = s->i;
	wchar_t *id;
	HRESULT hr;
	int r = win_wide(i->id, &id);

	if (r < 0)
		return err_sys(e, r, "container id '%s'", i->id);
	r = step_ask(s, false, "create container", HCS_LONG_MS, created, e);
	if (r == 0) {
		hr = i->api->HcsCreateComputeSystem(id, i->system_document,
			hcs_call_operation(s->call), NULL, &i->system);
		if (hcs_error(hr) == 0 && !i->system)
			hr = E_UNEXPECTED;
		r = hcs_call_begun(s->call, hr, e);
		if (r < 0)
			s->call = NULL;
	}
	free(id);
	free(i->system_document);
	i->system_document = NULL;
	return r;
}

int isolated_create(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e)
{
	struct step *s;
	int r;

	i->grace = event_new(i->base, -1, 0, grace_over, i);
	if (!i->grace)
		return err_set(e, -ENOMEM, "no memory for '%s'", i->id);
	r = isolated_process_document(i, p, &i->init_document, e);
	if (r < 0)
		return r;
	s = step_new(i, later, e);
	if (!s)
		return -ENOMEM;
	r = i->vm ? isolated_machine_up(s, create_system, e)
		  : create_system(s, e);
	if (r < 0)
		step_free(s);
	return r < 0 ? r : CONTAINER_LATER;
}

/* ---- start, exec ---- */

static int missing(const struct isolated *i, struct err *e)
{
	return err_set(e, -ESRCH, "container '%s' does not run", i->id);
}

static void started(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0) {
		i->started = true;
		r = isolated_spawn(s, i->init_document, true, &e);
	}
	if (r < 0)
		step_done(s, r, 0, &e);
}

int isolated_start(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e)
{
	struct step *s;
	int r;

	if (!i->system || i->exited)
		return missing(i, e);
	s = step_new(i, later, e);
	if (!s)
		return -ENOMEM;
	s->program = *p;
	if (i->started) { /* the last time it was the process that failed */
		r = isolated_spawn(s, i->init_document, true, e);
	} else {
		r = step_ask(
			s, false, "start container", HCS_LONG_MS, started, e);
		if (r == 0) {
			r = step_asked(s,
				i->api->HcsStartComputeSystem(i->system,
					hcs_call_operation(s->call), NULL),
				e);
			return r < 0 ? r : CONTAINER_LATER;
		}
	}
	if (r < 0)
		step_free(s);
	return r < 0 ? r : CONTAINER_LATER;
}

int isolated_exec(struct isolated *i, const struct container_program *p,
	const struct container_later *later, struct err *e)
{
	wchar_t *document;
	struct step *s;
	int r;

	if (!i->system || !i->started || i->exited)
		return missing(i, e);
	r = isolated_process_document(i, p, &document, e);
	if (r < 0)
		return r;
	s = step_new(i, later, e);
	if (s) {
		s->program = *p;
		r = isolated_spawn(s, document, false, e);
		if (r < 0)
			step_free(s);
	} else {
		r = -ENOMEM;
	}
	free(document);
	return r < 0 ? r : CONTAINER_LATER;
}

int isolated_signal(struct isolated *i, uint32_t signal)
{
	return isolated_process_signal_each(i, signal);
}

int isolated_signal_early(struct isolated *i, uint32_t signal)
{
	return i->init || !isolated_knows_signal(i, signal) ? -EBUSY : 0;
}

/* ---- limits ---- */

static void limited(struct step *s, struct hcs_answer *a);

static bool same_cpu(
	const struct container_limits *a, const struct container_limits *b)
{
	return a->cpu_count == b->cpu_count &&
	       a->cpu_maximum == b->cpu_maximum &&
	       a->cpu_weight == b->cpu_weight;
}

/* Memory, then CPU, as far as they are to be others; 0: nothing is left. */
static int limit_next(struct step *s, struct err *e)
{
	struct isolated *i = s->i;
	bool memory = s->limits.memory_bytes != i->limits.memory_bytes;
	wchar_t *document;
	HRESULT hr;
	int r;

	if (!memory && same_cpu(&s->limits, &i->limits))
		return 0;
	r = memory ? hcs_memory_document(&s->limits, &document, e)
		   : hcs_processor_document(&s->limits, &document, e);
	if (r < 0)
		return r;
	r = step_ask(s, false, memory ? "limit memory of" : "limit CPU of",
		HCS_SHORT_MS, limited, e);
	if (r == 0) {
		hr = i->api->HcsModifyComputeSystem(
			i->system, hcs_call_operation(s->call), document, NULL);
		r = hcs_call_begun(s->call, hr, e);
		if (r < 0)
			s->call = NULL;
	}
	free(document);
	return r < 0 ? r : CONTAINER_LATER;
}

static void limited(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0) {
		if (s->limits.memory_bytes != i->limits.memory_bytes) {
			i->limits.memory_bytes = s->limits.memory_bytes;
		} else {
			i->limits = s->limits;
		}
		r = limit_next(s, &e);
	}
	if (r != CONTAINER_LATER)
		step_done(s, r, 0, &e);
}

int isolated_limit(struct isolated *i, const struct container_limits *limits,
	const struct container_later *later, struct err *e)
{
	struct step *s;
	int r = hcs_check_limits(limits, e);

	if (r < 0)
		return r;
	if (i->vm)
		return err_set(e, -ENOSYS,
			"the limits of a Linux container in a virtual machine "
			"can't be changed");
	if (!i->system || i->exited)
		return missing(i, e);
	s = step_new(i, later, e);
	if (!s)
		return -ENOMEM;
	s->limits = *limits;
	r = limit_next(s, e);
	if (r != CONTAINER_LATER)
		step_free(s);
	return r;
}

/* ---- the end ---- */

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
			ended(i);
		return;
	}
	if (r < 0 && !i->terminated)
		i->stopping_since = 0; /* no use waiting */
	step_done(s, 0, 0, NULL);
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
		terminate ? HCS_SHORT_MS : CGROUP_SHUTDOWN_MS, stop_answered,
		NULL);
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
		ended(i);
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

struct isolated *isolated_get(int64_t init)
{
	struct isolated *i = all;

	while (i && (i->closed || i->init != init))
		i = i->next;
	if (i)
		i->refs++;
	return i;
}

void isolated_close(struct isolated *i)
{
	static const struct err gone = {
		.code = -ECANCELED, .msg = "the container is being deleted"};

	if (!i)
		return;
	while (i->steps)
		step_done(i->steps, gone.code, 0, &gone);
	isolated_processes_lost(i);
	hcs_watch_free(i->watch);
	i->watch = NULL;
	if (i->system)
		i->api->HcsCloseComputeSystem(i->system);
	i->system = NULL;
	lcow_vm_free(i->vm); /* it can't tell the steps that are gone */
	i->vm = NULL;
	if (i->grace)
		event_free(i->grace);
	i->grace = NULL;
	free(i->system_document);
	free(i->init_document);
	i->system_document = i->init_document = NULL;
	i->closed = true;
	isolated_put(i);
}

void isolated_put(struct isolated *i)
{
	struct isolated **at = &all;

	if (!i || --i->refs > 0)
		return;
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	isolated_figures_free(i->figures);
	free(i);
}
