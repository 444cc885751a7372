/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/standard.h"

#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "platform/windows/port.h"

#define CHUNK 16384
#define KEYS 2048

/* What the thread has. It frees it at its end, which may be never: a read of
 * stdin ends with the process. */
struct copier {
	HANDLE own;              /* borrowed: of the process */
	struct endpoint *theirs; /* its end of the pipe to the loop */
	struct ended *ended;     /* NULL: nobody is to be told */
	SRWLOCK lock;            /* of ended */
	bool in;
	bool is_left; /* by standard_free() */
};

/* How the loop hears of it. */
struct ended {
	struct port_op op;  /* first */
	struct standard *s; /* borrowed: its own */
};

struct standard {
	struct port_loop *loop;
	struct stream *stream;
	struct copier *copier; /* NULL: there is no thread (any more) */
	struct ended *ended;
	bool is_ended;
	int error;
	void (*done)(int error, void *arg);
	void *arg;
};

static const DWORD numbers[] = {
	STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

static DWORD write_all(HANDLE to, const char *data, DWORD n)
{
	DWORD put;

	while (n > 0) {
		if (!WriteFile(to, data, n, &put, NULL))
			return GetLastError();
		data += put;
		n -= put;
	}
	return 0;
}

/* Keys come as UTF-16, and half of a pair may come alone. */
static bool read_keys(HANDLE h, char *buf, DWORD *ret_n, wchar_t *held)
{
	wchar_t keys[KEYS + 1];
	DWORD n = 0, got;

	if (*held)
		keys[n++] = *held;
	*held = 0;
	if (!ReadConsoleW(h, keys + n, KEYS, &got, NULL))
		return false;
	/* Ctrl-Z and Enter is how people end their input */
	if (got == 0 || (n == 0 && keys[0] == 0x1a && got <= 3 && got > 1))
		return false;
	n += got;
	if (keys[n - 1] >= 0xd800 && keys[n - 1] < 0xdc00)
		*held = keys[--n];
	*ret_n = (DWORD)WideCharToMultiByte(
		CP_UTF8, 0, keys, (int)n, buf, CHUNK, NULL, NULL);
	return true;
}

static DWORD copy_in(struct copier *c, char *buf)
{
	HANDLE to = endpoint_handle(c->theirs);
	wchar_t held = 0;
	DWORD mode, n;
	bool keys = GetConsoleMode(c->own, &mode), more;

	do {
		n = 0;
		more = keys ? read_keys(c->own, buf, &n, &held)
			    : ReadFile(c->own, buf, CHUNK, &n, NULL) && n > 0;
	} while (more && write_all(to, buf, n) == 0);
	return 0;
}

static DWORD copy_out(struct copier *c, char *buf)
{
	HANDLE from = endpoint_handle(c->theirs);
	DWORD n, error = 0;

	while (!error && ReadFile(from, buf, CHUNK, &n, NULL))
		error = write_all(c->own, buf, n);
	return error;
}

static DWORD WINAPI copy(void *arg)
{
	struct copier *c = arg;
	char buf[CHUNK];
	DWORD error = c->in ? copy_in(c, buf) : copy_out(c, buf);
	bool is_left;

	endpoint_close(c->theirs);
	AcquireSRWLockExclusive(&c->lock);
	if (c->ended)
		port_post(&c->ended->op, error);
	c->ended = NULL;
	is_left = c->is_left;
	c->theirs = NULL;
	ReleaseSRWLockExclusive(&c->lock);
	if (is_left)
		free(c);
	return 0;
}

static void was_ended(struct port_op *op)
{
	struct standard *s = ((struct ended *)op)->s;

	s->is_ended = true;
	s->error = !op->error                 ? 0
		   : win_is_hangup(op->error) ? -EPIPE
					      : win_error(op->error);
	if (s->done)
		s->done(s->error, s->arg);
}

static int copier_start(
	struct standard *s, HANDLE own, bool in, struct endpoint *theirs)
{
	struct copier *c = calloc(1, sizeof(*c));
	HANDLE thread;
	int r;

	if (!c) {
		endpoint_close(theirs);
		return -ENOMEM;
	}
	InitializeSRWLock(&c->lock);
	c->own = own;
	c->in = in;
	c->theirs = theirs;
	c->ended = s->ended;
	port_begin(&s->ended->op);
	thread = CreateThread(NULL, 0, copy, c, 0, NULL);
	if (!thread) {
		r = win_last();
		port_ended(&s->ended->op);
		endpoint_close(theirs);
		free(c);
		return r;
	}
	CloseHandle(thread);
	s->copier = c;
	return 0;
}

static int standard_begin(
	struct standard *s, struct event_base *base, HANDLE own, bool in)
{
	struct endpoint *theirs;
	int r = port_loop_get(base, &s->loop);

	if (r < 0)
		return r;
	if (!handle_is(own))
		return stream_open_null(base, &s->stream);
	s->ended = calloc(1, sizeof(*s->ended));
	if (!s->ended)
		return -ENOMEM;
	s->ended->s = s;
	s->ended->op.loop = s->loop;
	s->ended->op.done = was_ended;
	r = in ? stream_pipe_from_child(base, &s->stream, &theirs)
	       : stream_pipe_to_child(base, &s->stream, &theirs);
	return r < 0 ? r : copier_start(s, own, in, theirs);
}

int standard_open(struct event_base *base, int which, struct standard **ret)
{
	struct standard *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = standard_begin(s, base, GetStdHandle(numbers[which]), which == 0);
	if (r < 0)
		standard_free(s);
	else
		*ret = s;
	return r;
}

struct stream *standard_stream(struct standard *s)
{
	return s->stream;
}

void standard_end(
	struct standard *s, void (*done)(int error, void *arg), void *arg)
{
	s->done = done;
	s->arg = arg;
	stream_close(s->stream);
	s->stream = NULL;
	if (!s->copier || s->is_ended)
		done(s->error, arg);
}

/* Whether it has told, or will never: what it tells with is ours then. */
static bool copier_leave(struct copier *c)
{
	bool is_over, has_told;

	AcquireSRWLockExclusive(&c->lock);
	has_told = !c->ended;
	c->ended = NULL;
	c->is_left = true;
	is_over = !c->theirs;
	ReleaseSRWLockExclusive(&c->lock);
	if (is_over)
		free(c);
	return has_told;
}

void standard_free(struct standard *s)
{
	if (!s)
		return;
	stream_close(s->stream);
	if (s->copier && !copier_leave(s->copier))
		port_ended(&s->ended->op);
	if (s->ended)
		port_abandon(&s->ended->op, NULL);
	if (s->loop)
		port_loop_put(s->loop);
	free(s);
}
