/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/host.h"
#include "platform/windows/command_line.h"

/* "<handle to say ready on> <listener's>", in hexadecimal. */
#define VARIABLE L"WISP_SPLIT"

/* How long the second one may take: the first step of all is its own start. */
#define READY_MS 30000

/* Of the process as a whole, on the way from one half of host.h to another. */
static struct listener *kept_listener; /* borrowed */
static char *kept_stdin;
static size_t n_stdin;
static HANDLE ready;

static bool is_second(HANDLE *ret_ready, HANDLE *ret_listener)
{
	unsigned long long a, b;
	char text[64];

	if (!win_env(VARIABLE, text, sizeof(text)) ||
		sscanf(text, "%llx %llx", &a, &b) != 2)
		return false;
	*ret_ready = (HANDLE)(uintptr_t)a;
	*ret_listener = (HANDLE)(uintptr_t)b;
	/* and nothing that was in the environment by chance */
	return GetFileType(*ret_ready) == FILE_TYPE_PIPE &&
	       GetFileType(*ret_listener) == FILE_TYPE_PIPE;
}

int split_keep_stdin(const void *data, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, n);
	free(kept_stdin);
	kept_stdin = copy;
	n_stdin = n;
	return 0;
}

void split_keep_listener(struct listener *l)
{
	kept_listener = l;
}

int split_inherit_listener(
	const char *address, struct listener **ret, struct err *e)
{
	HANDLE first;

	if (!is_second(&ready, &first))
		return 1;
	SetHandleInformation(ready, HANDLE_FLAG_INHERIT, 0);
	SetHandleInformation(first, HANDLE_FLAG_INHERIT, 0);
	/* what this process starts is no second one */
	SetEnvironmentVariableW(VARIABLE, NULL);
	return listener_adopt(address, first, ret, e);
}

/* What the second one is started with. */
struct half {
	HANDLE said, say; /* the way back */
	HANDLE in, feed;  /* its stdin */
	HANDLE null;      /* its stdout and stderr */
	HANDLE listener;  /* an inheritable copy */
	wchar_t path[WIN_PATH_MAX];
	wchar_t *line;
	STARTUPINFOEXW si;
};

static bool half_open(struct half *h)
{
	SECURITY_ATTRIBUTES inherit = {
		.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	HANDLE self = GetCurrentProcess();

	if (!CreatePipe(&h->said, &h->say, &inherit, 0) ||
		!SetHandleInformation(h->said, HANDLE_FLAG_INHERIT, 0) ||
		!CreatePipe(&h->in, &h->feed, &inherit, 0) ||
		!SetHandleInformation(h->feed, HANDLE_FLAG_INHERIT, 0))
		return false;
	h->null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
		FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0,
		NULL);
	return handle_is(h->null) &&
	       DuplicateHandle(self, listener_first(kept_listener), self,
		       &h->listener, 0, TRUE, DUPLICATE_SAME_ACCESS);
}

static void half_clear(struct half *h)
{
	handle_close(&h->said);
	handle_close(&h->say);
	handle_close(&h->in);
	handle_close(&h->feed);
	handle_close(&h->null);
	handle_close(&h->listener);
	if (h->si.lpAttributeList)
		DeleteProcThreadAttributeList(h->si.lpAttributeList);
	free(h->si.lpAttributeList);
	free(h->line);
}

static bool half_attributes(struct half *h, HANDLE *set, size_t n)
{
	SIZE_T room = 0;
	LPPROC_THREAD_ATTRIBUTE_LIST list;

	InitializeProcThreadAttributeList(NULL, 1, 0, &room);
	list = malloc(room);
	if (!list || !InitializeProcThreadAttributeList(list, 1, 0, &room)) {
		free(list);
		return false;
	}
	h->si.lpAttributeList = list;
	return UpdateProcThreadAttribute(list, 0,
		PROC_THREAD_ATTRIBUTE_HANDLE_LIST, set, n * sizeof(*set), NULL,
		NULL);
}

static bool half_run(struct half *h, HANDLE *ret_process)
{
	HANDLE set[] = {h->say, h->in, h->null, h->listener};
	STARTUPINFOW *si = &h->si.StartupInfo;
	PROCESS_INFORMATION pi;
	wchar_t text[64];
	static const DWORD flags = EXTENDED_STARTUPINFO_PRESENT |
				   DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP |
				   CREATE_UNICODE_ENVIRONMENT;
	DWORD got = GetModuleFileNameW(NULL, h->path, WIN_PATH_MAX);
	BOOL fine;

	if (!half_attributes(h, set, 4) || got == 0 || got >= WIN_PATH_MAX)
		return false;
	h->line = _wcsdup(GetCommandLineW());
	if (!h->line)
		return false;
	si->cb = sizeof(h->si);
	si->dwFlags = STARTF_USESTDHANDLES;
	si->hStdInput = h->in;
	si->hStdOutput = si->hStdError = h->null;
	_snwprintf(text, 64, L"%llx %llx",
		(unsigned long long)(uintptr_t)h->say,
		(unsigned long long)(uintptr_t)h->listener);
	SetEnvironmentVariableW(VARIABLE, text);
	/* out of the daemon's job, which may end all that is in it: a shim
	 * outlives its daemon. A job may forbid that. */
	fine = CreateProcessW(h->path, h->line, NULL, NULL, TRUE,
		flags | CREATE_BREAKAWAY_FROM_JOB, NULL, NULL, si, &pi);
	if (!fine && GetLastError() == ERROR_ACCESS_DENIED)
		fine = CreateProcessW(h->path, h->line, NULL, NULL, TRUE, flags,
			NULL, NULL, si, &pi);
	SetEnvironmentVariableW(VARIABLE, NULL);
	if (!fine)
		return false;
	CloseHandle(pi.hThread);
	*ret_process = pi.hProcess;
	handle_close(&h->say);
	handle_close(&h->in);
	handle_close(&h->listener);
	return true;
}

/* In a thread, so that telling it all, and waiting for what it says, has a
 * bound. */
struct talk {
	struct half *h;
	struct err err;
	DWORD n;
};

static DWORD WINAPI talk_to_it(void *arg)
{
	struct talk *t = arg;
	char *to = (char *)&t->err;
	DWORD at = 0, n;

	while (at < n_stdin && WriteFile(t->h->feed, kept_stdin + at,
				       (DWORD)n_stdin - at, &n, NULL))
		at += n;
	handle_close(&t->h->feed);
	while (t->n < sizeof(t->err) &&
		ReadFile(t->h->said, to + t->n, sizeof(t->err) - t->n, &n,
			NULL) &&
		n > 0)
		t->n += n;
	return 0;
}

static int wait_ready(struct half *h, struct err *e)
{
	struct talk t = {.h = h};
	HANDLE thread = CreateThread(NULL, 0, talk_to_it, &t, 0, NULL);
	bool in_time;

	if (!thread)
		return err_sys(e, win_last(), "thread");
	in_time = WaitForSingleObject(thread, READY_MS) == WAIT_OBJECT_0;
	/* again and again: it may be between two calls */
	while (WaitForSingleObject(thread, in_time ? 0 : 10) != WAIT_OBJECT_0)
		CancelSynchronousIo(thread);
	CloseHandle(thread);
	if (!in_time)
		return err_set(e, -ETIMEDOUT,
			"the shim was not ready after %d s and was ended",
			READY_MS / 1000);
	if (t.n != sizeof(t.err))
		return err_set(e, -EPIPE, "the shim died while it started");
	if (t.err.code == 0)
		return 1;
	if (e)
		*e = t.err;
	return t.err.code;
}

static int run_second(struct half *h, struct err *e)
{
	HANDLE process;
	int r;

	if (!half_open(h) || !half_run(h, &process))
		return err_sys(e, win_last(), "start the shim's own process");
	r = wait_ready(h, e);
	/* nobody would know of it */
	if (r < 0)
		TerminateProcess(process, 1);
	CloseHandle(process);
	return r;
}

int host_split(struct err *e)
{
	struct half *h;
	int r;

	if (ready)
		return 0;
	if (!kept_listener)
		return err_set(e, -EINVAL, "no service pipe to serve");
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(e, -ENOMEM, "no memory");
	r = run_second(h, e);
	half_clear(h);
	free(h);
	return r;
}

void host_ready(const struct err *e)
{
	static const struct err fine;
	DWORD w;

	if (!ready)
		return;
	WriteFile(ready, e ? e : &fine, sizeof(*e), &w, NULL);
	handle_close(&ready);
}
