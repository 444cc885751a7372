/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/fifo.h"
#include "ctl/keep.h"

#define DRAIN_TICK_MS 250
#define DRAIN_IDLE_MS 1000
#define REST_MAX (4u << 20) /* of output that does not end */
#define TURNS_MAX 8         /* then the rest of the loop has its turn */

/* ---- output ---- */

/* Takes the bytes out of the FIFO that have been looked at. */
static void consume(struct ctl_keep_source *s, size_t n)
{
	struct ctl_keep *k = s->keep;

	while (n > 0) {
		ssize_t got = read(s->fd, k->chunk,
			n < sizeof(k->chunk) ? n : sizeof(k->chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return; /* somebody else reads: not ours to judge */
		n -= (size_t)got;
	}
}

/* The bytes are first copied, then written to the log, and only then taken: a
 * keeper that is killed in between has lost nothing. > 0 moved, 0 at the end,
 * -EAGAIN nothing there now. */
static ssize_t move_some(struct ctl_keep_source *s)
{
	struct ctl_keep *k = s->keep;
	ssize_t n = tee(s->fd, k->copy[1], sizeof(k->chunk), SPLICE_F_NONBLOCK);

	if (n <= 0)
		return n < 0 ? -errno : 0;
	n = read(k->copy[0], k->chunk, (size_t)n);
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	ctl_output_add(&k->output, s->is_err, k->chunk, (size_t)n);
	ctl_keep_tell_output(k, s->is_err, k->chunk, (size_t)n);
	k->bytes += (uint64_t)n;
	consume(s, (size_t)n);
	return n;
}

static void source_end(struct ctl_keep_source *s)
{
	s->ended = true;
	if (s->ev)
		event_del(s->ev);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep_source *s = arg;
	struct ctl_keep *k = s->keep;
	int turns = 0;
	ssize_t n = 1;

	(void)fd;
	(void)what;
	while (n > 0 && turns++ < TURNS_MAX && !k->paused)
		n = move_some(s);
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR))
		source_end(s);
	if (s->ended && k->exited && k->out.ended && k->err.ended)
		ctl_keep_drain(k);
}

static int source_open(
	struct ctl_keep_source *s, const char *path, bool make, struct err *e)
{
	int r = make ? client_fifo_make(path, e) : 0;

	if (r < 0)
		return r;
	s->fd = client_fifo_open_output(path, e);
	if (s->fd < 0)
		return s->fd;
	s->ev = event_new(
		s->keep->base, s->fd, EV_READ | EV_PERSIST, on_output, s);
	return s->ev ? 0 : err_sys(e, -ENOMEM, "open '%s'", path);
}

static int source_read(struct ctl_keep_source *s, bool now, struct err *e)
{
	if (s->fd < 0)
		return 0;
	if (!s->ended && event_add(s->ev, NULL) < 0)
		return err_sys(e, -ENOMEM, "read output");
	if (now)
		on_output(s->fd, EV_READ, s);
	return 0;
}

int ctl_keep_read(struct ctl_keep *k, bool now, struct err *e)
{
	int r = source_read(&k->out, now, e);

	return r < 0 ? r : source_read(&k->err, now, e);
}

static void source_pause(struct ctl_keep_source *s, bool paused)
{
	if (s->fd < 0 || s->ended)
		return;
	if (paused)
		event_del(s->ev);
	else
		event_add(s->ev, NULL);
}

void ctl_keep_pause(struct ctl_keep *k, bool paused)
{
	if (k->paused == paused)
		return;
	k->paused = paused;
	source_pause(&k->out, paused);
	source_pause(&k->err, paused);
}

static void source_rest(struct ctl_keep_source *s)
{
	size_t total = 0;

	while (s->fd >= 0 && !s->ended && total < REST_MAX) {
		ssize_t n = move_some(s);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		total += (size_t)n;
	}
}

void ctl_keep_read_rest(struct ctl_keep *k)
{
	source_rest(&k->out);
	source_rest(&k->err);
}

static void drained(struct ctl_keep *k)
{
	if (k->drain)
		event_del(k->drain);
	if (k->over)
		return;
	k->over = true;
	ctl_keep_is_over(k);
}

/* A process that outlives the container may hold its output open for ever. */
static void on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep *k = arg;

	(void)fd;
	(void)what;
	if (k->bytes != k->drained_bytes || k->paused)
		k->idle_ms = 0;
	else
		k->idle_ms += DRAIN_TICK_MS;
	k->drained_bytes = k->bytes;
	if (k->idle_ms >= DRAIN_IDLE_MS)
		drained(k);
}

void ctl_keep_drain(struct ctl_keep *k)
{
	static const struct timeval tick = {0, DRAIN_TICK_MS * 1000};

	if (k->out.ended && k->err.ended) {
		drained(k);
		return;
	}
	if (k->drain || k->over)
		return;
	k->drain = event_new(k->base, -1, EV_PERSIST, on_drain_tick, k);
	if (!k->drain || event_add(k->drain, &tick) < 0)
		drained(k);
}

/* ---- input ---- */

static void input_close(struct ctl_keep *k)
{
	if (k->input_ready)
		event_free(k->input_ready);
	k->input_ready = NULL;
	if (k->input >= 0)
		close(k->input);
	k->input = -1;
	k->input_n = 0;
}

static void input_write(struct ctl_keep *k)
{
	while (k->input_n > 0) {
		ssize_t n =
			write(k->input, k->input_buf + k->input_at, k->input_n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN &&
			event_add(k->input_ready, NULL) == 0)
			return;
		if (n < 0) {
			input_close(k); /* there is nobody to tell */
			break;
		}
		k->input_at += (size_t)n;
		k->input_n -= (size_t)n;
	}
	k->input_at = 0;
}

static void on_input_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep *k = arg;

	(void)fd;
	(void)what;
	input_write(k);
	if (k->input_n == 0)
		ctl_keep_serve_input(k);
}

void ctl_keep_put_input(struct ctl_keep *k, const void *data, size_t n)
{
	if (k->input < 0 || n > sizeof(k->input_buf))
		return;
	memcpy(k->input_buf, data, n);
	k->input_at = 0;
	k->input_n = n;
	input_write(k);
}

void ctl_keep_end_input(struct ctl_keep *k)
{
	if (k->input < 0)
		return;
	input_close(k); /* first the FIFO, then the rest */
	if (k->task)
		client_process_close_stdin(
			client_task_init(k->task), NULL, NULL);
}

static int input_open(struct ctl_keep *k, bool make, struct err *e)
{
	int r = make ? client_fifo_make(k->place.in, e) : 0;

	if (r < 0)
		return r;
	k->input = client_fifo_open_input(k->place.in, e);
	if (k->input < 0)
		return k->input;
	k->input_ready =
		event_new(k->base, k->input, EV_WRITE, on_input_ready, k);
	return k->input_ready ? 0 : err_sys(e, -ENOMEM, "open stdin");
}

/* ---- all of it ---- */

int ctl_keep_open_io(struct ctl_keep *k, bool make, struct err *e)
{
	int r;

	k->out.keep = k->err.keep = k;
	k->err.is_err = true;
	k->err.ended = k->record.terminal;
	if (pipe2(k->copy, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, -errno, "pipe");
	r = ctl_output_open(&k->output, k->place.output, CTL_OUTPUT_MAX, e);
	if (r == 0 && k->record.interactive)
		r = input_open(k, make, e);
	if (r == 0)
		r = source_open(&k->out, k->place.out, make, e);
	if (r == 0 && !k->record.terminal)
		r = source_open(&k->err, k->place.err, make, e);
	return r;
}

static void source_close(struct ctl_keep_source *s)
{
	if (s->ev)
		event_free(s->ev);
	s->ev = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void ctl_keep_close_io(struct ctl_keep *k)
{
	int i;

	if (k->drain)
		event_free(k->drain);
	k->drain = NULL;
	input_close(k);
	source_close(&k->out);
	source_close(&k->err);
	ctl_output_close(&k->output);
	for (i = 0; i < 2; i++) {
		if (k->copy[i] >= 0)
			close(k->copy[i]);
		k->copy[i] = -1;
	}
}
