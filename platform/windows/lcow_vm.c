/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/lcow_vm.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/hcs.h"
#include "platform/windows/lcow_document.h"

#define DISK_MAX 4096

enum lcow_phase { LCOW_NEW, LCOW_UP, LCOW_THERE, LCOW_DOWN, LCOW_GONE };

struct lcow_vm {
	struct event_base *base;
	const struct hcs_api *api;
	char id[LCOW_ID_MAX];
	wchar_t *wide_id, *document, *disk;
	struct lcow_step *steps;
	size_t n_steps, n_added;
	enum lcow_phase phase;
	HCS_SYSTEM system;
	struct hcs_watch *watch;
	struct hcs_call *call; /* what is under way; NULL between two */
	bool granted, started, exited;
	bool hasty; /* something could not be taken away: no more of that */
	lcow_done done;
	void *arg;
	struct event *tell; /* never from inside a function of ours */
	struct err failure; /* that is told in the end */
};

static void remove_next(struct lcow_vm *vm);

/* ---- new, free ---- */

/* The one place where somebody is told. */
static void told(evutil_socket_t fd, short what, void *arg)
{
	struct lcow_vm *vm = arg;
	struct err failure = vm->failure;
	lcow_done done = vm->done;

	(void)fd;
	(void)what;
	vm->done = NULL;
	done(failure.code, &failure, vm->arg);
}

static int set_names(
	struct lcow_vm *vm, const char *id, const char *disk, struct err *e)
{
	int r;

	if (strlen(id) > LCOW_ID_MAX - 8)
		return err_set(e, -EINVAL, "container id '%s' is too long", id);
	lcow_vm_id(id, vm->id);
	r = win_wide(vm->id, &vm->wide_id);
	if (r < 0)
		return err_sys(e, r, "container id '%s'", id);
	r = win_wide(disk, &vm->disk);
	return r < 0 ? err_sys(e, r, "layer '%s'", disk) : 0;
}

static int prepare(struct lcow_vm *vm, const char *id, const struct guest *g,
	struct err *e)
{
	char disk[DISK_MAX];
	int r = lcow_scratch_disk(g, disk, sizeof(disk), e);

	if (r == 0)
		r = set_names(vm, id, disk, e);
	if (r == 0)
		r = lcow_vm_document(g, &vm->document, e);
	if (r == 0)
		r = lcow_steps(g, id, &vm->steps, &vm->n_steps, e);
	return r;
}

static int new (struct event_base *base, const char *id, struct lcow_vm **ret,
	struct err *e)
{
	struct lcow_vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return err_set(e, -ENOMEM, "no memory for '%s'", id);
	vm->base = base;
	vm->tell = event_new(base, -1, 0, told, vm);
	r = vm->tell ? hcs_api(&vm->api, e)
		     : err_set(e, -ENOMEM, "no memory for '%s'", id);
	if (r < 0)
		lcow_vm_free(vm);
	else
		*ret = vm;
	return r;
}

int lcow_vm_new(struct event_base *base, const char *id,
	const struct guest *guest, struct lcow_vm **ret, struct err *e)
{
	struct lcow_vm *vm;
	int r = new (base, id, &vm, e);

	if (r < 0)
		return r;
	r = prepare(vm, id, guest, e);
	if (r < 0)
		lcow_vm_free(vm);
	else
		*ret = vm;
	return r;
}

/* What is there without the service's doing anything any more. */
static void let_go(struct lcow_vm *vm)
{
	hcs_watch_free(vm->watch);
	vm->watch = NULL;
	if (vm->system)
		vm->api->HcsCloseComputeSystem(vm->system);
	vm->system = NULL;
	if (vm->granted)
		vm->api->HcsRevokeVmAccess(vm->wide_id, vm->disk);
	vm->granted = false;
	vm->phase = LCOW_GONE;
}

void lcow_vm_free(struct lcow_vm *vm)
{
	if (!vm)
		return;
	hcs_call_drop(vm->call);
	let_go(vm);
	if (vm->tell)
		event_free(vm->tell);
	lcow_steps_free(vm->steps, vm->n_steps);
	free(vm->wide_id);
	free(vm->document);
	free(vm->disk);
	free(vm);
}

/* ---- asking ---- */

static int ask(struct lcow_vm *vm, const char *what, uint32_t timeout_ms,
	hcs_done answered, struct err *e)
{
	char text[256];

	snprintf(text, sizeof(text), "%s of '%s'", what, vm->id);
	return hcs_call_new(
		vm->base, text, timeout_ms, answered, vm, &vm->call, e);
}

static int asked(struct lcow_vm *vm, HRESULT hr, struct err *e)
{
	int r = hcs_call_begun(vm->call, hr, e);

	if (r < 0)
		vm->call = NULL;
	return r;
}

static int modify(struct lcow_vm *vm, const char *what, const wchar_t *document,
	hcs_done answered, struct err *e)
{
	int r = ask(vm, what, HCS_SHORT_MS, answered, e);

	return r < 0 ? r
		     : asked(vm,
			       vm->api->HcsModifyComputeSystem(vm->system,
				       hcs_call_operation(vm->call), document,
				       NULL),
			       e);
}

static void finish(struct lcow_vm *vm)
{
	if (vm->phase == LCOW_DOWN)
		let_go(vm);
	else
		vm->phase = LCOW_THERE;
	event_active(vm->tell, EV_TIMEOUT, 0);
}

/* ---- down ---- */

static void terminated(struct hcs_answer *a, void *arg)
{
	struct lcow_vm *vm = arg;

	vm->call = NULL;
	/* closing it, which comes next, ends it as well */
	if (a->r < 0 && a->r != -ESRCH && a->r != -ENOENT && !vm->failure.code)
		vm->failure = *a->err;
	finish(vm);
}

static void terminate(struct lcow_vm *vm)
{
	struct err e;
	int r;

	if (!vm->system || !vm->started || vm->exited) {
		finish(vm);
		return;
	}
	r = ask(vm, "end", HCS_LONG_MS, terminated, &e);
	if (r == 0)
		r = asked(vm,
			vm->api->HcsTerminateComputeSystem(
				vm->system, hcs_call_operation(vm->call), NULL),
			&e);
	if (r == 0)
		return;
	if (r != -ESRCH && r != -ENOENT && !vm->failure.code)
		vm->failure = e;
	finish(vm);
}

static void removed(struct hcs_answer *a, void *arg)
{
	struct lcow_vm *vm = arg;

	vm->call = NULL;
	vm->hasty |= a->r < 0;
	vm->n_added--;
	remove_next(vm);
}

static void remove_next(struct lcow_vm *vm)
{
	for (; vm->n_added > 0; vm->n_added--) {
		const struct lcow_step *s = &vm->steps[vm->n_added - 1];

		if (!s->remove || vm->hasty || vm->exited)
			continue;
		if (modify(vm, s->what, s->remove, removed, NULL) == 0)
			return;
		vm->hasty = true;
	}
	terminate(vm);
}

int lcow_vm_down(struct lcow_vm *vm, lcow_done done, void *arg, struct err *e)
{
	if (vm->phase != LCOW_THERE)
		return err_set(e, -ESRCH, "machine '%s' does not run", vm->id);
	vm->phase = LCOW_DOWN;
	vm->done = done;
	vm->arg = arg;
	remove_next(vm);
	return 0;
}

/* ---- up ---- */

static void fail(struct lcow_vm *vm, const struct err *e)
{
	vm->failure = *e;
	vm->phase = LCOW_DOWN;
	remove_next(vm);
}

static void add_next(struct lcow_vm *vm);

static void added(struct hcs_answer *a, void *arg)
{
	struct lcow_vm *vm = arg;

	vm->call = NULL;
	if (a->r < 0) {
		fail(vm, a->err);
		return;
	}
	vm->n_added++;
	add_next(vm);
}

static void add_next(struct lcow_vm *vm)
{
	struct err e;

	while (vm->n_added < vm->n_steps && !vm->steps[vm->n_added].add)
		vm->n_added++;
	if (vm->n_added == vm->n_steps)
		finish(vm);
	else if (modify(vm, vm->steps[vm->n_added].what,
			 vm->steps[vm->n_added].add, added, &e) < 0)
		fail(vm, &e);
}

static void vm_started(struct hcs_answer *a, void *arg)
{
	struct lcow_vm *vm = arg;

	vm->call = NULL;
	if (a->r < 0)
		fail(vm, a->err);
	else
		add_next(vm);
}

/* The machine has ended by itself: what is under way will not be answered. */
static void ended(const struct hcs_event *ev, void *arg)
{
	struct lcow_vm *vm = arg;
	struct err e;

	(void)ev;
	vm->exited = true;
	if (!vm->call)
		return;
	hcs_call_drop(vm->call);
	vm->call = NULL;
	if (vm->phase == LCOW_DOWN) {
		remove_next(vm);
		return;
	}
	err_set(&e, -EREMOTEIO,
		"the virtual machine '%s' has ended while it was being made "
		"ready",
		vm->id);
	fail(vm, &e);
}

static int open_system(struct lcow_vm *vm, struct err *e)
{
	char what[LCOW_ID_MAX + 64];
	int r;

	snprintf(what, sizeof(what), "open virtual machine '%s'", vm->id);
	r = hcs_explain(e,
		vm->api->HcsOpenComputeSystem(
			vm->wide_id, GENERIC_ALL, &vm->system),
		NULL, what);
	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? 0 : r;
	r = hcs_watch_system(vm->base, vm->system, ended, vm, &vm->watch, e);
	if (r != -ENOENT && r != -ESRCH)
		return r;
	vm->exited = true; /* in between */
	return 0;
}

int lcow_vm_open(struct event_base *base, const char *id, const char *disk,
	struct lcow_vm **ret, struct err *e)
{
	struct lcow_vm *vm;
	int r = new (base, id, &vm, e);

	if (r < 0)
		return r;
	r = set_names(vm, id, disk, e);
	if (r == 0)
		r = open_system(vm, e);
	if (r < 0) {
		lcow_vm_free(vm);
		return r;
	}
	vm->granted = vm->started = true; /* or so it may be */
	vm->phase = LCOW_THERE;
	*ret = vm;
	return 0;
}

static int start(struct lcow_vm *vm, struct err *e)
{
	HRESULT hr;
	int r = hcs_watch_system(
		vm->base, vm->system, ended, vm, &vm->watch, e);

	if (r < 0)
		return r;
	hr = vm->api->HcsGrantVmAccess(vm->wide_id, vm->disk);
	vm->granted = hcs_error(hr) == 0;
	if (!vm->granted)
		return hcs_explain(e, hr, NULL,
			"let the virtual machine open its scratch disk");
	r = ask(vm, "start", HCS_LONG_MS, vm_started, e);
	if (r < 0)
		return r;
	vm->started = true; /* or so it may be, if this fails */
	return asked(vm,
		vm->api->HcsStartComputeSystem(
			vm->system, hcs_call_operation(vm->call), NULL),
		e);
}

static void vm_created(struct hcs_answer *a, void *arg)
{
	struct lcow_vm *vm = arg;
	struct err e = *a->err;

	vm->call = NULL;
	if (a->r < 0 || start(vm, &e) < 0)
		fail(vm, &e);
}

int lcow_vm_up(struct lcow_vm *vm, lcow_done done, void *arg, struct err *e)
{
	HRESULT hr;
	int r = ask(vm, "create", HCS_LONG_MS, vm_created, e);

	if (r < 0)
		return r;
	vm->phase = LCOW_UP;
	vm->done = done;
	vm->arg = arg;
	hr = vm->api->HcsCreateComputeSystem(vm->wide_id, vm->document,
		hcs_call_operation(vm->call), NULL, &vm->system);
	if (hcs_error(hr) == 0 && !vm->system)
		hr = E_UNEXPECTED;
	r = asked(vm, hr, e);
	if (r < 0)
		let_go(vm);
	return r;
}
