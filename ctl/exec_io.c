/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "client/fifo.h"
#include "ctl/exec.h"

#define DRAIN_TICK_MS 250
#define DRAIN_IDLE_MS 5000
#define SIGNAL_KILL 9

static const char *const names[] = {"stdin", "stdout", "stderr"};

/* The reader of our stdout (say, head) has gone, so what the process writes is
 * of no use; and no SIGPIPE can reach it through a shim. */
static void reader_gone(void *arg)
{
	struct ctl_exec *x = arg;

	if (x->reader_gone)
		return;
	x->reader_gone = true;
	if (x->started)
		ctl_exec_kill_unread(x);
}

void ctl_exec_kill_unread(struct ctl_exec *x)
{
	if (x->reader_gone && !x->over)
		client_process_kill(x->process, SIGNAL_KILL, false, NULL, NULL);
}

static bool is_done(const struct ctl_relay *r)
{
	return !r || ctl_relay_is_done(r);
}

static void on_output_done(int error, void *arg)
{
	struct ctl_exec *x = arg;

	if (error < 0)
		x->output_error = error;
	x->drained = is_done(x->relay[STDOUT_FILENO]) &&
		     is_done(x->relay[STDERR_FILENO]);
}

static void on_in_done(int error, void *arg)
{
	struct ctl_exec *x = arg;

	(void)error;
	ctl_relay_free(x->relay[STDIN_FILENO]); /* closes the FIFO: first it */
	x->relay[STDIN_FILENO] = NULL;
	client_process_close_stdin(x->process, NULL, NULL);
}

/* The bundle stays ours to reach when the shim's process is gone. */
static int open_folder(struct ctl_exec *x, struct err *e)
{
	char path[CTL_PATH_MAX];
	int r = ctl_target_path(&x->target, "", path, sizeof(path), e);

	if (r < 0)
		return r;
	x->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return x->folder < 0 ? err_sys(e, -errno, "its bundle '%s'",
				       x->target.where.bundle)
			     : 0;
}

static int make_fifo(struct ctl_exec *x, int i, struct err *e)
{
	const struct ctl_shim *w = &x->target.where;
	char name[100];
	int r = 0;

	snprintf(name, sizeof(name), "%s-%s", x->exec_id, names[i]);
	snprintf(x->path[i], sizeof(x->path[i]), "/proc/self/fd/%d/%s",
		x->folder, name);
	if (snprintf(x->uri[i], sizeof(x->uri[i]), "%s/%s", w->bundle, name) >=
		(int)sizeof(x->uri[i]))
		r = err_set(e, -ENAMETOOLONG,
			"the path of its bundle '%s' is too long", w->bundle);
	if (r == 0)
		r = client_fifo_make(x->path[i], e);
	x->made[i] = r == 0;
	return r;
}

static int open_output(struct ctl_exec *x, int i, struct err *e)
{
	int from, ours, r = make_fifo(x, i, e);

	if (r < 0)
		return r;
	from = client_fifo_open_output(x->path[i], e);
	if (from < 0)
		return from;
	ours = ctl_relay_own(i);
	if (ours < 0) {
		close(from);
		return err_sys(e, ours, "descriptor %d", i);
	}
	x->relay[i] =
		ctl_relay_new(x->session.base, from, ours, on_output_done, x);
	if (!x->relay[i])
		return err_sys(e, -ENOMEM, "relay of output");
	ctl_relay_outlive(x->relay[i], reader_gone);
	return 0;
}

int ctl_exec_open_io(struct ctl_exec *x, struct err *e)
{
	int r = open_folder(x, e);

	if (r < 0)
		return r;
	if (x->o->interactive) {
		r = make_fifo(x, STDIN_FILENO, e);
		if (r < 0)
			return r;
		x->input = client_fifo_open_input(x->path[STDIN_FILENO], e);
		if (x->input < 0)
			return x->input;
	}
	r = open_output(x, STDOUT_FILENO, e);
	if (r < 0 || x->o->terminal)
		return r;
	return open_output(x, STDERR_FILENO, e);
}

static const char *uri_of(const struct ctl_exec *x, int i)
{
	return x->made[i] ? x->uri[i] : NULL;
}

void ctl_exec_stdio(const struct ctl_exec *x, struct client_stdio *ret)
{
	*ret = (struct client_stdio){.in = uri_of(x, STDIN_FILENO),
		.out = uri_of(x, STDOUT_FILENO),
		.err = uri_of(x, STDERR_FILENO),
		.terminal = x->o->terminal};
}

int ctl_exec_feed(struct ctl_exec *x, struct err *e)
{
	int from;

	if (x->input < 0)
		return 0;
	from = ctl_relay_own(STDIN_FILENO);
	if (from < 0)
		return err_sys(e, from, "stdin");
	x->relay[STDIN_FILENO] =
		ctl_relay_new(x->session.base, from, x->input, on_in_done, x);
	x->input = -1;
	return x->relay[STDIN_FILENO] ? 0
				      : err_sys(e, -ENOMEM, "relay of stdin");
}

static bool is_stuck(const struct ctl_relay *r)
{
	return !is_done(r) && ctl_relay_is_stuck(r);
}

/* As long as bytes come, or cannot be written because our own reader is slow,
 * there is no hurry. But a process that outlives this one may hold its output
 * open for ever. */
static void on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_exec *x = arg;
	const struct ctl_relay *out = x->relay[STDOUT_FILENO];
	const struct ctl_relay *err = x->relay[STDERR_FILENO];
	unsigned long long bytes = 0;

	(void)fd;
	(void)what;
	if (out)
		bytes += ctl_relay_bytes(out);
	if (err)
		bytes += ctl_relay_bytes(err);
	if (bytes != x->drained_bytes || is_stuck(out) || is_stuck(err))
		x->drain_idle_ms = 0;
	else
		x->drain_idle_ms += DRAIN_TICK_MS;
	x->drained_bytes = bytes;
	if (x->drain_idle_ms >= DRAIN_IDLE_MS)
		x->drained = true;
}

int ctl_exec_drain(struct ctl_exec *x)
{
	static const struct timeval tick = {0, DRAIN_TICK_MS * 1000};

	x->drain_timer =
		event_new(x->session.base, -1, EV_PERSIST, on_drain_tick, x);
	if (!x->drain_timer || event_add(x->drain_timer, &tick) < 0)
		return -ENOMEM;
	return client_run_until(x->session.client, &x->drained, 0);
}

void ctl_exec_close_io(struct ctl_exec *x)
{
	int i;

	if (x->drain_timer)
		event_free(x->drain_timer);
	x->drain_timer = NULL;
	if (x->input >= 0)
		close(x->input);
	x->input = -1;
	for (i = 0; i < 3; i++) {
		ctl_relay_free(x->relay[i]);
		x->relay[i] = NULL;
		if (x->made[i])
			unlink(x->path[i]);
		x->made[i] = false;
	}
	if (x->folder >= 0)
		close(x->folder);
	x->folder = -1;
}
