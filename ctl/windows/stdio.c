/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/stdio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/standard.h"

#define CHUNK 16384
#define DRAIN_TICK_MS 250
#define DRAIN_IDLE_TICKS 20
#define SIGNAL_KILL 9

static const char *const words[] = {"stdin", "stdout", "stderr"};

/* One direction, with the bytes that are on their way. */
struct ctl_pipes {
	struct ctl_stdio *io; /* borrowed */
	int which;
	struct stream *theirs; /* of the shim's pipe */
	struct standard *own;
	struct stream *from, *to; /* borrowed: two of those */
	char buf[CHUNK];
	size_t at, n;
	unsigned long long bytes;
	bool ended; /* nothing more comes */
	bool done;  /* and all of it is where it belongs */
	bool dropping;
};

static void pump(struct ctl_pipes *p);

static void on_ready(struct stream *s, unsigned what, void *arg)
{
	(void)s;
	(void)what;
	pump(arg);
}

/* ---- output ---- */

static bool is_done(const struct ctl_pipes *p)
{
	return !p || p->done;
}

static void output_done(int error, void *arg)
{
	struct ctl_pipes *p = arg;
	struct ctl_stdio *io = p->io;

	p->done = true;
	if (error && error != -EPIPE && !io->error)
		io->error = error;
	io->drained = is_done(io->pipe[1]) && is_done(io->pipe[2]);
}

/* What follows is of no use to anybody, but the shim must get rid of it. */
static void reader_gone(struct ctl_pipes *p)
{
	struct ctl_stdio *io = p->io;

	p->dropping = true;
	if (io->reader_gone)
		return;
	io->reader_gone = true;
	if (io->process)
		client_process_kill(io->process, SIGNAL_KILL, true, NULL, NULL);
}

/* ---- input ---- */

static void on_input_closed(const struct err *e, void *arg)
{
	(void)e; /* a process that has ended needs none */
	(void)arg;
}

static void input_done(struct ctl_pipes *p)
{
	p->done = true;
	p->io->end_input = true;
	if (p->io->process)
		client_process_close_stdin(
			p->io->process, on_input_closed, NULL);
}

/* ---- both ---- */

static void broken(struct ctl_pipes *p, int r)
{
	p->n = 0;
	if (p->which == 0) {
		/* the shim has closed it: nobody reads stdin any more */
		p->ended = p->done = true;
		stream_watch(p->from, 0);
		stream_watch(p->to, 0);
	} else if (r == -EPIPE) {
		reader_gone(p);
	} else {
		if (!p->io->error)
			p->io->error = r;
		p->dropping = true;
	}
}

/* False if it has to be waited for. */
static bool put(struct ctl_pipes *p)
{
	ssize_t r = stream_write(p->to, p->buf + p->at, p->n);

	if (r == -EAGAIN) {
		stream_watch(p->from, 0);
		stream_watch(p->to, STREAM_WRITE);
		return false;
	}
	if (r < 0) {
		broken(p, (int)r);
		return true;
	}
	p->at += (size_t)r;
	p->n -= (size_t)r;
	p->bytes += (unsigned long long)r;
	return true;
}

static bool get(struct ctl_pipes *p)
{
	ssize_t r = stream_read(p->from, p->buf, sizeof(p->buf));

	if (r == -EAGAIN) {
		stream_watch(p->to, 0);
		stream_watch(p->from, STREAM_READ);
		return false;
	}
	p->at = 0;
	p->n = r > 0 && !p->dropping ? (size_t)r : 0;
	p->ended = r <= 0;
	return true;
}

static void finish(struct ctl_pipes *p)
{
	stream_watch(p->from, 0);
	if (p->which == 0) {
		/* CloseIO must not overtake what is on its way */
		if (stream_unread(p->to) > 0) {
			stream_watch(p->to, STREAM_WRITE);
			return;
		}
		stream_watch(p->to, 0);
		input_done(p);
		return;
	}
	standard_end(p->own, output_done, p);
	p->to = NULL;
}

static void pump(struct ctl_pipes *p)
{
	int turns;

	/* the rest of the loop has its turn after some */
	for (turns = 0; turns < 16 && !p->done; turns++) {
		if (p->n > 0) {
			if (!put(p))
				return;
		} else if (p->ended) {
			finish(p);
			return;
		} else if (!get(p)) {
			return;
		}
	}
}

static int pipe_open(struct ctl_stdio *io, int which)
{
	struct event_base *base = client_base(io->client);
	struct ctl_pipes *p = calloc(1, sizeof(*p));
	struct endpoint *name;
	int r;

	if (!p)
		return -ENOMEM;
	p->io = io;
	p->which = which;
	io->pipe[which] = p;
	r = stream_pipe_by_name(base, strrchr(io->name[which], '\\') + 1,
		which == 0, &p->theirs, &name);
	if (r < 0)
		return r;
	endpoint_close(name);
	if (which > 0)
		r = standard_open(base, which, &p->own);
	if (r < 0 || which == 0)
		return r;
	p->from = p->theirs;
	p->to = standard_stream(p->own);
	stream_set_cb(p->from, on_ready, p);
	stream_set_cb(p->to, on_ready, p);
	return stream_watch(p->from, STREAM_READ);
}

int ctl_stdio_open(struct ctl_stdio *io, struct client *c, const char *id,
	bool interactive, bool terminal, struct err *e)
{
	int i, r;

	memset(io, 0, sizeof(*io));
	io->client = c;
	io->terminal = terminal;
	for (i = interactive ? 0 : 1; i < (terminal ? 2 : 3); i++) {
		snprintf(io->name[i], sizeof(io->name[i]),
			"\\\\.\\pipe\\wispctl-%s-%s", id, words[i]);
		r = pipe_open(io, i);
		if (r < 0)
			return err_sys(e, r, "pipe '%s'", io->name[i]);
	}
	return 0;
}

void ctl_stdio_uris(const struct ctl_stdio *io, struct client_stdio *ret)
{
	*ret = (struct client_stdio){.terminal = io->terminal};
	if (*io->name[0])
		ret->in = io->name[0];
	if (*io->name[1])
		ret->out = io->name[1];
	if (*io->name[2])
		ret->err = io->name[2];
}

int ctl_stdio_feed(
	struct ctl_stdio *io, struct client_process *process, struct err *e)
{
	struct ctl_pipes *p = io->pipe[0];
	int r;

	io->process = process;
	if (!p)
		return 0;
	r = standard_open(client_base(io->client), 0, &p->own);
	if (r < 0)
		return err_sys(e, r, "stdin");
	p->from = standard_stream(p->own);
	p->to = p->theirs;
	stream_set_cb(p->from, on_ready, p);
	stream_set_cb(p->to, on_ready, p);
	r = stream_watch(p->from, STREAM_READ);
	return r < 0 ? err_sys(e, r, "stdin") : 0;
}

static bool is_stuck(const struct ctl_pipes *p)
{
	return p && !p->done && (p->n > 0 || p->ended);
}

/* As long as bytes come, or our own reader is slow, there is no hurry; but a
 * process that outlives the container may hold its output open for ever. */
int ctl_stdio_drain(struct ctl_stdio *io)
{
	unsigned long long before = 0, bytes;
	unsigned idle = 0;
	int r, i;

	if (!io->pipe[1])
		return 0;
	while (!io->drained && idle < DRAIN_IDLE_TICKS) {
		r = client_run_until(io->client, &io->drained, DRAIN_TICK_MS);
		if (r < 0 && r != -ETIME)
			return r;
		for (bytes = 0, i = 1; i < 3; i++)
			bytes += io->pipe[i] ? io->pipe[i]->bytes : 0;
		idle = bytes != before || is_stuck(io->pipe[1]) ||
				       is_stuck(io->pipe[2])
			       ? 0
			       : idle + 1;
		before = bytes;
	}
	return 0;
}

void ctl_stdio_close(struct ctl_stdio *io)
{
	int i;

	for (i = 0; i < 3; i++) {
		struct ctl_pipes *p = io->pipe[i];

		if (!p)
			continue;
		stream_close(p->theirs);
		standard_free(p->own);
		free(p);
		io->pipe[i] = NULL;
	}
}
