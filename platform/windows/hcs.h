/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcs.h - the host compute service: one table of its functions, and its
 * operations and events brought into the loop.
 *
 * The service's API is computecore.dll (learn.microsoft.com, "Host Compute
 * System API"; the C prototypes are mingw's computecore.h). Windows has it from
 * version 1809 on if its containers are installed. Nothing else in wisp calls
 * that DLL, and it is looked for in system32 alone.
 *
 * What takes time is an operation: it is begun with a document, completes in a
 * thread of the DLL's, and has a document for a result. That thread does but
 * one thing, it hands over (port.h); all else happens in the loop:
 *
 *     r = hcs_call_new(base, "start 'web'", HCS_SHORT_MS, started, arg, &c, e);
 *     if (r == 0)
 *             r = hcs_call_begun(c, api->HcsStartComputeSystem(
 *                     system, hcs_call_operation(c), NULL), e);
 *
 * Every operation has a deadline. One that has not completed by then is let go:
 * what its result holds is closed when it comes after all.
 */
#ifndef WISP_PLATFORM_WINDOWS_HCS_H
#define WISP_PLATFORM_WINDOWS_HCS_H

#include <stdint.h>

#include "platform/err.h"
#include "platform/windows/win.h"

/* after win.h */
#include <computecore.h>

struct event_base;

#define HCS_FUNCTIONS(F)                       \
	F(HcsCreateOperation)                  \
	F(HcsCloseOperation)                   \
	F(HcsGetOperationResult)               \
	F(HcsGetOperationResultAndProcessInfo) \
	F(HcsCreateComputeSystem)              \
	F(HcsOpenComputeSystem)                \
	F(HcsStartComputeSystem)               \
	F(HcsShutDownComputeSystem)            \
	F(HcsTerminateComputeSystem)           \
	F(HcsModifyComputeSystem)              \
	F(HcsGetComputeSystemProperties)       \
	F(HcsSetComputeSystemCallback)         \
	F(HcsCloseComputeSystem)               \
	F(HcsCreateProcess)                    \
	F(HcsModifyProcess)                    \
	F(HcsSignalProcess)                    \
	F(HcsTerminateProcess)                 \
	F(HcsSetProcessCallback)               \
	F(HcsCloseProcess)                     \
	F(HcsGrantVmAccess)                    \
	F(HcsRevokeVmAccess)

#define HCS_FIELD(name) __typeof__(name) *name;
struct hcs_api {
	HCS_FUNCTIONS(HCS_FIELD)
};

/* The table, which is loaded at the first call. -ENOSYS: this Windows has no
 * host compute service; the message says which part is missing. */
int hcs_api(const struct hcs_api **ret, struct err *e);

/* A double's table in its place, for tests; NULL: the DLL's again. */
void hcs_use(const struct hcs_api *api);

/* ---- errors ---- */

/* Both of these families are in use: 0xC037.... is an NTSTATUS, 0x8037.... what
 * winerror.h has of the same. */
#define HCS_PENDING ((HRESULT)0xC0370103)
#define HCS_NOT_FOUND ((HRESULT)0xC037010E)
#define HCS_ALREADY_STOPPED ((HRESULT)0xC0370110)

/* As a negative errno; 0 for what is no failure (HCS_PENDING among it).
 * -ENOENT no such system, -EEXIST, -ESRCH it has stopped (system or process),
 * -EBUSY its state forbids it, -EINVAL the document is wrong, -ETIMEDOUT,
 * -ENOSYS, -EACCES, -ENOMEM; others -EREMOTEIO. */
int hcs_error(HRESULT hr);

/* Fills e with: what, the service's own words (ErrorMessage of the result, if
 * it is a JSON document that has it), the HRESULT. json may be NULL or any
 * text. Returns hcs_error(hr). */
int hcs_explain(struct err *e, HRESULT hr, const char *json, const char *what);

/* ---- operations ---- */

/* Deadlines. Creating and starting may load layers, stopping runs services
 * down: what the reference shim allows. */
#define HCS_SHORT_MS 30000
#define HCS_LONG_MS 240000

struct hcs_answer {
	int r;                 /* 0 or -errno, -ETIMEDOUT after the deadline */
	const char *json;      /* the result, "" if there is none; borrowed */
	const struct err *err; /* if r < 0 */
	/* Of HcsCreateProcess. Handles that done() does not take
	 * (handle_take()) are closed after it. */
	HCS_PROCESS_INFORMATION info;
};

/* From the loop, once for each hcs_call_begun() that returned 0, unless
 * hcs_call_drop() came first. The call is gone by then. */
typedef void (*hcs_done)(struct hcs_answer *a, void *arg);

struct hcs_call;

/* what: for messages, "start 'web'"; copied. A deadline of 0 is HCS_SHORT_MS;
 * WISP_HCS_TIMEOUT_MS in the environment takes the place of all (tests). */
int hcs_call_new(struct event_base *base, const char *what, uint32_t timeout_ms,
	hcs_done done, void *arg, struct hcs_call **ret, struct err *e);

/* The same, and done() gets the process's pid and handles. */
int hcs_call_new_process(struct event_base *base, const char *what,
	uint32_t timeout_ms, hcs_done done, void *arg, struct hcs_call **ret,
	struct err *e);

/* Borrowed: to be passed to exactly one function that begins something. */
HCS_OPERATION hcs_call_operation(const struct hcs_call *c);

/* What that function returned. If it failed, so does this, and the call is
 * gone. */
int hcs_call_begun(struct hcs_call *c, HRESULT hr, struct err *e);

/* Nobody wants to know any more. NULL is fine. */
void hcs_call_drop(struct hcs_call *c);

/* How many are under way, those included that passed their deadline and still
 * may complete: for tests. */
unsigned hcs_calls_open(void);

/* ---- events ---- */

struct hcs_event {
	HCS_EVENT_TYPE type; /* HcsEventSystemExited, HcsEventProcessExited, ...
			      */
	/* its document; "" if there is none, cut at HCS_EVENT_MAX; borrowed */
	const char *json;
};

#define HCS_EVENT_MAX 2048

typedef void (*hcs_happened)(const struct hcs_event *ev, void *arg);

struct hcs_watch;

/* Both tell of what ends (HcsEventSystemExited, HcsEventProcessExited,
 * HcsEventServiceDisconnect), from the loop, once, however often the DLL does;
 * the memory for it is there from the start. Other events are not told. */
int hcs_watch_system(struct event_base *base, HCS_SYSTEM system,
	hcs_happened happened, void *arg, struct hcs_watch **ret,
	struct err *e);
int hcs_watch_process(struct event_base *base, HCS_PROCESS process,
	hcs_happened happened, void *arg, struct hcs_watch **ret,
	struct err *e);

/* happened() does not run any more. May come before or after the system's or
 * process's own handle is closed. NULL is fine. */
void hcs_watch_free(struct hcs_watch *w);

#endif
