/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/port.h"
#include "platform/windows/process_table.h"
#include "platform/windows/spawn.h"

struct process_ref {
	HANDLE h;
	DWORD pid;
};

/* ---- which processes are ours, and their exits ---- */

/* The kernel of Linux keeps these two for each process; here they are ours to
 * keep. */
static struct child *children;
static struct exit_source *source;

struct news {
	struct port_op op; /* first */
	volatile LONG posted;
};

struct exit_source {
	struct port_loop *loop;
	struct news *news;
	void (*ready)(void *arg);
	void *arg;
};

/* In a thread of the system's: a process has ended. Nothing is freed while one
 * of these runs, see unwatch(). */
static VOID CALLBACK child_ended(PVOID arg, BOOLEAN unused)
{
	struct news *news = arg;

	(void)unused;
	if (InterlockedExchange(&news->posted, 1) == 0)
		port_post(&news->op, 0);
}

static int watch(struct child *c)
{
	if (!source || c->wait)
		return 0;
	return RegisterWaitForSingleObject(&c->wait, c->process, child_ended,
		       source->news, INFINITE,
		       WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD)
		       ? 0
		       : win_last();
}

/* INVALID_HANDLE_VALUE: returns when the callback has. */
static void unwatch(struct child *c)
{
	if (c->wait)
		UnregisterWaitEx(c->wait, INVALID_HANDLE_VALUE);
	c->wait = NULL;
}

int child_add(struct child *c)
{
	int r = watch(c);

	if (r < 0)
		return r;
	c->next = children;
	children = c;
	return 0;
}

struct child *child_find(int64_t pid)
{
	struct child *c = children;

	while (c && c->pid != pid)
		c = c->next;
	return c;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	unwatch(c);
	handle_close(&c->thread);
	handle_close(&c->process);
	free(c);
}

static bool has_ended(HANDLE process)
{
	return WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
}

static uint64_t ended_at(const struct child *c)
{
	FILETIME born, died, kernel, user;
	uint64_t at;

	if (c->signal)
		return c->ended_at;
	if (!GetProcessTimes(c->process, &born, &died, &kernel, &user))
		return 0;
	at = (uint64_t)died.dwHighDateTime << 32 | died.dwLowDateTime;
	return at > WIN_UNIX_EPOCH ? at - WIN_UNIX_EPOCH : 0;
}

int child_add_foreign(int64_t pid,
	int (*signal)(
		void *arg, uint32_t signal, process_told done, void *done_arg),
	void *arg, struct err *e)
{
	struct child *c;
	int r;

	if (child_find(pid))
		return err_set(e, -EEXIST,
			"the host compute service runs process %lld, but that "
			"is another one already",
			(long long)pid);
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "no memory for a process");
	c->pid = pid;
	c->signal = signal;
	c->arg = arg;
	c->process = CreateEventW(NULL, TRUE, FALSE, NULL);
	r = c->process ? child_add(c) : win_last();
	if (r < 0) {
		child_free(c);
		return err_sys(e, r, "process %lld", (long long)pid);
	}
	return 0;
}

void child_foreign_ended(int64_t pid, uint32_t status)
{
	struct child *c = child_find(pid);
	struct timespec now;

	if (!c || !c->signal || has_ended(c->process))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	c->status = status;
	c->ended_at =
		(uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
	SetEvent(c->process);
}

int process_is_ours(int64_t pid)
{
	struct child *c = child_find(pid);

	return c ? !has_ended(c->process) : -ECHILD;
}

HANDLE process_handle(int64_t pid)
{
	struct child *c = child_find(pid);

	return c ? c->process : NULL;
}

int process_resume(int64_t pid)
{
	struct child *c = child_find(pid);

	if (!c || !c->thread)
		return -ESRCH;
	if (ResumeThread(c->thread) == (DWORD)-1)
		return win_last();
	handle_close(&c->thread);
	return 0;
}

static void news_came(struct port_op *op)
{
	struct news *news = (struct news *)op;

	/* who ends from here on has it posted again */
	port_begin(&news->op);
	InterlockedExchange(&news->posted, 0);
	source->ready(source->arg);
}

static struct news *news_new(struct port_loop *loop)
{
	struct news *news = calloc(1, sizeof(*news));

	if (!news)
		return NULL;
	news->op.loop = loop;
	news->op.done = news_came;
	port_begin(&news->op);
	return news;
}

int exit_source_new(struct event_base *base, void (*ready)(void *arg),
	void *arg, struct exit_source **ret, struct err *e)
{
	struct exit_source *x = calloc(1, sizeof(*x));
	struct child *c;
	int r = x ? port_loop_get(base, &x->loop) : -ENOMEM;

	if (r == 0) {
		x->news = news_new(x->loop);
		r = x->news ? 0 : -ENOMEM;
	}
	if (r < 0) {
		if (x)
			port_loop_put(x->loop);
		free(x);
		return err_sys(e, r, "cannot watch for exits");
	}
	x->ready = ready;
	x->arg = arg;
	source = x;
	for (c = children; c && r == 0; c = c->next)
		r = watch(c);
	if (r < 0) {
		exit_source_free(x);
		return err_sys(e, r, "cannot watch for exits");
	}
	*ret = x;
	return 0;
}

static void hand_out(struct child **at, struct process_exit *ret)
{
	struct child *c = *at;
	uint64_t when = ended_at(c);
	DWORD status = 1;

	if (c->signal)
		status = c->status;
	else
		GetExitCodeProcess(c->process, &status);
	ret->pid = c->pid;
	ret->status = status;
	ret->at.tv_sec = (time_t)(when / 10000000);
	ret->at.tv_nsec = (long)(when % 10000000 * 100);
	if (when == 0)
		clock_gettime(CLOCK_REALTIME, &ret->at);
	*at = c->next;
	child_free(c);
}

/* In the order in which they ended. */
int exit_source_next(struct exit_source *x, struct process_exit *ret)
{
	struct child **at, **first = NULL;
	uint64_t when, earliest = 0;

	(void)x;
	for (at = &children; *at; at = &(*at)->next) {
		if (!has_ended((*at)->process))
			continue;
		when = ended_at(*at);
		/* what was started last comes first in the list */
		if (!first || when <= earliest) {
			first = at;
			earliest = when;
		}
	}
	if (!first)
		return 0;
	hand_out(first, ret);
	return 1;
}

int exit_source_next_of(
	struct exit_source *x, int64_t pid, struct process_exit *ret)
{
	struct child **at = &children;

	(void)x;
	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	if (!*at || !has_ended((*at)->process))
		return 0;
	hand_out(at, ret);
	return 1;
}

void exit_source_free(struct exit_source *x)
{
	struct child *c;

	if (!x)
		return;
	for (c = children; c; c = c->next)
		unwatch(c);
	source = NULL;
	/* a posted one is the port's until its thread has seen it; if nobody
	 * posted it is still only begun, and ours */
	if (!x->news->posted)
		port_ended(&x->news->op);
	port_abandon(&x->news->op, NULL);
	port_loop_put(x->loop);
	free(x);
}

/* ---- references and signals ---- */

/* What a console event needs (CreateRemoteThread()); what protects itself from
 * that can still be waited for, and ended. */
static HANDLE open_process(DWORD pid)
{
	static const DWORD few = PROCESS_TERMINATE | SYNCHRONIZE |
				 PROCESS_QUERY_LIMITED_INFORMATION;
	HANDLE h = OpenProcess(few | PROCESS_QUERY_INFORMATION |
				       PROCESS_CREATE_THREAD |
				       PROCESS_VM_OPERATION | PROCESS_VM_READ |
				       PROCESS_VM_WRITE,
		FALSE, pid);

	if (!h && GetLastError() == ERROR_ACCESS_DENIED)
		h = OpenProcess(few, FALSE, pid);
	return h;
}

int process_ref_open(int64_t pid, struct process_ref **ret)
{
	struct child *c = child_find(pid);
	struct process_ref *ref = calloc(1, sizeof(*ref));
	HANDLE self = GetCurrentProcess();

	if (!ref)
		return -ENOMEM;
	if (c)
		DuplicateHandle(self, c->process, self, &ref->h, 0, FALSE,
			DUPLICATE_SAME_ACCESS);
	else
		ref->h = open_process((DWORD)pid);
	if (ref->h && !c && has_ended(ref->h)) {
		process_ref_close(ref);
		return -ESRCH;
	}
	if (!ref->h) {
		int r = GetLastError() == ERROR_INVALID_PARAMETER ? -ESRCH
								  : win_last();

		free(ref);
		return r;
	}
	ref->pid = (DWORD)pid;
	*ret = ref;
	return 0;
}

HANDLE process_ref_handle(const struct process_ref *ref)
{
	return ref->h;
}

/* A console event is a call of kernel32's CtrlRoutine in the process, which
 * runs its handlers: the first parameter is the event. */
static int send_event(HANDLE process, DWORD event)
{
	HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
	LPTHREAD_START_ROUTINE routine =
		kernel ? (LPTHREAD_START_ROUTINE)(void *)GetProcAddress(
				 kernel, "CtrlRoutine")
		       : NULL;
	BOOL is_32_bit = FALSE;
	HANDLE thread;

	/* in a 32-bit program that address is nothing that could be run */
	IsWow64Process(process, &is_32_bit);
	if (!routine || is_32_bit)
		return -ENOSYS;
	thread = CreateRemoteThread(
		process, NULL, 0, routine, (void *)(uintptr_t)event, 0, NULL);
	if (!thread)
		return win_last();
	CloseHandle(thread);
	return 0;
}

int process_ref_ask_signal(
	struct process_ref *ref, uint32_t signal, process_told done, void *arg)
{
	struct child *c = child_find(ref->pid);

	if (c && c->signal && !has_ended(ref->h))
		return c->signal(c->arg, signal, done, arg);
	return process_ref_signal(ref, signal);
}

int process_ref_signal(struct process_ref *ref, uint32_t signal)
{
	struct child *c = child_find(ref->pid);
	int r;

	if (has_ended(ref->h))
		return -ESRCH;
	if (c && c->signal) {
		r = c->signal(c->arg, signal, NULL, NULL);
		return r < 0 ? r : 0;
	}
	if (c && c->thread) /* it could not run a handler */
		signal = SIGKILL;
	switch (signal) {
	case SIGKILL:
		if (TerminateProcess(ref->h, 1))
			return 0;
		return has_ended(ref->h) ? -ESRCH : win_last();
	case 15: /* SIGTERM */
		return send_event(ref->h, CTRL_SHUTDOWN_EVENT);
	case CTRL_C_EVENT:
	case CTRL_BREAK_EVENT:
	case CTRL_CLOSE_EVENT:
	case CTRL_LOGOFF_EVENT:
	case CTRL_SHUTDOWN_EVENT:
		return send_event(ref->h, signal);
	default:
		return -EBUSY;
	}
}

void process_ref_close(struct process_ref *ref)
{
	if (!ref)
		return;
	handle_close(&ref->h);
	free(ref);
}

/* The system does not tell. */
void process_wchan(int64_t pid, char *buf, size_t n)
{
	(void)pid;
	if (n > 0)
		buf[0] = '\0';
}
