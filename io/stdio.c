/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stdio.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "io/relay.h"
#include "io/uri.h"
#include "platform/console.h"

enum { IN, OUT, ERR, N };

/* One of the three: first the two ends wait side by side, then a relay has
 * ours and the process has theirs. */
struct line {
	struct stream *daemon; /* the FIFO or file of the request */
	struct stream *pipe;   /* our end of the pipe to the process */
	struct endpoint *theirs;
	struct relay *relay;
	bool logger;             /* the daemon's side is a pipe to a logger */
	struct flow_stats *last; /* when it had ended; NULL: it has not */
};

struct stdio {
	struct event_base *base; /* borrowed */
	struct line line[N];
	struct console *console;
	struct event *tick; /* while draining */
	void (*drained)(void *arg);
	void *arg;
	bool started, stdin_closed, cut;
	unsigned waited_ms, quiet_ms;
	uint64_t lost, seen;          /* bytes, at the last tick */
	struct relay_options options; /* of outputs */
	void (*told)(int fd, const struct flow_stats *fs, void *arg);
	void *told_arg;
};

#define TICK_MS 100

static const char *const line_names[N] = {"stdin", "stdout", "stderr"};

static int open_daemon_side(
	struct stdio *s, int i, const char *text, struct err *e)
{
	struct line *l = &s->line[i];
	struct uri u;
	int r = uri_parse(text, &u, e);

	if (r < 0)
		return r;
	switch (u.scheme) {
	case URI_NULL:
		return 0;
	case URI_FIFO:
		return stream_open_fifo(s->base, u.path, &l->daemon, e);
	case URI_FILE:
		return stream_open_log(s->base, u.path, &l->daemon, e);
	case URI_BINARY:
	case URI_BINARY_V2:
		break; /* is there already: take_loggers() */
	}
	return 0;
}

static int open_pipe(struct stdio *s, int i, const struct stdio_config *config)
{
	struct line *l = &s->line[i];
	int r;

	if (!l->daemon)
		return 0;
	r = i == IN ? stream_pipe_to_child(s->base, &l->pipe, &l->theirs)
		    : stream_pipe_from_child(s->base, &l->pipe, &l->theirs);
	if (r == 0 && (config->uid || config->gid))
		r = endpoint_chown(l->theirs, config->uid, config->gid);
	return r;
}

static int open_lines(
	struct stdio *s, const struct stdio_config *config, struct err *e)
{
	const char *text[N] = {config->in, config->out, config->err};
	int i, r;

	for (i = 0; i < (config->terminal ? ERR : N); i++) {
		r = open_daemon_side(s, i, text[i], e);
		if (r < 0) {
			err_prefix(e, "%s", line_names[i]);
			return r;
		}
	}
	if (config->terminal)
		return console_new(
			s->base, config->dir, config->name, &s->console, e);
	for (i = 0; i < N; i++) {
		r = open_pipe(s, i, config);
		if (r < 0)
			return err_sys(e, r, "pipe for %s", line_names[i]);
	}
	return 0;
}

static void stdio_tick(evutil_socket_t fd, short what, void *arg);

static void line_told(struct relay *r, enum flow_state now, void *arg)
{
	struct stdio *s = arg;
	struct flow_stats fs;
	int i;

	relay_stats(r, &fs);
	fs.state = now;
	for (i = OUT; i < N; i++)
		if (s->line[i].relay == r && s->told)
			s->told(i, &fs, s->told_arg);
}

int stdio_check(const char *in, const char *out, const char *err, struct err *e)
{
	const char *text[N] = {in, out, err};
	struct uri u;
	int i, r;

	for (i = 0; i < N; i++) {
		r = uri_parse(text[i], &u, e);
		if (r == 0 && i == IN && u.scheme != URI_NULL &&
			u.scheme != URI_FIFO)
			r = err_set(e, -EINVAL, "'%s' can only take output",
				text[i]);
		if (r < 0) {
			err_prefix(e, "%s", line_names[i]);
			return r;
		}
	}
	return 0;
}

/* From here on stdio_close() has them, if there is a stdio. */
static void take_loggers(struct stdio *s, const struct stdio_config *config)
{
	int i;

	for (i = OUT; i < N; i++) {
		struct stream *to = config->to_logger[i - OUT];

		if (!s) {
			stream_close(to);
			continue;
		}
		s->line[i].daemon = to;
		s->line[i].logger = to != NULL;
	}
}

/* Known before anything is opened. */
static int check_loggers(
	const struct stdio *s, const struct stdio_config *config, struct err *e)
{
	const char *text[N] = {NULL, config->out, config->err};
	struct uri u;
	int i;

	for (i = OUT; i < (config->terminal ? ERR : N); i++)
		if (uri_parse(text[i], &u, e) == 0 && uri_is_logger(&u) &&
			!s->line[i].logger)
			return err_set(
				e, -ENOSYS, "no logger for '%s'", text[i]);
	return 0;
}

int stdio_open(struct event_base *base, const struct stdio_config *config,
	struct stdio **ret, struct err *e)
{
	struct stdio *s = calloc(1, sizeof(*s));
	int r;

	if (s)
		s->tick = event_new(base, -1, 0, stdio_tick, s);
	if (!s || !s->tick) {
		free(s);
		take_loggers(NULL, config);
		return err_set(e, -ENOMEM, "no memory for stdio");
	}
	s->base = base;
	s->options = (struct relay_options){.policy = config->policy,
		.dir = config->dir,
		.told = line_told,
		.arg = s};
	s->told = config->told;
	s->told_arg = config->told_arg;
	take_loggers(s, config);
	r = stdio_check(config->in, config->out, config->err, e);
	if (r == 0)
		r = check_loggers(s, config, e);
	if (r == 0)
		r = open_lines(s, config, e);
	if (r < 0)
		stdio_close(s);
	else
		*ret = s;
	return r;
}

void stdio_endpoints(const struct stdio *s, struct endpoint *ret[3])
{
	int i;

	for (i = 0; i < N; i++)
		ret[i] = s->line[i].theirs;
}

const char *stdio_console_socket(const struct stdio *s)
{
	return s->console ? console_socket(s->console) : NULL;
}

struct console *stdio_console(const struct stdio *s)
{
	return s->console;
}

/* Its counters stay, for people who look; without memory they do not. */
static void close_line(struct stdio *s, int i)
{
	struct line *l = &s->line[i];
	struct flow_stats fs;

	relay_stats(l->relay, &fs);
	fs.lost += fs.spooled + fs.waiting;
	fs.spooled = fs.waiting = fs.unread = 0;
	fs.ended = true;
	if (i != IN)
		s->lost += fs.lost;
	l->last = malloc(sizeof(*l->last));
	if (l->last)
		*l->last = fs;
	relay_free(l->relay);
	l->relay = NULL;
}

static void line_ended(struct relay *r, void *arg)
{
	struct stdio *s = arg;
	int i;

	for (i = 0; i < N; i++)
		if (s->line[i].relay == r)
			close_line(s, i);
	if (s->drained)
		event_active(s->tick, EV_TIMEOUT, 0);
}

/* Output of a terminal that nobody asked for must be read all the same, or the
 * process would stop; typed input comes only from a FIFO. */
static int take_terminal(struct stdio *s, struct err *e)
{
	struct stream *output, *input;
	int r = console_receive(s->console, &output, &input, e);

	if (r < 0)
		return r;
	s->line[OUT].pipe = output;
	if (s->line[IN].daemon)
		s->line[IN].pipe = input;
	else
		stream_close(input);
	if (!s->line[OUT].daemon)
		r = stream_open_null(s->base, &s->line[OUT].daemon);
	return r < 0 ? err_sys(e, r, "/dev/null for the terminal") : 0;
}

static int start_line(struct stdio *s, int i)
{
	struct line *l = &s->line[i];
	struct stream *from = i == IN ? l->daemon : l->pipe;
	struct stream *to = i == IN ? l->pipe : l->daemon;
	int r;

	if (!l->pipe)
		return 0;
	l->daemon = l->pipe = NULL;
	r = relay_start(s->base, from, to, line_ended, s, &l->relay);
	if (r == 0 && l->logger)
		relay_outlive(l->relay);
	if (r == 0 && i != IN)
		relay_set_options(l->relay, &s->options);
	return r;
}

int stdio_start(struct stdio *s, struct err *e)
{
	int i, r = 0;

	for (i = 0; i < N; i++) {
		endpoint_close(s->line[i].theirs);
		s->line[i].theirs = NULL;
	}
	if (s->console)
		r = take_terminal(s, e);
	if (r < 0)
		return r;
	for (i = 0; i < N; i++) {
		r = start_line(s, i);
		if (r < 0)
			return err_sys(e, r, "relay %s", line_names[i]);
	}
	s->started = true;
	if (s->stdin_closed && s->line[IN].relay)
		relay_finish(s->line[IN].relay);
	return 0;
}

void stdio_close_stdin(struct stdio *s)
{
	s->stdin_closed = true;
	if (s->line[IN].relay)
		relay_finish(s->line[IN].relay);
}

int stdio_resize(struct stdio *s, uint32_t width, uint32_t height)
{
	return s->console ? console_resize(s->console, width, height) : -ENOTTY;
}

static bool output_open(const struct stdio *s)
{
	return s->line[OUT].relay || s->line[ERR].relay;
}

/* Bytes delivered or lost so far, and whether more are known to wait. */
static uint64_t progress(const struct stdio *s, bool *ret_blocked)
{
	uint64_t bytes = 0;
	int i;

	*ret_blocked = false;
	for (i = OUT; i < N; i++) {
		if (!s->line[i].relay)
			continue;
		bytes += relay_bytes(s->line[i].relay) +
			 relay_lost(s->line[i].relay);
		*ret_blocked |= relay_is_blocked(s->line[i].relay);
	}
	return bytes;
}

static void drop_output(struct stdio *s)
{
	int i;

	for (i = OUT; i < N; i++) {
		if (!s->line[i].relay)
			continue;
		s->cut = true;
		close_line(s, i);
	}
}

static void stdio_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	struct stdio *s = arg;
	void (*drained)(void *arg) = s->drained;
	uint64_t bytes;
	bool blocked;

	(void)fd;
	(void)what;
	if (!drained)
		return;
	bytes = progress(s, &blocked);
	s->quiet_ms = bytes == s->seen && !blocked ? s->quiet_ms + TICK_MS : 0;
	s->waited_ms += TICK_MS;
	s->seen = bytes;
	if (s->quiet_ms > STDIO_QUIET_MS || s->waited_ms > STDIO_DRAIN_MS)
		drop_output(s);
	if (output_open(s) && event_add(s->tick, &tick) == 0)
		return;
	drop_output(s);
	s->drained = NULL;
	drained(s->arg);
}

void stdio_drain(struct stdio *s, void (*done)(void *arg), void *arg)
{
	bool blocked;
	int i;

	if (s->line[IN].relay)
		close_line(s, IN);
	if (s->console)
		console_finish(s->console);
	for (i = OUT; i < N; i++)
		if (s->line[i].relay)
			relay_trust_reader(s->line[i].relay);
	s->drained = done;
	s->arg = arg;
	s->quiet_ms = s->waited_ms = 0;
	s->seen = progress(s, &blocked);
	event_active(s->tick, EV_TIMEOUT, 0);
}

bool stdio_is_unread(const struct stdio *s)
{
	int i;

	for (i = OUT; i < N; i++)
		if (s->line[i].relay && relay_is_unread(s->line[i].relay))
			return true;
	return false;
}

bool stdio_was_cut(const struct stdio *s)
{
	return s->cut;
}

uint64_t stdio_lost(const struct stdio *s)
{
	uint64_t lost = s->lost;
	int i;

	for (i = OUT; i < N; i++)
		if (s->line[i].relay)
			lost += relay_lost(s->line[i].relay);
	return lost;
}

bool stdio_stats(const struct stdio *s, int fd, struct flow_stats *ret)
{
	const struct line *l = &s->line[fd];

	*ret = (struct flow_stats){0};
	if (l->relay)
		relay_stats(l->relay, ret);
	else if (l->last)
		*ret = *l->last;
	return l->relay || l->last || l->daemon;
}

void stdio_close(struct stdio *s)
{
	int i;

	if (!s)
		return;
	for (i = 0; i < N; i++) {
		struct line *l = &s->line[i];

		relay_free(l->relay);
		stream_close(l->daemon);
		stream_close(l->pipe);
		endpoint_close(l->theirs);
		free(l->last);
	}
	console_close(s->console);
	event_free(s->tick);
	free(s);
}
