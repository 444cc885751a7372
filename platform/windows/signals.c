/* SPDX-License-Identifier: Apache-2.0 */
/* The part of host.h that is about being told to end. */
#include "platform/host.h"

#include <stdlib.h>

#include "platform/standard.h"
#include "platform/windows/port.h"

/* The system gives this long to a process that is told of a logoff or a
 * shutdown, and ends it as soon as the handler returns. */
#define LAST_MOMENTS_MS 5000

struct told {
	struct port_op op;            /* first */
	struct host_signals *h;       /* borrowed: its own */
	volatile LONG posted, events; /* a bit for each number */
};

struct host_signals {
	struct port_loop *loop;
	struct told *told;
	void (*terminate)(void *arg);
	void (*dump)(void *arg);
	void (*event)(uint32_t number, void *arg); /* instead of these two */
	void *arg;
};

/* A handler is a plain function: which signals are watched has to be known to
 * the process as a whole. The lock keeps it alive while a handler, which has a
 * thread of its own, uses it. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct told *current;

static BOOL WINAPI console_event(DWORD event)
{
	AcquireSRWLockShared(&lock);
	if (current) {
		InterlockedOr(&current->events, 1L << (event & 31));
		if (InterlockedExchange(&current->posted, 1) == 0)
			port_post(&current->op, 0);
	}
	ReleaseSRWLockShared(&lock);
	if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
		Sleep(LAST_MOMENTS_MS);
	return TRUE;
}

static void was_told(struct port_op *op)
{
	struct told *t = (struct told *)op;
	struct host_signals *h = t->h;
	LONG events, others;
	uint32_t n;

	port_begin(&t->op);
	InterlockedExchange(&t->posted, 0);
	events = InterlockedExchange(&t->events, 0);
	others = events & ~(1L << CTRL_BREAK_EVENT);
	if (h->event) {
		for (n = 0; n < 32; n++)
			if (events >> n & 1)
				h->event(n, h->arg);
		return;
	}
	if (events != others)
		h->dump(h->arg);
	if (others)
		h->terminate(h->arg);
}

static int watch(struct event_base *base, const struct host_signals *how,
	struct host_signals **ret, struct err *e)
{
	struct host_signals *h = calloc(1, sizeof(*h));
	int r = h ? port_loop_get(base, &h->loop) : -ENOMEM;

	if (r == 0) {
		h->told = calloc(1, sizeof(*h->told));
		r = h->told ? 0 : -ENOMEM;
	}
	if (r < 0) {
		host_signals_free(h);
		return err_sys(e, r, "cannot watch for signals");
	}
	h->terminate = how->terminate;
	h->dump = how->dump;
	h->event = how->event;
	h->arg = how->arg;
	h->told->h = h;
	h->told->op.loop = h->loop;
	h->told->op.done = was_told;
	port_begin(&h->told->op);
	AcquireSRWLockExclusive(&lock);
	current = h->told;
	ReleaseSRWLockExclusive(&lock);
	/* without a console there is nothing to come */
	SetConsoleCtrlHandler(console_event, TRUE);
	*ret = h;
	return 0;
}

int host_signals_new(struct event_base *base, void (*terminate)(void *arg),
	void (*dump)(void *arg), void *arg, struct host_signals **ret,
	struct err *e)
{
	const struct host_signals how = {
		.terminate = terminate, .dump = dump, .arg = arg};

	return watch(base, &how, ret, e);
}

int standard_events_new(struct event_base *base,
	void (*event)(uint32_t number, void *arg), void *arg,
	struct host_signals **ret, struct err *e)
{
	const struct host_signals how = {.event = event, .arg = arg};

	return watch(base, &how, ret, e);
}

void host_signals_free(struct host_signals *h)
{
	if (!h)
		return;
	if (h->told) {
		SetConsoleCtrlHandler(console_event, FALSE);
		AcquireSRWLockExclusive(&lock);
		current = NULL;
		ReleaseSRWLockExclusive(&lock);
		if (!h->told->posted)
			port_ended(&h->told->op);
		port_abandon(&h->told->op, NULL);
	}
	port_loop_put(h->loop);
	free(h);
}
