/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "client/fifo.h"
#include "ctl/run.h"
#include "ctl/say.h"

#define DRAIN_TICK_MS 250
#define DRAIN_IDLE_MS 5000
#define SIGNAL_KILL 9

/* The reader of our stdout (say, head) has gone, so what the container writes
 * is of no use; and no SIGPIPE can reach it through a shim. */
static void reader_gone(void *arg)
{
	struct ctl_run *r = arg;

	if (r->reader_gone)
		return;
	r->reader_gone = true;
	if (r->state == CTL_RUN_RUNNING)
		client_process_kill(client_task_init(r->task), SIGNAL_KILL,
			true, NULL, NULL);
}

static void output_done(struct ctl_run *r, int error)
{
	if (error < 0)
		r->output_error = error;
	r->drained = (!r->out || ctl_relay_is_done(r->out)) &&
		     (!r->err || ctl_relay_is_done(r->err));
}

static void on_out_done(int error, void *arg)
{
	output_done(arg, error);
}

static void on_in_done(int error, void *arg)
{
	struct ctl_run *r = arg;

	(void)error;
	ctl_relay_free(r->in); /* closes the FIFO: first it, then the rest */
	r->in = NULL;
	client_process_close_stdin(client_task_init(r->task), NULL, NULL);
}

static int open_output(struct ctl_run *r, const char *fifo, int to,
	struct ctl_relay **ret, struct err *e)
{
	int from, ours, rc = client_fifo_make(fifo, e);

	if (rc < 0)
		return rc;
	from = client_fifo_open_output(fifo, e);
	if (from < 0)
		return from;
	ours = ctl_relay_own(to);
	if (ours < 0) {
		close(from);
		return err_sys(e, ours, "descriptor %d", to);
	}
	*ret = ctl_relay_new(r->base, from, ours, on_out_done, r);
	if (!*ret)
		return err_sys(e, -ENOMEM, "relay of output");
	ctl_relay_outlive(*ret, reader_gone);
	return 0;
}

int ctl_run_open_io(struct ctl_run *r, struct err *e)
{
	int rc;

	if (r->o->interactive) {
		rc = client_fifo_make(r->place.in, e);
		if (rc < 0)
			return rc;
		r->input = client_fifo_open_input(r->place.in, e);
		if (r->input < 0)
			return r->input;
	}
	rc = open_output(r, r->place.out, STDOUT_FILENO, &r->out, e);
	if (rc < 0 || r->o->terminal)
		return rc;
	return open_output(r, r->place.err, STDERR_FILENO, &r->err, e);
}

void ctl_run_stdio(const struct ctl_run *r, struct client_stdio *ret)
{
	*ret = (struct client_stdio){
		.out = r->place.out, .terminal = r->o->terminal};
	if (r->o->interactive)
		ret->in = r->place.in;
	if (!r->o->terminal)
		ret->err = r->place.err;
}

int ctl_run_feed(struct ctl_run *r, struct err *e)
{
	int from;

	if (r->input < 0)
		return 0;
	from = ctl_relay_own(STDIN_FILENO);
	if (from < 0)
		return err_sys(e, from, "stdin");
	r->in = ctl_relay_new(r->base, from, r->input, on_in_done, r);
	r->input = -1;
	return r->in ? 0 : err_sys(e, -ENOMEM, "relay of stdin");
}

static bool is_stuck(const struct ctl_relay *r)
{
	return r && !ctl_relay_is_done(r) && ctl_relay_is_stuck(r);
}

/* As long as bytes come, or cannot be written because our own reader is slow,
 * there is no hurry. But a process that outlives the container may hold its
 * output open for ever. */
static void on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_run *r = arg;
	unsigned long long bytes = 0;

	(void)fd;
	(void)what;
	if (r->out)
		bytes += ctl_relay_bytes(r->out);
	if (r->err)
		bytes += ctl_relay_bytes(r->err);
	if (bytes != r->drained_bytes || is_stuck(r->out) || is_stuck(r->err))
		r->drain_idle_ms = 0;
	else
		r->drain_idle_ms += DRAIN_TICK_MS;
	r->drained_bytes = bytes;
	if (r->drain_idle_ms >= DRAIN_IDLE_MS)
		r->drained = true;
}

int ctl_run_drain(struct ctl_run *r)
{
	static const struct timeval tick = {0, DRAIN_TICK_MS * 1000};

	if (!r->drain_timer)
		r->drain_timer =
			event_new(r->base, -1, EV_PERSIST, on_drain_tick, r);
	if (!r->drain_timer || event_add(r->drain_timer, &tick) < 0)
		return -ENOMEM;
	return client_run_until(r->client, &r->drained, 0);
}

void ctl_run_close_io(struct ctl_run *r)
{
	if (r->drain_timer)
		event_free(r->drain_timer);
	r->drain_timer = NULL;
	ctl_relay_free(r->in);
	ctl_relay_free(r->out);
	ctl_relay_free(r->err);
	r->in = r->out = r->err = NULL;
	if (r->input >= 0)
		close(r->input);
	r->input = -1;
}
