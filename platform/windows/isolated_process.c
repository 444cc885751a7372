/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of isolated.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/conpty.h"
#include "platform/windows/hcs_document.h"
#include "platform/windows/hcs_text.h"
#include "platform/windows/isolated_parts.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/pipe.h"
#include "platform/windows/process_table.h"

/* How a process has ended of which the service does not say it: as the
 * reference shim has it. */
#define LOST 255

/* The list of those that run has one reference, and so has whoever calls back:
 * the stream to its stdin, and its console. */
struct isolated_process {
	struct isolated_process *next;
	struct isolated *i; /* borrowed; NULL once it has ended */
	const struct hcs_api *api;
	unsigned refs;
	HCS_PROCESS h; /* NULL once it has ended */
	struct hcs_watch *watch;
	int64_t pid;
	bool init, listed, dying;
};

static void put(struct isolated_process *p)
{
	if (--p->refs == 0)
		free(p);
}

static void answered(struct step *s, struct hcs_answer *a)
{
	step_done(s, a->r, 0, a->err);
}

/* A step of its own, for which nobody waits. */
static struct step *ask(struct isolated_process *p, const char *verb)
{
	struct step *s = p->h && p->i ? step_new(p->i, NULL, NULL) : NULL;

	if (s && step_ask(s, false, verb, HCS_SHORT_MS, answered, NULL) < 0) {
		step_free(s);
		return NULL;
	}
	return s;
}

static void let_go(struct isolated_process *p)
{
	hcs_watch_free(p->watch);
	p->watch = NULL;
	if (p->h)
		p->api->HcsCloseProcess(p->h);
	p->h = NULL;
	p->i = NULL;
	put(p);
}

/* One that can't be used is ended first, and closed when that is answered: the
 * step owns it meanwhile. */
void isolated_process_free(struct isolated_process *p)
{
	struct step *s;

	if (!p)
		return;
	s = p->dying ? NULL : ask(p, "terminate a process of");
	if (!s) {
		let_go(p);
		return;
	}
	p->dying = true;
	s->process = p;
	step_asked(s,
		p->api->HcsTerminateProcess(
			p->h, hcs_call_operation(s->call), NULL),
		NULL);
}

/* ---- the end ---- */

static void process_over(struct isolated_process *p, uint32_t status)
{
	struct isolated_process **at = &p->i->processes;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	child_foreign_ended(p->pid, status);
	let_go(p);
}

static void process_event(const struct hcs_event *ev, void *arg)
{
	struct isolated_process *p = arg;
	uint32_t status = LOST;

	if (ev->type == HcsEventProcessExited)
		hcs_exit_code(ev->json, &status);
	if (p->listed)
		process_over(p, status);
}

void isolated_processes_lost(struct isolated *i)
{
	while (i->processes)
		process_over(i->processes, LOST);
}

/* ---- signals ---- */

bool isolated_knows_signal(const struct isolated *i, uint32_t signal)
{
	if (i->vm) /* Linux' own */
		return signal >= 1 && signal <= 64;
	return signal <= 2 || signal == 5 || signal == 6 || signal == 9 ||
	       signal == 15;
}

static const wchar_t *signal_document(uint32_t signal)
{
	switch (signal) {
	case CTRL_C_EVENT:
		return L"{\"Signal\":\"CtrlC\"}";
	case CTRL_BREAK_EVENT:
		return L"{\"Signal\":\"CtrlBreak\"}";
	case CTRL_CLOSE_EVENT:
		return L"{\"Signal\":\"CtrlClose\"}";
	case CTRL_LOGOFF_EVENT:
		return L"{\"Signal\":\"CtrlLogOff\"}";
	default: /* 15, 6 */
		return L"{\"Signal\":\"CtrlShutdown\"}";
	}
}

static bool terminates(const struct isolated_process *p, uint32_t signal)
{
	return signal == 9 && !p->i->vm;
}

/* TerminateProcess() is refused for one that has ended but is still open, and
 * by nothing else for this service (hcsshim's Process.Kill()): its end is on
 * its way. */
static int has_ended(int r)
{
	return r == -EACCES ? -ESRCH : r;
}

static void terminate_answered(struct step *s, struct hcs_answer *a)
{
	struct err e = *a->err;

	e.code = has_ended(a->r);
	step_done(s, e.code, 0, &e);
}

/* In a guest even a SIGKILL is its own. */
static HRESULT send_signal(
	struct isolated_process *p, HCS_OPERATION operation, uint32_t signal)
{
	wchar_t *document;
	HRESULT hr;

	if (p->i->vm) {
		if (lcow_signal_document(signal, &document, NULL) < 0)
			return E_OUTOFMEMORY;
		hr = p->api->HcsSignalProcess(p->h, operation, document);
		free(document);
		return hr;
	}
	return terminates(p, signal)
		       ? p->api->HcsTerminateProcess(p->h, operation, NULL)
		       : p->api->HcsSignalProcess(
				 p->h, operation, signal_document(signal));
}

static int process_signal(
	void *arg, uint32_t signal, process_told done, void *done_arg)
{
	struct isolated_process *p = arg;
	HCS_OPERATION operation;
	struct step *s;
	int r;

	if (!p->h || !p->i)
		return -ESRCH;
	if (!isolated_knows_signal(p->i, signal))
		return -EBUSY;
	s = ask(p, "signal a process of");
	if (!s)
		return -ENOMEM;
	s->told = done;
	s->told_arg = done_arg;
	if (terminates(p, signal))
		s->go_on = terminate_answered;
	operation = hcs_call_operation(s->call);
	r = step_asked(s, send_signal(p, operation, signal), NULL);
	if (terminates(p, signal))
		r = has_ended(r);
	return r < 0 ? r : PROCESS_LATER;
}

int isolated_process_signal_each(struct isolated *i, uint32_t signal)
{
	struct isolated_process *p, *next;
	int r = -ESRCH;

	for (p = i->processes; p; p = next) {
		int one;

		next = p->next;
		one = process_signal(p, signal, NULL, NULL);
		one = one < 0 ? one : 0;
		if (r == -ESRCH || (one < 0 && one != -ESRCH))
			r = one;
	}
	return r;
}

/* ---- stdio ---- */

static void stdin_closed(void *arg)
{
	struct isolated_process *p = arg;
	struct step *s = ask(p, "close stdin of");

	if (s)
		step_asked(s,
			p->api->HcsModifyProcess(p->h,
				hcs_call_operation(s->call),
				L"{\"Operation\":\"CloseHandle\","
				L"\"CloseHandle\":{\"Handle\":\"StdIn\"}}"),
			NULL);
	put(p);
}

static int console_resized(void *arg, uint32_t width, uint32_t height)
{
	struct isolated_process *p = arg;
	wchar_t *document;
	struct step *s;
	int r;

	if (!p->h)
		return -ENOTTY;
	r = hcs_resize_document(width, height, &document, NULL);
	if (r < 0)
		return r;
	s = ask(p, "resize the console of");
	r = s ? step_asked(s,
			p->api->HcsModifyProcess(
				p->h, hcs_call_operation(s->call), document),
			NULL)
	      : -ENOMEM;
	free(document);
	return r;
}

static void console_closed(void *arg)
{
	put(arg);
}

static const struct console_host console_host = {
	console_resized, console_closed};

static int give_console(struct isolated_process *p, struct console *c,
	HCS_PROCESS_INFORMATION *info)
{
	int r;

	if (!handle_is(info->StdOutput) || !handle_is(info->StdInput))
		return -EPROTO;
	r = console_give(
		c, &info->StdOutput, &info->StdInput, &console_host, p);
	if (r == 0)
		p->refs++;
	return r;
}

static int give_pipes(struct isolated_process *p,
	struct endpoint *const endpoints[3], HCS_PROCESS_INFORMATION *info)
{
	HANDLE *const h[3] = {
		&info->StdInput, &info->StdOutput, &info->StdError};
	struct stream *ours;
	int k, r;

	for (k = 0; k < 3; k++) {
		if (!endpoints[k])
			continue;
		if (!handle_is(*h[k]))
			return -EPROTO;
		r = endpoint_give(endpoints[k], h[k], &ours);
		if (r < 0)
			return r;
		if (k == 0) {
			p->refs++;
			stream_on_close(ours, stdin_closed, p);
		}
	}
	return 0;
}

/* ---- the beginning ---- */

static int adopt(struct step *s, HCS_PROCESS_INFORMATION *info, struct err *e)
{
	struct isolated_process *p = s->process;
	int r;

	if (info->ProcessId == 0)
		return err_set(e, -EREMOTEIO,
			"the host compute service says nothing of the process "
			"that it has made");
	/* before all that can fail: its end must not be missed */
	r = hcs_watch_process(p->i->base, p->h, process_event, p, &p->watch, e);
	if (r < 0)
		return r;
	r = s->program.console
		    ? give_console(p, s->program.console, info)
		    : give_pipes(p, s->program.process.endpoints, info);
	if (r < 0)
		return err_sys(e, r, "stdio of process %lu", info->ProcessId);
	p->pid = info->ProcessId;
	return child_add_foreign(p->pid, process_signal, p, e);
}

static void spawned(struct step *s, struct hcs_answer *a)
{
	struct isolated_process *p = s->process;
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0)
		r = adopt(s, &a->info, &e);
	if (r < 0) {
		step_done(s, r, 0, &e);
		return;
	}
	s->process = NULL;
	p->listed = true;
	p->next = i->processes;
	i->processes = p;
	if (p->init)
		i->init = p->pid;
	step_done(s, 0, p->pid, NULL);
}

int isolated_spawn(
	struct step *s, const wchar_t *document, bool init, struct err *e)
{
	struct isolated *i = s->i;
	struct isolated_process *p = calloc(1, sizeof(*p));
	HRESULT hr;
	int r;

	if (!p)
		return err_set(e, -ENOMEM, "no memory for a process");
	p->refs = 1;
	p->i = i;
	p->api = i->api;
	p->init = init;
	s->process = p;
	r = step_ask(s, true, "create a process in", HCS_LONG_MS, spawned, e);
	if (r < 0)
		return r;
	hr = i->api->HcsCreateProcess(
		i->system, document, hcs_call_operation(s->call), NULL, &p->h);
	if (hcs_error(hr) == 0 && !p->h)
		hr = E_UNEXPECTED;
	r = hcs_call_begun(s->call, hr, e);
	if (r < 0)
		s->call = NULL;
	return r;
}
