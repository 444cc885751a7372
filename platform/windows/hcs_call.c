/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of hcs.h. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/hcs.h"
#include "platform/windows/hcs_text.h"
#include "platform/windows/port.h"

#define WHAT_MAX 128

struct hcs_call {
	struct port_op op; /* first */
	struct hcs_call *next;
	uintptr_t key; /* what the DLL knows it by */
	HCS_OPERATION operation;
	struct port_loop *loop;
	struct event *deadline;
	uint32_t timeout_ms;
	bool process; /* its result has handles */
	bool begun;   /* so the DLL will complete it */
	bool told;    /* the DLL has completed it */
	hcs_done done;
	void *arg;
	char what[WHAT_MAX];
};

/* The DLL gets numbers, not pointers: a completion that comes when nobody waits
 * any more finds nothing. The lowest bit says whether there are handles to
 * close then. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct hcs_call *calls;
static volatile LONG late;
static uintptr_t last_key;

static void info_close(HCS_PROCESS_INFORMATION *info)
{
	handle_close(&info->StdInput);
	handle_close(&info->StdOutput);
	handle_close(&info->StdError);
}

static HRESULT read_result(const struct hcs_api *api, HCS_OPERATION operation,
	bool process, HCS_PROCESS_INFORMATION *info, PWSTR *ret)
{
	memset(info, 0, sizeof(*info));
	*ret = NULL;
	return process ? api->HcsGetOperationResultAndProcessInfo(
				 operation, info, ret)
		       : api->HcsGetOperationResult(operation, ret);
}

/* In the DLL's thread, past the deadline. */
static void clear_up(HCS_OPERATION operation, bool process)
{
	HCS_PROCESS_INFORMATION info;
	const struct hcs_api *api;
	PWSTR text;

	if (hcs_api(&api, NULL) < 0)
		return;
	read_result(api, operation, process, &info, &text);
	info_close(&info);
	LocalFree(text);
	api->HcsCloseOperation(operation);
	InterlockedDecrement(&late);
}

/* In the DLL's thread. */
static void CALLBACK completed(HCS_OPERATION operation, void *context)
{
	uintptr_t key = (uintptr_t)context;
	struct hcs_call *c;

	AcquireSRWLockExclusive(&lock);
	for (c = calls; c && c->key != key; c = c->next)
		;
	if (c && !c->told) {
		c->told = true;
		port_post(&c->op, 0);
	}
	ReleaseSRWLockExclusive(&lock);
	if (!c)
		clear_up(operation, key & 1);
}

/* Whether the DLL will not come, or has. */
static bool take_out(struct hcs_call *c)
{
	struct hcs_call **at = &calls;
	bool told;

	AcquireSRWLockExclusive(&lock);
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	told = c->told;
	ReleaseSRWLockExclusive(&lock);
	return told;
}

static void call_free(struct hcs_call *c)
{
	struct port_loop *loop = c->loop;

	if (c->deadline)
		event_free(c->deadline);
	if (!c->told) /* only begun, and nobody will post it */
		port_ended(&c->op);
	port_abandon(&c->op, NULL); /* frees it */
	port_loop_put(loop);
}

/* Lets go of one that has not completed: completed() closes the operation. */
static void leave(struct hcs_call *c)
{
	const struct hcs_api *api;

	InterlockedIncrement(&late);
	if (take_out(c)) {
		/* it has just been posted: here it is still ours */
		InterlockedDecrement(&late);
		if (hcs_api(&api, NULL) == 0) {
			HCS_PROCESS_INFORMATION info;
			PWSTR text;

			read_result(
				api, c->operation, c->process, &info, &text);
			info_close(&info);
			LocalFree(text);
			api->HcsCloseOperation(c->operation);
		}
	}
	call_free(c);
}

static void tell(struct hcs_call *c, HRESULT hr, PWSTR text,
	HCS_PROCESS_INFORMATION *info)
{
	struct err e = {0};
	char *json = NULL;
	struct hcs_answer a = {.info = *info, .json = "", .err = &e};
	hcs_done done = c->done;
	void *arg = c->arg;

	if (text && hcs_narrow(text, &json) == 0)
		a.json = json;
	a.r = hcs_explain(&e, hr, a.json, c->what);
	call_free(c);
	done(&a, arg);
	info_close(&a.info);
	free(json);
}

/* In the loop. */
static void call_came(struct port_op *op)
{
	struct hcs_call *c = (struct hcs_call *)op;
	HCS_PROCESS_INFORMATION info;
	const struct hcs_api *api;
	PWSTR text = NULL;
	HRESULT hr = E_FAIL;

	take_out(c);
	if (hcs_api(&api, NULL) == 0) {
		hr = read_result(api, c->operation, c->process, &info, &text);
		api->HcsCloseOperation(c->operation);
	}
	tell(c, hr, text, &info);
	LocalFree(text);
}

static void call_late(evutil_socket_t fd, short what, void *arg)
{
	struct hcs_call *c = arg;
	struct err e;
	struct hcs_answer a = {.json = "", .err = &e};
	hcs_done done = c->done;
	void *done_arg = c->arg;
	bool told;

	(void)fd;
	(void)what;
	AcquireSRWLockShared(&lock);
	told = c->told;
	ReleaseSRWLockShared(&lock);
	if (told)
		return; /* call_came() is next */
	a.r = err_set(&e, -ETIMEDOUT,
		"%s: the host compute service has not answered within %lu ms",
		c->what, (unsigned long)c->timeout_ms);
	leave(c);
	done(&a, done_arg);
}

static uint32_t timeout_of(uint32_t wanted)
{
	char text[16];
	unsigned long ms = 0;

	if (win_env(L"WISP_HCS_TIMEOUT_MS", text, sizeof(text)))
		ms = strtoul(text, NULL, 10);
	if (ms > 0 && ms < 3600000)
		return (uint32_t)ms;
	return wanted ? wanted : HCS_SHORT_MS;
}

static int call_open(struct hcs_call *c, struct event_base *base)
{
	const struct hcs_api *api;
	int r = hcs_api(&api, NULL);

	if (r == 0)
		r = port_loop_get(base, &c->loop);
	if (r < 0)
		return r;
	c->op.loop = c->loop;
	c->op.done = call_came;
	c->deadline = event_new(base, -1, 0, call_late, c);
	if (!c->deadline)
		return -ENOMEM;
	last_key += 2;
	c->key = last_key | c->process;
	c->operation = api->HcsCreateOperation((void *)c->key, completed);
	return c->operation ? 0 : -ENOMEM;
}

static int call_make(struct event_base *base, const char *what, bool process,
	uint32_t timeout_ms, hcs_done done, void *arg, struct hcs_call **ret,
	struct err *e)
{
	const struct hcs_api *api;
	struct hcs_call *c;
	int r = hcs_api(&api, e);

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "no memory to %s", what);
	snprintf(c->what, sizeof(c->what), "%s", what);
	c->process = process;
	c->timeout_ms = timeout_of(timeout_ms);
	c->done = done;
	c->arg = arg;
	r = call_open(c, base);
	if (r < 0) {
		call_free(c);
		return err_sys(e, r, "%s", what);
	}
	port_begin(&c->op);
	AcquireSRWLockExclusive(&lock);
	c->next = calls;
	calls = c;
	ReleaseSRWLockExclusive(&lock);
	*ret = c;
	return 0;
}

int hcs_call_new(struct event_base *base, const char *what, uint32_t timeout_ms,
	hcs_done done, void *arg, struct hcs_call **ret, struct err *e)
{
	return call_make(base, what, false, timeout_ms, done, arg, ret, e);
}

int hcs_call_new_process(struct event_base *base, const char *what,
	uint32_t timeout_ms, hcs_done done, void *arg, struct hcs_call **ret,
	struct err *e)
{
	return call_make(base, what, true, timeout_ms, done, arg, ret, e);
}

HCS_OPERATION hcs_call_operation(const struct hcs_call *c)
{
	return c->operation;
}

/* Nothing was begun with it, so nothing will complete. */
static void give_up(struct hcs_call *c)
{
	const struct hcs_api *api;

	take_out(c);
	if (hcs_api(&api, NULL) == 0)
		api->HcsCloseOperation(c->operation);
	call_free(c);
}

/* There may be a document all the same. */
static void explain_refusal(struct hcs_call *c, HRESULT hr, struct err *e)
{
	const struct hcs_api *api;
	PWSTR text = NULL;
	char *json = NULL;

	if (hcs_api(&api, NULL) == 0)
		api->HcsGetOperationResult(c->operation, &text);
	if (text && hcs_narrow(text, &json) < 0)
		json = NULL;
	hcs_explain(e, hr, json, c->what);
	free(json);
	LocalFree(text);
}

int hcs_call_begun(struct hcs_call *c, HRESULT hr, struct err *e)
{
	const struct timeval tv = {.tv_sec = (long)(c->timeout_ms / 1000),
		.tv_usec = (long)(c->timeout_ms % 1000 * 1000)};
	int r = hcs_error(hr);

	if (r < 0) {
		explain_refusal(c, hr, e);
		give_up(c);
		return r;
	}
	c->begun = true;
	if (event_add(c->deadline, &tv) < 0) {
		r = err_set(e, -ENOMEM, "no memory to %s", c->what);
		leave(c);
		return r;
	}
	return 0;
}

void hcs_call_drop(struct hcs_call *c)
{
	if (c && c->begun)
		leave(c);
	else if (c)
		give_up(c);
}

unsigned hcs_calls_open(void)
{
	const struct hcs_call *c;
	unsigned n = (unsigned)late;

	AcquireSRWLockShared(&lock);
	for (c = calls; c; c = c->next)
		n++;
	ReleaseSRWLockShared(&lock);
	return n;
}
