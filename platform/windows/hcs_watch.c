/* SPDX-License-Identifier: Apache-2.0 */
/* The events of hcs.h. */
#include <stdlib.h>

#include "platform/windows/hcs.h"
#include "platform/windows/hcs_text.h"
#include "platform/windows/port.h"

struct hcs_watch {
	struct port_op op; /* first */
	struct hcs_watch *next;
	uintptr_t key; /* what the DLL knows it by */
	struct port_loop *loop;
	bool told;
	hcs_happened happened;
	void *arg;
	HCS_EVENT_TYPE type;
	wchar_t text[HCS_EVENT_MAX];
};

/* As in hcs_call.c: numbers, not pointers. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct hcs_watch *watches;
static uintptr_t last_key;

static bool is_end(HCS_EVENT_TYPE type)
{
	return type == HcsEventSystemExited || type == HcsEventProcessExited ||
	       type == HcsEventServiceDisconnect;
}

static void copy(wchar_t to[HCS_EVENT_MAX], const wchar_t *from)
{
	size_t n = from ? wcsnlen(from, HCS_EVENT_MAX - 1) : 0;

	if (n > 0)
		memcpy(to, from, n * sizeof(*to));
	to[n] = L'\0';
}

/* In the DLL's thread. */
static void CALLBACK event_came(HCS_EVENT *event, void *context)
{
	struct hcs_watch *w;

	if (!event || !is_end(event->Type))
		return;
	AcquireSRWLockExclusive(&lock);
	for (w = watches; w && w->key != (uintptr_t)context; w = w->next)
		;
	if (w && !w->told) {
		w->told = true;
		w->type = event->Type;
		copy(w->text, event->EventData);
		port_post(&w->op, 0);
	}
	ReleaseSRWLockExclusive(&lock);
}

static void watch_told(struct port_op *op)
{
	struct hcs_watch *w = (struct hcs_watch *)op;
	struct hcs_event ev = {.type = w->type, .json = ""};
	char text[3 * HCS_EVENT_MAX];

	if (win_narrow(w->text, text, sizeof(text)) == 0)
		ev.json = text;
	w->happened(&ev, w->arg); /* may free it */
}

static int watch_new(struct event_base *base, hcs_happened happened, void *arg,
	struct hcs_watch **ret, struct err *e)
{
	struct hcs_watch *w = calloc(1, sizeof(*w));
	int r = w ? port_loop_get(base, &w->loop) : -ENOMEM;

	if (r < 0) {
		free(w);
		return err_sys(e, r, "watch the host compute service");
	}
	w->op.loop = w->loop;
	w->op.done = watch_told;
	w->happened = happened;
	w->arg = arg;
	w->key = ++last_key;
	port_begin(&w->op);
	AcquireSRWLockExclusive(&lock);
	w->next = watches;
	watches = w;
	ReleaseSRWLockExclusive(&lock);
	*ret = w;
	return 0;
}

int hcs_watch_system(struct event_base *base, HCS_SYSTEM system,
	hcs_happened happened, void *arg, struct hcs_watch **ret, struct err *e)
{
	const struct hcs_api *api;
	struct hcs_watch *w = NULL;
	int r = hcs_api(&api, e);

	if (r == 0)
		r = watch_new(base, happened, arg, &w, e);
	if (r < 0 || !w)
		return r;
	r = hcs_explain(e,
		api->HcsSetComputeSystemCallback(
			system, HcsEventOptionNone, (void *)w->key, event_came),
		NULL, "watch a compute system");
	if (r < 0)
		hcs_watch_free(w);
	else
		*ret = w;
	return r;
}

int hcs_watch_process(struct event_base *base, HCS_PROCESS process,
	hcs_happened happened, void *arg, struct hcs_watch **ret, struct err *e)
{
	const struct hcs_api *api;
	struct hcs_watch *w = NULL;
	int r = hcs_api(&api, e);

	if (r == 0)
		r = watch_new(base, happened, arg, &w, e);
	if (r < 0 || !w)
		return r;
	r = hcs_explain(e,
		api->HcsSetProcessCallback(process, HcsEventOptionNone,
			(void *)w->key, event_came),
		NULL, "watch a process");
	if (r < 0)
		hcs_watch_free(w);
	else
		*ret = w;
	return r;
}

void hcs_watch_free(struct hcs_watch *w)
{
	struct hcs_watch **at = &watches;
	struct port_loop *loop;

	if (!w)
		return;
	AcquireSRWLockExclusive(&lock);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	ReleaseSRWLockExclusive(&lock);
	loop = w->loop;
	if (!w->told)
		port_ended(&w->op);
	port_abandon(&w->op, NULL); /* frees it */
	port_loop_put(loop);
}
