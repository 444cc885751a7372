/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/stream.h"

#include <event2/event.h>
#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "platform/windows/port.h"
#include "platform/windows/stream_file.h"
#include "platform/windows/stream_parts.h"

/* What is read ahead, or has been written and is not in the pipe yet. */
#define BUFFER 16384

/* How long a daemon that went away is looked for: the reference shim's. */
#define REDIAL_MIN_MS 200
#define REDIAL_MAX_MS 60000

/* And one that is there, but between two clients: go-winio's. */
#define BUSY_MS 10

/* One direction: at most one operation, and the bytes of it. */
struct transfer {
	struct port_op op; /* first */
	struct stream *s;  /* borrowed: its own */
	size_t off, len;
	bool ended; /* no more can come, or go */
	int error;  /* then: 0 the end, or why */
	char buf[BUFFER];
};

/* A client that is still to come. */
struct awaiting {
	struct port_op op; /* first */
	struct stream *s;  /* borrowed: its own */
};

struct stream {
	struct event_base *base; /* borrowed */
	enum stream_kind kind;
	struct port_loop *loop;
	HANDLE h;
	bool skip;                 /* port_attach() */
	struct awaiting *awaiting; /* NULL: there is another end */
	struct transfer *in, *out; /* NULL before the first use */
	unsigned watching;
	struct event *ev;   /* tells what is ready, again and again */
	struct event *dial; /* NULL: not one that dials again */
	bool dialing;       /* nobody is there now */
	unsigned dial_ms;
	uint64_t dial_since; /* GetTickCount64() */
	wchar_t name[PIPE_NAME_MAX];
	stream_cb cb;
	void *arg;
	void (*closed)(void *arg); /* NULL: nobody wants to know */
	void *closed_arg;
};

static const struct timeval at_once;

static void read_done(struct port_op *op);
static void write_done(struct port_op *op);

/* ---- being told ---- */

static bool is_reading(const struct stream *s)
{
	return s->in && s->in->op.state != PORT_IDLE;
}

static bool is_writing(const struct stream *s)
{
	return s->out && s->out->op.state != PORT_IDLE;
}

static unsigned stream_ready(const struct stream *s)
{
	unsigned ready = 0;

	if (s->kind != STREAM_OF_PIPE)
		return s->watching;
	if (s->in && (s->in->len > 0 || s->in->ended))
		ready |= STREAM_READ;
	if (!s->dialing && !s->awaiting && !is_writing(s))
		ready |= STREAM_WRITE;
	return ready & s->watching;
}

/* A timer of no time: the loop has its turn in between. */
static void stream_tell(struct stream *s)
{
	if (s->ev && stream_ready(s))
		event_add(s->ev, &at_once);
}

static void stream_event(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	unsigned ready = stream_ready(s);

	(void)fd;
	(void)what;
	stream_tell(s);
	if (ready)
		s->cb(s, ready, s->arg);
}

HANDLE stream_handle(const struct stream *s)
{
	return s->h;
}

void stream_set_cb(struct stream *s, stream_cb cb, void *arg)
{
	s->cb = cb;
	s->arg = arg;
}

static struct transfer *transfer_of(struct stream *s, struct transfer **at,
	void (*done)(struct port_op *op))
{
	struct transfer *t = *at;

	if (t)
		return t;
	t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	memset(t, 0, offsetof(struct transfer, buf));
	t->op.loop = s->loop;
	t->op.done = done;
	t->s = s;
	*at = t;
	return t;
}

/* ---- reading ---- */

static void read_failed(struct transfer *t, DWORD error)
{
	t->ended = true;
	t->error = win_is_hangup(error) || error == ERROR_HANDLE_EOF
			   ? 0
			   : win_error(error);
}

/* Begins to read ahead; what is there at once is there after this call. A write
 * of no bytes at the other end reads as none, and is no end. */
static void read_ahead(struct stream *s)
{
	struct transfer *t = s->in;

	while (!s->awaiting && !s->dialing && !is_reading(s) && t->len == 0 &&
		!t->ended) {
		t->off = 0;
		port_begin(&t->op);
		if (ReadFile(s->h, t->buf, BUFFER, NULL, &t->op.ov)) {
			if (!s->skip)
				return;
			port_ended(&t->op);
			t->len = t->op.ov.InternalHigh;
		} else if (GetLastError() != ERROR_IO_PENDING) {
			port_ended(&t->op);
			read_failed(t, GetLastError());
		}
	}
}

static void read_done(struct port_op *op)
{
	struct transfer *t = (struct transfer *)op;

	if (op->error)
		read_failed(t, op->error);
	else
		t->len = op->n;
	if (t->len == 0 && !t->ended)
		read_ahead(t->s);
	stream_tell(t->s);
}

ssize_t stream_read(struct stream *s, void *buf, size_t n)
{
	struct transfer *t;

	if (s->kind != STREAM_OF_PIPE)
		return s->kind == STREAM_OF_NULL ? 0 : -EBADF;
	t = transfer_of(s, &s->in, read_done);
	if (!t)
		return -ENOMEM;
	read_ahead(s);
	if (t->len == 0)
		return t->ended ? t->error : -EAGAIN;
	if (n > t->len)
		n = t->len;
	memcpy(buf, t->buf + t->off, n);
	t->off += n;
	t->len -= n;
	if (t->len == 0 && (s->watching & STREAM_READ))
		read_ahead(s);
	return (ssize_t)n;
}

/* ---- writing ---- */

static void out_failed(struct stream *s, DWORD error)
{
	static const struct timeval soon = {.tv_usec = REDIAL_MIN_MS * 1000};

	if (s->dial && win_is_hangup(error) && event_add(s->dial, &soon) == 0) {
		s->dialing = true;
		s->dial_ms = REDIAL_MIN_MS;
		s->dial_since = GetTickCount64();
		return;
	}
	s->out->len = 0;
	s->out->ended = true;
	s->out->error = win_is_hangup(error) ? -EPIPE : win_error(error);
}

/* Has what is in the buffer written, until the system takes its time. */
static void write_on(struct stream *s)
{
	struct transfer *t = s->out;

	while (!is_writing(s) && t->len > 0 && !t->ended && !s->dialing) {
		port_begin(&t->op);
		if (WriteFile(s->h, t->buf + t->off, (DWORD)t->len, NULL,
			    &t->op.ov)) {
			if (!s->skip)
				return;
			port_ended(&t->op);
			t->off += t->op.ov.InternalHigh;
			t->len -= t->op.ov.InternalHigh;
		} else if (GetLastError() != ERROR_IO_PENDING) {
			port_ended(&t->op);
			out_failed(s, GetLastError());
		}
	}
}

static void write_done(struct port_op *op)
{
	struct transfer *t = (struct transfer *)op;
	struct stream *s = t->s;

	t->off += op->n;
	t->len -= op->n;
	if (op->error)
		out_failed(s, op->error);
	write_on(s);
	stream_tell(s);
}

/* Whether the other end is there, as far as it can be told without a byte. */
static ssize_t write_nothing(struct stream *s)
{
	DWORD n;

	if (s->kind != STREAM_OF_PIPE || s->dial || s->awaiting)
		return 0;
	if (s->out && s->out->ended)
		return s->out->error;
	if (!PeekNamedPipe(s->h, NULL, 0, NULL, &n, NULL) &&
		win_is_hangup(GetLastError()))
		return -EPIPE;
	return 0;
}

ssize_t stream_write(struct stream *s, const void *buf, size_t n)
{
	struct transfer *t;

	if (n == 0)
		return write_nothing(s);
	if (s->kind == STREAM_OF_NULL)
		return (ssize_t)n;
	if (s->kind == STREAM_OF_FILE)
		return stream_file_write(s->h, buf, n);
	t = transfer_of(s, &s->out, write_done);
	if (!t)
		return -ENOMEM;
	if (t->ended)
		return t->error;
	if (is_writing(s) || s->dialing || s->awaiting)
		return -EAGAIN;
	t->off = 0;
	t->len = n < BUFFER ? n : BUFFER;
	n = t->len;
	memcpy(t->buf, buf, n);
	write_on(s);
	return t->ended ? t->error : (ssize_t)n;
}

/* ---- dialing again ---- */

int pipe_dial_stdio(const wchar_t *name, HANDLE *ret)
{
	static const DWORD ways[] = {GENERIC_READ | GENERIC_WRITE,
		GENERIC_WRITE | FILE_READ_ATTRIBUTES,
		GENERIC_READ | FILE_WRITE_ATTRIBUTES};
	unsigned i;
	int r = -EACCES;

	for (i = 0; i < sizeof(ways) / sizeof(*ways) && r == -EACCES; i++)
		r = pipe_dial(name, ways[i], ret);
	return r;
}

static bool dialed(struct stream *s)
{
	HANDLE h;

	if (pipe_dial_stdio(s->name, &h) < 0)
		return false;
	if (port_attach(h, &s->skip) < 0) {
		CloseHandle(h);
		return false;
	}
	/* reading has been at its end since the first break, if it was begun */
	if (is_reading(s)) {
		port_abandon(&s->in->op, s->h);
		s->in = NULL;
	}
	handle_close(&s->h);
	s->h = h;
	return true;
}

static unsigned dial_for_ms; /* 0: for ever */

void stream_dial_for(unsigned seconds)
{
	dial_for_ms = seconds < UINT_MAX / 1000 ? seconds * 1000 : UINT_MAX;
}

/* Nobody has come in time: what was to be written is lost. */
static void give_up(struct stream *s)
{
	s->dialing = false;
	if (s->out) {
		s->out->len = 0;
		s->out->ended = true;
		s->out->error = -EPIPE;
	}
	/* one that was never there (stream_dial_later()) has neither handle nor
	 * bytes: what is tried next fails */
	if (s->in)
		read_ahead(s);
	stream_tell(s);
}

static void dial_again(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	struct timeval tv;

	(void)fd;
	(void)what;
	if (dialed(s)) {
		s->dialing = false;
		if (s->in)
			read_ahead(s);
		if (s->out)
			write_on(s);
		stream_tell(s);
		return;
	}
	if (dial_for_ms && GetTickCount64() - s->dial_since >= dial_for_ms) {
		give_up(s);
		return;
	}
	s->dial_ms =
		s->dial_ms < REDIAL_MAX_MS / 2 ? 2 * s->dial_ms : REDIAL_MAX_MS;
	tv.tv_sec = s->dial_ms / 1000;
	tv.tv_usec = s->dial_ms % 1000 * 1000;
	event_add(s->dial, &tv);
}

int stream_dial_again(struct stream *s, const wchar_t *name)
{
	s->dial = event_new(s->base, -1, 0, dial_again, s);
	if (!s->dial)
		return -ENOMEM;
	wcscpy(s->name, name);
	return 0;
}

int stream_dial_later(
	struct event_base *base, const wchar_t *name, struct stream **ret)
{
	static const struct timeval soon = {.tv_usec = BUSY_MS * 1000};
	struct stream *s;
	int r = stream_from_attached(base, NULL, false, &s);

	if (r < 0)
		return r;
	r = stream_dial_again(s, name);
	if (r == 0 && event_add(s->dial, &soon) < 0)
		r = -ENOMEM;
	if (r < 0) {
		stream_close(s);
		return r;
	}
	s->dialing = true;
	s->dial_ms = BUSY_MS;
	s->dial_since = GetTickCount64();
	*ret = s;
	return 0;
}

/* ---- all of it ---- */

int stream_watch(struct stream *s, unsigned what)
{
	s->watching = 0;
	if (what && !s->ev) {
		s->ev = event_new(s->base, -1, 0, stream_event, s);
		if (!s->ev)
			return -ENOMEM;
	}
	if (what & STREAM_READ && s->kind == STREAM_OF_PIPE) {
		if (!transfer_of(s, &s->in, read_done))
			return -ENOMEM;
		read_ahead(s);
	}
	s->watching = what;
	if (!what && s->ev)
		event_del(s->ev);
	else
		stream_tell(s);
	return 0;
}

ssize_t stream_move(struct stream *from, struct stream *to, size_t n)
{
	(void)from;
	(void)to;
	(void)n;
	return -EOPNOTSUPP;
}

enum stream_rest stream_linger(struct stream *s)
{
	if (stream_unread(s) == 0)
		return STREAM_TAKEN;
	return s->dialing ? STREAM_LEFT_ALONE : STREAM_BEING_READ;
}

size_t stream_unread(struct stream *s)
{
	return s->kind == STREAM_OF_PIPE && s->out && !s->out->ended
		       ? s->out->len
		       : 0;
}

bool stream_is_unread(struct stream *s)
{
	return stream_unread(s) > 0;
}

size_t stream_pending(struct stream *s)
{
	DWORD n = 0;
	size_t held = s->in ? s->in->len : 0;

	if (s->kind != STREAM_OF_PIPE)
		return 0;
	if (!PeekNamedPipe(s->h, NULL, 0, NULL, &n, NULL))
		n = 0;
	return held + n;
}

int stream_replace(struct stream *s, HANDLE *h)
{
	int r;

	if (s->kind != STREAM_OF_PIPE || s->in || s->out || s->awaiting)
		return -EBUSY;
	r = port_attach(*h, &s->skip);
	if (r < 0)
		return r;
	if (s->closed) /* for what it had before */
		s->closed(s->closed_arg);
	s->closed = NULL;
	handle_close(&s->h);
	s->h = handle_take(h);
	return 0;
}

void stream_on_close(struct stream *s, void (*closed)(void *arg), void *arg)
{
	s->closed = closed;
	s->closed_arg = arg;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->closed)
		s->closed(s->closed_arg);
	if (s->ev)
		event_free(s->ev);
	if (s->dial)
		event_free(s->dial);
	if (s->awaiting)
		port_abandon(&s->awaiting->op, s->h);
	if (s->in)
		port_abandon(&s->in->op, s->h);
	if (s->out)
		port_abandon(&s->out->op, s->h);
	handle_close(&s->h);
	port_loop_put(s->loop);
	free(s);
}

struct stream *stream_new(
	struct event_base *base, enum stream_kind kind, HANDLE h)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s) {
		handle_close(&h);
		return NULL;
	}
	s->base = base;
	s->kind = kind;
	s->h = h;
	return s;
}

int stream_from_attached(
	struct event_base *base, HANDLE h, bool skip, struct stream **ret)
{
	struct stream *s = stream_new(base, STREAM_OF_PIPE, h);
	int r = s ? port_loop_get(base, &s->loop) : -ENOMEM;

	if (r < 0) {
		stream_close(s);
		return r;
	}
	s->skip = skip;
	*ret = s;
	return 0;
}

static void client_came(struct port_op *op)
{
	struct awaiting *a = (struct awaiting *)op;
	struct stream *s = a->s;

	/* if it failed, so will what is tried next */
	s->awaiting = NULL;
	free(a);
	if (s->watching & STREAM_READ)
		read_ahead(s);
	stream_tell(s);
}

int stream_await_client(struct event_base *base, HANDLE h, struct stream **ret)
{
	struct awaiting *a = calloc(1, sizeof(*a));
	struct stream *s = NULL;
	int r;

	if (!a) {
		CloseHandle(h);
		return -ENOMEM;
	}
	r = stream_from_handle(base, h, &s);
	if (r < 0 || !s) {
		free(a);
		return r;
	}
	a->s = s;
	a->op.loop = s->loop;
	a->op.done = client_came;
	s->awaiting = a;
	port_begin(&a->op);
	if (ConnectNamedPipe(h, &a->op.ov)) {
		if (s->skip)
			port_post(&a->op, 0);
	} else if (GetLastError() != ERROR_IO_PENDING) {
		port_post(&a->op, 0);
	}
	*ret = s;
	return 0;
}

int stream_from_handle(struct event_base *base, HANDLE h, struct stream **ret)
{
	struct stream *s = NULL;
	int r = stream_from_attached(base, h, false, &s);

	if (r == 0)
		r = port_attach(h, &s->skip);
	if (r == 0)
		*ret = s;
	else
		stream_close(s);
	return r;
}
