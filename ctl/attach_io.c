/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/attach.h"

static void keeper_watch(struct ctl_attach *a, bool read);

/* ---- to the keeper ---- */

static void keeper_lost(struct ctl_attach *a)
{
	if (!a->over)
		a->lost = true;
	stream_watch(a->keeper, 0);
	ctl_attach_end(a);
}

static void queue_write(struct ctl_attach *a)
{
	while (a->n > 0) {
		ssize_t put = stream_write(a->keeper, a->queue + a->at, a->n);

		if (put == -EAGAIN)
			return;
		if (put <= 0) {
			a->n = 0; /* that it is gone is seen by reading */
			return;
		}
		a->at += (size_t)put;
		a->n -= (size_t)put;
	}
	a->at = 0;
}

/* There is always room: nothing is read from stdin while something waits, and
 * a size that does not fit is not worth to wait for. */
static void queue_frame(
	struct ctl_attach *a, uint32_t type, const void *data, size_t n)
{
	struct ctl_wire_head head = {.type = type, .n = (uint32_t)n};

	if (a->at > 0)
		memmove(a->queue, a->queue + a->at, a->n);
	a->at = 0;
	if (a->n + sizeof(head) + n > sizeof(a->queue))
		return;
	memcpy(a->queue + a->n, &head, sizeof(head));
	if (n > 0)
		memcpy(a->queue + a->n + sizeof(head), data, n);
	a->n += sizeof(head) + n;
	queue_write(a);
	keeper_watch(a, a->taken == 0);
}

void ctl_attach_size(struct ctl_attach *a, uint32_t width, uint32_t height)
{
	uint32_t size[] = {width, height};

	queue_frame(a, CTL_WIRE_SIZE, size, sizeof(size));
}

static void typed_end(struct ctl_attach *a)
{
	if (a->typed)
		event_free(a->typed);
	a->typed = NULL;
	if (a->in >= 0)
		close(a->in);
	a->in = -1;
	/* a terminal is not closed by one of those who are attached */
	if (!a->record.terminal)
		queue_frame(a, CTL_WIRE_IN_END, NULL, 0);
}

static void on_typed(evutil_socket_t fd, short what, void *arg)
{
	char in[CTL_ATTACH_INPUT], out[CTL_ATTACH_INPUT + CTL_KEYS_MAX];
	struct ctl_attach *a = arg;
	ssize_t got = read((int)fd, in, sizeof(in));
	size_t n;

	(void)what;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		typed_end(a);
		return;
	}
	a->detached = ctl_keys_feed(&a->keys, in, (size_t)got, out, &n);
	if (n > 0)
		queue_frame(a, CTL_WIRE_IN, out, n);
	if (a->detached)
		ctl_attach_end(a);
}

static void on_in_done(int error, void *arg)
{
	struct ctl_attach *a = arg;

	(void)error;
	ctl_relay_free(a->in_relay); /* the pipe ends with it */
	a->in_relay = NULL;
}

/* Through a pipe, because a relay knows how to read whatever stdin is. */
int ctl_attach_feed(struct ctl_attach *a, struct err *e)
{
	int from, ends[2];

	if (!a->record.interactive || a->o->no_stdin)
		return 0;
	from = ctl_relay_own(STDIN_FILENO);
	if (from < 0)
		return err_sys(e, from, "stdin");
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(from);
		return err_sys(e, -errno, "pipe");
	}
	a->in = ends[0];
	a->in_relay = ctl_relay_new(a->base, from, ends[1], on_in_done, a);
	a->typed = event_new(a->base, a->in, EV_READ | EV_PERSIST, on_typed, a);
	if (!a->in_relay || !a->typed || event_add(a->typed, NULL) < 0)
		return err_sys(e, -ENOMEM, "relay of stdin");
	return 0;
}

/* ---- from the keeper ---- */

/* Writes the rest of a frame; false if that has to wait. */
static bool take_output(struct ctl_attach *a, struct ctl_attach_output *o,
	const char *data, size_t n)
{
	while (o->fd >= 0 && a->taken < n) {
		ssize_t put = write(o->fd, data + a->taken, n - a->taken);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			return event_add(o->ready, NULL) < 0;
		if (put < 0)
			break; /* its relay has told why */
		a->taken += (size_t)put;
	}
	return true;
}

static void take_other(struct ctl_attach *a, const struct ctl_wire_head *head,
	const char *data)
{
	if (head->type == CTL_WIRE_EXIT && head->n == sizeof(a->status)) {
		memcpy(&a->status, data, sizeof(a->status));
		a->exited = true;
	} else if (head->type == CTL_WIRE_SORRY) {
		snprintf(
			a->sorry, sizeof(a->sorry), "%.*s", (int)head->n, data);
	} else {
		return;
	}
	ctl_attach_end(a);
}

/* False if it cannot go on now. */
static bool take_frame(struct ctl_attach *a)
{
	struct ctl_wire_head head;
	bool taken = true;
	void *data;
	int r = ctl_wire_next(&a->reader, &head, &data);

	if (r == 0)
		return true;
	if (r < 0) {
		keeper_lost(a);
		return false;
	}
	if (head.type == CTL_WIRE_OUT)
		taken = take_output(a, &a->out, data, head.n);
	else if (head.type == CTL_WIRE_ERR)
		taken = take_output(a, &a->err, data, head.n);
	else
		take_other(a, &head, data);
	if (!taken)
		return false;
	a->taken = 0;
	ctl_wire_done(&a->reader);
	return !a->over;
}

static void on_keeper(struct stream *s, unsigned what, void *arg)
{
	struct ctl_attach *a = arg;
	size_t room;
	ssize_t got;
	void *to;

	if (what & STREAM_WRITE)
		queue_write(a);
	if (what & STREAM_READ) {
		to = ctl_wire_room(&a->reader, &room);
		got = stream_read(s, to, room);
		if (got == 0 || (got < 0 && got != -EAGAIN)) {
			keeper_lost(a);
			return;
		}
		if (got > 0)
			ctl_wire_add(&a->reader, (size_t)got);
		if (!take_frame(a)) {
			keeper_watch(a, false);
			return;
		}
	}
	keeper_watch(a, true);
}

/* Room again in the pipe to our own reader. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_attach *a = arg;

	(void)fd;
	(void)what;
	if (take_frame(a))
		keeper_watch(a, true);
}

static void keeper_watch(struct ctl_attach *a, bool read)
{
	unsigned what = a->n > 0 ? STREAM_WRITE : 0;

	stream_watch(a->keeper, read && !a->over ? what | STREAM_READ : what);
	if (!a->typed)
		return;
	if (a->n > 0)
		event_del(a->typed);
	else
		event_add(a->typed, NULL);
}

static void on_output_done(int error, void *arg)
{
	struct ctl_attach *a = arg;

	if (error == -EPIPE)
		a->reader_gone = true;
	else if (error < 0)
		a->output_error = error;
	a->drained = ctl_relay_is_done(a->out.relay) &&
		     (!a->err.relay || ctl_relay_is_done(a->err.relay));
	if (error < 0)
		ctl_attach_end(a);
}

static int output_open(struct ctl_attach *a, struct ctl_attach_output *o,
	int to, struct err *e)
{
	int ends[2], ours = ctl_relay_own(to);

	if (ours < 0)
		return err_sys(e, ours, "descriptor %d", to);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(ours);
		return err_sys(e, -errno, "pipe");
	}
	o->fd = ends[1];
	o->relay = ctl_relay_new(a->base, ends[0], ours, on_output_done, a);
	o->ready = event_new(a->base, o->fd, EV_WRITE, on_ready, a);
	return o->relay && o->ready ? 0
				    : err_sys(e, -ENOMEM, "relay of output");
}

int ctl_attach_open_io(struct ctl_attach *a, struct err *e)
{
	int r = output_open(a, &a->out, STDOUT_FILENO, e);

	if (r == 0 && !a->record.terminal)
		r = output_open(a, &a->err, STDERR_FILENO, e);
	if (r < 0)
		return r;
	stream_set_cb(a->keeper, on_keeper, a);
	r = stream_watch(a->keeper, STREAM_READ);
	return r < 0 ? err_sys(e, r, "attach") : 0;
}

static void output_finish(struct ctl_attach_output *o)
{
	if (o->ready)
		event_free(o->ready);
	o->ready = NULL;
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

void ctl_attach_drain(struct ctl_attach *a)
{
	output_finish(&a->out);
	output_finish(&a->err);
	if (!a->reader_gone && !a->output_error && a->out.relay)
		client_run_until(a->client, &a->drained, 0);
}

void ctl_attach_close_io(struct ctl_attach *a)
{
	output_finish(&a->out);
	output_finish(&a->err);
	ctl_relay_free(a->out.relay);
	ctl_relay_free(a->err.relay);
	ctl_relay_free(a->in_relay);
	if (a->typed)
		event_free(a->typed);
	a->typed = NULL;
	if (a->in >= 0)
		close(a->in);
	a->in = -1;
	stream_close(a->keeper);
	a->keeper = NULL;
}
