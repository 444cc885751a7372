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

/* How long the exits of processes may come after the end of their system. */
#define GRACE_MS 1000

/* Found by the pid of the first process. */
static struct isolated *all;

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

void isolated_ended(struct isolated *i)
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
	isolated_ended(arg);
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
	r = hcs_watch_system(i->base, i->system, system_event, i, &i->watch, e);
	if (r != -ENOENT && r != -ESRCH)
		return r;
	i->exited = true; /* in between */
	return 0;
}

int isolated_open(struct event_base *base, const char *id, const char *disk,
	struct isolated **ret, struct err *e)
{
	struct isolated *i = NULL;
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

int isolated_missing(const struct isolated *i, struct err *e)
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
		return isolated_missing(i, e);
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
		return isolated_missing(i, e);
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
