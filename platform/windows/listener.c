/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/listener.h"

#include <event2/event.h>
#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "platform/windows/port.h"
#include "platform/windows/split.h"

/* So many may dial at the same moment; who comes on top of it is told that the
 * pipe is busy, and dials again. */
#define WAITING 4

/* How long accepting rests when there are no handles, or no memory. */
static const struct timeval rest = {.tv_usec = 100000};

/* An end of the pipe that waits for its client. */
struct place {
	struct port_op op;  /* first */
	struct listener *l; /* borrowed: its own */
	HANDLE h;
	bool skip; /* port_attach() */
};

struct listener {
	wchar_t name[PIPE_NAME_MAX];
	HANDLE first;            /* from listener_bind(), for the first place */
	struct event_base *base; /* borrowed */
	struct port_loop *loop;
	struct event *again;
	struct place *places[WAITING];
	listener_cb cb;
	void *arg;
};

static enum pipe_access access_of(const wchar_t *name)
{
	static const wchar_t admins[] =
		L"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\";

	return _wcsnicmp(name, admins, wcslen(admins)) == 0
		       ? PIPE_FOR_ADMINISTRATORS
		       : PIPE_FOR_ALL_OF_US;
}

int listener_bind(const char *address, struct listener **ret, struct err *e)
{
	struct listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(e, -ENOMEM, "no memory for a listener");
	r = pipe_name(address, l->name);
	if (r == 0)
		r = pipe_listen(l->name, PIPE_ACCESS_DUPLEX, true, 0,
			access_of(l->name), &l->first);
	if (r < 0) {
		free(l);
		return err_sys(e, r, "listen on pipe '%s'", address);
	}
	*ret = l;
	return 0;
}

HANDLE listener_first(const struct listener *l)
{
	return l->first;
}

int listener_adopt(
	const char *address, HANDLE first, struct listener **ret, struct err *e)
{
	struct listener *l = calloc(1, sizeof(*l));
	int r = l ? pipe_name(address, l->name) : -ENOMEM;

	if (r < 0) {
		free(l);
		CloseHandle(first);
		return err_sys(e, r, "listen on pipe '%s'", address);
	}
	l->first = first;
	*ret = l;
	return 0;
}

static void place_fill(struct listener *l, unsigned i);

static void place_done(struct port_op *op)
{
	struct place *p = (struct place *)op;
	struct listener *l = p->l;
	HANDLE h = handle_take(&p->h);
	DWORD error = op->error;
	bool skip = p->skip;
	struct stream *s;
	unsigned i = 0;

	while (l->places[i] != p)
		i++;
	l->places[i] = NULL;
	free(p);
	/* the next one first: the name must not be without a waiting end, or
	 * who dials now would find nobody */
	place_fill(l, i);
	if (error) {
		CloseHandle(h);
		return;
	}
	if (stream_from_attached(l->base, h, skip, &s) == 0)
		l->cb(s, l->arg);
}

/* A new end, unless it is the first one; it may have its client at once. */
static int place_open(struct place *p)
{
	struct listener *l = p->l;
	int r = 0;

	p->h = handle_take(&l->first);
	if (!p->h)
		r = pipe_listen(l->name, PIPE_ACCESS_DUPLEX, false, 0,
			access_of(l->name), &p->h);
	if (r == 0)
		r = port_attach(p->h, &p->skip);
	if (r < 0)
		return r;
	port_begin(&p->op);
	if (ConnectNamedPipe(p->h, &p->op.ov)) {
		if (p->skip)
			port_post(&p->op, 0);
	} else if (GetLastError() == ERROR_PIPE_CONNECTED) {
		port_post(&p->op, 0);
	} else if (GetLastError() != ERROR_IO_PENDING) {
		port_post(&p->op, GetLastError());
	}
	return 0;
}

static void place_fill(struct listener *l, unsigned i)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p) {
		p->op.loop = l->loop;
		p->op.done = place_done;
		p->l = l;
	}
	if (!p || place_open(p) < 0) {
		if (p)
			handle_close(&p->h);
		free(p);
		event_add(l->again, &rest);
		return;
	}
	l->places[i] = p;
}

static void fill_all(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	unsigned i;

	(void)fd;
	(void)what;
	for (i = 0; i < WAITING; i++)
		if (!l->places[i])
			place_fill(l, i);
}

int listener_start(
	struct listener *l, struct event_base *base, listener_cb cb, void *arg)
{
	int r = port_loop_get(base, &l->loop);

	if (r < 0)
		return r;
	l->base = base;
	l->cb = cb;
	l->arg = arg;
	l->again = event_new(base, -1, 0, fill_all, l);
	if (!l->again)
		return -ENOMEM;
	fill_all(-1, 0, l);
	return 0;
}

void listener_close(struct listener *l)
{
	unsigned i;

	if (!l)
		return;
	if (l->again)
		event_free(l->again);
	for (i = 0; i < WAITING; i++) {
		struct place *p = l->places[i];
		HANDLE h = p ? p->h : NULL;

		if (!p)
			continue;
		port_abandon(&p->op, h);
		handle_close(&h);
	}
	handle_close(&l->first);
	port_loop_put(l->loop);
	free(l);
}

/* A pipe's name goes with its last end. */
int listener_unlink(const char *address)
{
	(void)address;
	return 0;
}

int listener_probe(const char *address)
{
	wchar_t name[PIPE_NAME_MAX];
	int r = pipe_name(address, name);

	if (r < 0)
		return r;
	return pipe_exists(name) ? 0 : win_last();
}

int listener_owner(const char *address, int64_t *ret_pid)
{
	wchar_t name[PIPE_NAME_MAX];
	ULONG pid = 0;
	HANDLE h = NULL;
	int r = pipe_name(address, name);

	if (r == 0)
		r = pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &h);
	if (r == -EAGAIN) { /* all ends are taken: somebody is there */
		*ret_pid = 0;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_pid = GetNamedPipeServerProcessId(h, &pid) ? (int64_t)pid : 0;
	CloseHandle(h);
	return 0;
}
