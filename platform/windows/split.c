/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/host.h"
#include "platform/windows/spawn.h"

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
	char text[64], *second, *end;

	if (!win_env(VARIABLE, text, sizeof(text)))
		return false;
	/* the C library's sscanf() allocates, and dies without memory */
	a = strtoull(text, &second, 16);
	b = strtoull(second, &end, 16);
	if (second == text || end == second || *end)
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
	if (n > 0)
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

static int half_open(struct half *h)
{
	SECURITY_ATTRIBUTES inherit = {
		.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	HANDLE self = GetCurrentProcess();

	if (!CreatePipe(&h->said, &h->say, &inherit, 0) ||
		!SetHandleInformation(h->said, HANDLE_FLAG_INHERIT, 0) ||
		!CreatePipe(&h->in, &h->feed, &inherit, 0) ||
		!SetHandleInformation(h->feed, HANDLE_FLAG_INHERIT, 0))
		return win_last();
	h->null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
		FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0,
		NULL);
	if (!handle_is(h->null) ||
		!DuplicateHandle(self, listener_first(kept_listener), self,
			&h->listener, 0, TRUE, DUPLICATE_SAME_ACCESS))
		return win_last();
	return 0;
}

static void half_clear(struct half *h)
{
	handle_close(&h->said);
	handle_close(&h->say);
	handle_close(&h->in);
	handle_close(&h->feed);
	handle_close(&h->null);
	handle_close(&h->listener);
	attributes_free(h->si.lpAttributeList);
	free(h->line);
}

static int half_prepare(struct half *h, HANDLE *set, size_t n)
{
	STARTUPINFOW *si = &h->si.StartupInfo;
	int r = attributes_new(1, &h->si.lpAttributeList);
	DWORD n_path;

	if (r == 0 && !UpdateProcThreadAttribute(h->si.lpAttributeList, 0,
			      PROC_THREAD_ATTRIBUTE_HANDLE_LIST, set,
			      n * sizeof(*set), NULL, NULL))
		r = win_last();
	if (r < 0)
		return r;
	n_path = GetModuleFileNameW(NULL, h->path, WIN_PATH_MAX);
	if (n_path == 0)
		return win_last();
	if (n_path >= WIN_PATH_MAX)
		return -ENAMETOOLONG;
	h->line = _wcsdup(GetCommandLineW());
	if (!h->line)
		return -ENOMEM;
	si->cb = sizeof(h->si);
	si->dwFlags = STARTF_USESTDHANDLES;
	si->hStdInput = h->in;
	si->hStdOutput = si->hStdError = h->null;
	return 0;
}

static BOOL create(struct half *h, DWORD more, PROCESS_INFORMATION *ret)
{
	return CreateProcessW(h->path, h->line, NULL, NULL, TRUE,
		EXTENDED_STARTUPINFO_PRESENT | DETACHED_PROCESS |
			CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT |
			more,
		NULL, NULL, &h->si.StartupInfo, ret);
}

static int half_run(struct half *h, HANDLE *ret_process)
{
	HANDLE set[] = {h->say, h->in, h->null, h->listener};
	PROCESS_INFORMATION pi;
	wchar_t text[64];
	int r = half_prepare(h, set, 4);

	if (r < 0)
		return r;
	_snwprintf(text, 64, L"%llx %llx",
		(unsigned long long)(uintptr_t)h->say,
		(unsigned long long)(uintptr_t)h->listener);
	/* out of the daemon's job, which may end all that is in it: a shim
	 * outlives its daemon. A job may forbid that. */
	if (!SetEnvironmentVariableW(VARIABLE, text) ||
		(!create(h, CREATE_BREAKAWAY_FROM_JOB, &pi) &&
			(GetLastError() != ERROR_ACCESS_DENIED ||
				!create(h, 0, &pi))))
		r = win_last();
	SetEnvironmentVariableW(VARIABLE, NULL);
	if (r < 0)
		return r;
	CloseHandle(pi.hThread);
	*ret_process = pi.hProcess;
	handle_close(&h->say);
	handle_close(&h->in);
	handle_close(&h->listener);
	return 0;
}

/* In a thread, so that the wait for what it takes, and for what it has to say,
 * has a bound. */
struct talk {
	struct half *h;
	struct err err;
	DWORD n;
};

static DWORD WINAPI talk_to_it(void *arg)
{
	struct talk *t = arg;
	char *to = (char *)&t->err;
	size_t at = 0;
	DWORD n;

	while (at < n_stdin && WriteFile(t->h->feed, kept_stdin + at,
				       (DWORD)(n_stdin - at), &n, NULL))
		at += n;
	if (at < n_stdin)
		return 0; /* it has not got all of what it needs */
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
	HANDLE process = NULL;
	int r = half_open(h);

	if (r == 0)
		r = half_run(h, &process);
	if (r < 0)
		return err_sys(e, r, "start the shim's own process");
	r = wait_ready(h, e);
	if (r < 0) /* nobody would ever hear of it */
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
	static bool said;
	HANDLE unused;
	DWORD w;

	/* what fails before the service pipe is claimed is told, too */
	if (said || (!ready && !is_second(&ready, &unused)))
		return;
	said = true;
	WriteFile(ready, e ? e : &fine, sizeof(*e), &w, NULL);
	handle_close(&ready);
}
