/* SPDX-License-Identifier: Apache-2.0 */
/* The part of host.h that is about the log: a pipe, whose newest client gets
 * the lines. Nothing waits, and there is no loop: whether somebody has come is
 * looked up before each line. */
#include "platform/host.h"

#include <stdio.h>

#include "platform/windows/pipe.h"

/* One end of the pipe, and the operation that is under way on it. */
struct end {
	HANDLE h, event;
	OVERLAPPED ov;
	bool busy;
};

/* The log is the process's, every module may write to it at any time. */
static struct log {
	wchar_t name[PIPE_NAME_MAX];
	struct end next;   /* waits for a client */
	struct end reader; /* who is there */
	char line[4096];   /* being written */
} log_;

static void end_close(struct end *x)
{
	DWORD n;

	if (x->busy && CancelIoEx(x->h, &x->ov))
		GetOverlappedResult(x->h, &x->ov, &n, TRUE);
	handle_close(&x->h);
	handle_close(&x->event);
	x->busy = false;
}

/* Whether what was under way has ended; what came of it. */
static bool end_ended(struct end *x, bool *ret_fine)
{
	DWORD n;

	*ret_fine = true;
	if (!x->busy)
		return true;
	*ret_fine = GetOverlappedResult(x->h, &x->ov, &n, FALSE);
	if (!*ret_fine && GetLastError() == ERROR_IO_INCOMPLETE)
		return false;
	x->busy = false;
	return true;
}

static void end_begin(struct end *x)
{
	x->ov = (OVERLAPPED){.hEvent = x->event};
	ResetEvent(x->event);
}

/* Both ways, though nobody is read: daemons open it for both (go-winio's
 * DialPipe()), which is refused if it does not go both ways. Unless we hold an
 * end of it the name may be somebody else's by now. */
static int next_open(void)
{
	struct end *x = &log_.next;
	int r = pipe_listen(log_.name, PIPE_ACCESS_DUPLEX,
		!handle_is(log_.reader.h), 0, PIPE_FOR_ALL_OF_US, &x->h);

	if (r < 0)
		return r;
	x->event = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!x->event) {
		end_close(x);
		return -ENOMEM;
	}
	end_begin(x);
	if (ConnectNamedPipe(x->h, &x->ov) ||
		GetLastError() == ERROR_PIPE_CONNECTED)
		return 0;
	x->busy = GetLastError() == ERROR_IO_PENDING;
	if (!x->busy) { /* ERROR_NO_DATA: come and gone */
		r = win_last();
		end_close(x);
	}
	return r;
}

int host_log_open(const char *ns, const char *id)
{
	char name[PIPE_NAME_MAX];
	int r;

	if ((size_t)snprintf(name, sizeof(name),
		    "\\\\.\\pipe\\containerd-shim-%s-%s-log", ns,
		    id) >= sizeof(name))
		return -ENAMETOOLONG;
	end_close(&log_.next);
	end_close(&log_.reader);
	r = pipe_name(name, log_.name);
	return r < 0 ? r : next_open();
}

/* The newest client is the one that counts. */
static void accept_next(void)
{
	bool fine;

	if (!handle_is(log_.next.h) && next_open() < 0)
		return;
	if (!end_ended(&log_.next, &fine))
		return;
	if (fine) {
		end_close(&log_.reader);
		log_.reader = log_.next;
		log_.next = (struct end){0};
	} else {
		end_close(&log_.next);
	}
	next_open();
}

int host_log_write(const char *line, size_t n)
{
	struct end *x = &log_.reader;
	bool fine;

	if (!*log_.name)
		return 0;
	accept_next();
	if (!handle_is(x->h) || !end_ended(x, &fine))
		return -EAGAIN;
	if (n > sizeof(log_.line))
		n = sizeof(log_.line);
	memcpy(log_.line, line, n);
	end_begin(x);
	if (fine && WriteFile(x->h, log_.line, (DWORD)n, NULL, &x->ov))
		return 0;
	x->busy = fine && GetLastError() == ERROR_IO_PENDING;
	if (!x->busy)
		end_close(x);
	return x->busy ? 0 : -EAGAIN;
}
