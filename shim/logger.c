/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/logger.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/uri.h"
#include "platform/auto.h"
#include "platform/process.h"
#include "reaper/reaper.h"
#include "shim/ident.h"
#include "shim/log.h"

enum { OUT, ERR, N };

/* What one that has ended has said is here by then. */
#define LOGGER_LAST_MS 200

/* After SIGKILL: what is not gone by then hangs in the kernel. */
#define LOGGER_KILL_MS 5000

enum stage {
	STARTED,
	AWAITED, /* ready() is to be told */
	TOLD,
	/* being ended */
	AT_EOF,
	TERMINATED,
	KILLED,
	ENDED
};

struct logger {
	struct loggers *all;
	char *path;
	bool wants_byte; /* binary-v2 */
	int64_t pid;     /* 0: none, or it has ended */
	/* of the output that it does not get, where it has to find its end
	 * before that can be closed; else NULL */
	struct stream *unused;
	struct stream *ready; /* NULL: it is, or never was */
	/* it dials the pipes by their names: if it has not, its end is none of
	 * theirs */
	bool dials;
};

struct loggers {
	struct loggers_config config;
	struct logger one[N];
	unsigned n;
	struct stream *to[N]; /* until loggers_take() */
	struct event *turn;   /* deadlines, and what is to be told */
	enum stage stage;
	struct err err; /* why one is not ready */
	loggers_cb ready;
	void (*ended)(void *arg);
	void *arg;
};

/* What a logger is born with; all of it is closed once it is. */
struct ends {
	struct endpoint *at[PROCESS_ENDPOINTS_MAX];
};

static bool all_ready(const struct loggers *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (l->one[i].ready)
			return false;
	return true;
}

static bool all_ended(const struct loggers *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (l->one[i].pid)
			return false;
	return true;
}

/* Something has changed: is there something to tell? */
static void look(struct loggers *l)
{
	if ((l->stage == AWAITED && (l->err.code || all_ready(l))) ||
		(l->stage >= AT_EOF && l->stage < ENDED && all_ended(l)))
		event_active(l->turn, EV_READ, 0);
}

/* Without memory for a timer it has expired. */
static void set_deadline(struct loggers *l, unsigned ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	if (event_add(l->turn, &tv) < 0)
		event_active(l->turn, EV_TIMEOUT, 0);
}

static void signal_all(struct loggers *l, uint32_t signal)
{
	struct process_ref *ref;
	unsigned i;

	for (i = 0; i < l->n; i++) {
		if (!l->one[i].pid || process_ref_open(l->one[i].pid, &ref) < 0)
			continue;
		process_ref_signal(ref, signal);
		process_ref_close(ref);
	}
}

static void set_failed(
	struct loggers *l, const struct logger *one, int code, const char *why)
{
	if (!l->err.code)
		err_set(&l->err, code, "logger '%s' %s", one->path, why);
}

static void logger_says(struct stream *s, unsigned what, void *arg)
{
	struct logger *one = arg;
	char byte;
	ssize_t n = stream_read(s, &byte, 1);

	(void)what;
	if (n == -EAGAIN)
		return;
	if (n <= 0 && one->wants_byte)
		set_failed(one->all, one, -EREMOTEIO,
			"did not say that it is ready: it closed its ready "
			"pipe, or ended, without a byte");
	stream_close(ptr_take(&one->ready));
	look(one->all);
}

static void logger_exited(const struct process_exit *x, void *arg)
{
	struct logger *one = arg;
	struct loggers *l = one->all;

	one->pid = 0;
	if (l->stage < AT_EOF && x->status != 0)
		log_warn(l->config.id, "logger '%s' ended with status %" PRIu32,
			one->path, x->status);
	if (one->dials && one->ready && l->stage == AWAITED)
		set_deadline(l, LOGGER_LAST_MS);
	look(l);
}

static void no_ready_in_time(struct loggers *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++) /* these are why it is now */
		if (l->one[i].ready && l->one[i].dials && !l->one[i].pid)
			set_failed(l, &l->one[i], -EREMOTEIO,
				"ended before it was ready");
	for (i = 0; i < l->n; i++)
		if (l->one[i].ready)
			set_failed(l, &l->one[i], -ETIMEDOUT,
				"was not ready in time");
}

static void tell_ready(struct loggers *l)
{
	struct err e = l->err;

	event_del(l->turn);
	l->stage = TOLD;
	l->ready(e.code, &e, l->arg);
}

static void tell_ended(struct loggers *l)
{
	event_del(l->turn);
	l->stage = ENDED;
	l->ended(l->arg);
}

/* The next, harsher way to end them. */
static void escalate(struct loggers *l)
{
	if (l->stage == KILLED) {
		log_warn(l->config.id, "a logger can't be killed");
		tell_ended(l);
		return;
	}
	if (l->stage == AT_EOF && !l->err.code) {
		l->stage = TERMINATED;
		signal_all(l, SIGTERM);
		set_deadline(l, LOGGER_TERM_MS);
		return;
	}
	if (l->stage == TERMINATED)
		log_warn(l->config.id, "a logger did not heed SIGTERM");
	l->stage = KILLED;
	signal_all(l, SIGKILL);
	set_deadline(l, LOGGER_KILL_MS);
}

static void loggers_turn(evutil_socket_t fd, short what, void *arg)
{
	struct loggers *l = arg;

	(void)fd;
	(void)what;
	if (l->stage == AWAITED) {
		no_ready_in_time(l);
		tell_ready(l);
	} else if (l->stage >= AT_EOF && all_ended(l)) {
		tell_ended(l);
	} else if (l->stage >= AT_EOF) {
		escalate(l);
	}
}

/* The three that are not among the usual three. */
static const struct {
	const char *name, *variable;
} more_ends[] = {{"stdout", "CONTAINER_STDOUT"}, {"stderr", "CONTAINER_STDERR"},
	{"wait", "CONTAINER_WAIT"}};

static int open_pipe(struct logger *one, unsigned number,
	struct stream **ret_ours, struct ends *ends)
{
	static unsigned long serial; /* makes names unique */
	const struct loggers_config *config = &one->all->config;
	char name[IDENT_MAX + 64];

	snprintf(name, sizeof(name), "binary-%s-%d.%lu-%s", config->id,
		(int)getpid(), ++serial, more_ends[number - 3].name);
	return stream_pipe_by_name(
		config->base, name, number < 5, ret_ours, &ends->at[number]);
}

/* Both outputs' pipes: one that this logger has nothing to do with is at its
 * end as soon as our side of it is closed. */
static int open_pipes(
	struct logger *one, const bool takes[N], struct ends *ends)
{
	struct loggers *l = one->all;
	struct stream *ours;
	int i, r;

	for (i = OUT; i < N; i++) {
		r = open_pipe(one, 3 + i, &ours, ends);
		if (r < 0)
			return r;
		if (takes[i])
			l->to[i] = ours;
		else if (endpoint_name(ends->at[3 + i]))
			one->unused = ours;
		else
			stream_close(ours);
	}
	r = open_pipe(one, 5, &one->ready, ends);
	if (r < 0)
		return r;
	one->dials = endpoint_name(ends->at[5]) != NULL;
	stream_set_cb(one->ready, logger_says, one);
	return stream_watch(one->ready, STREAM_READ);
}

static int spawn(struct logger *one, const char *text, const struct ends *ends,
	struct err *e)
{
	const struct loggers_config *config = &one->all->config;
	char id[IDENT_MAX + 32], ns[IDENT_MAX + 32];
	char more[3][IDENT_MAX + 128];
	const char *env[6] = {id, ns};
	struct process_spec spec = {.envp = env};
	auto_free const char **argv = NULL;
	int i, r = uri_argv(text, &argv, e);

	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "CONTAINER_ID=%s", config->id);
	snprintf(ns, sizeof(ns), "CONTAINER_NAMESPACE=%s", config->ns);
	for (i = 0; i < 3 && endpoint_name(ends->at[3 + i]); i++) {
		snprintf(more[i], sizeof(more[i]), "%s=%s",
			more_ends[i].variable, endpoint_name(ends->at[3 + i]));
		env[2 + i] = more[i];
	}
	spec.argv = argv;
	memcpy(spec.endpoints, ends->at, sizeof(spec.endpoints));
	return reaper_spawn(
		config->reaper, &spec, logger_exited, one, &one->pid, e);
}

static int start_one(
	struct loggers *l, const char *text, const bool takes[N], struct err *e)
{
	struct logger *one = &l->one[l->n];
	struct ends ends = {0};
	unsigned i;
	struct uri u;
	int r = uri_parse(text, &u, e);

	if (r < 0)
		return r;
	one->path = strdup(u.path);
	if (!one->path)
		return err_set(e, -ENOMEM, "no memory for a logger");
	one->wants_byte = u.scheme == URI_BINARY_V2;
	one->all = l;
	l->n++;
	r = open_pipes(one, takes, &ends);
	if (r < 0)
		err_sys(e, r, "pipes for logger '%s'", one->path);
	else
		r = spawn(one, text, &ends, e);
	for (i = 0; i < PROCESS_ENDPOINTS_MAX; i++)
		endpoint_close(ends.at[i]);
	if (r < 0)
		err_prefix(e, "logger");
	/* to the client, -ENOENT would be the container */
	if (r == -ENOENT && e)
		e->code = -EINVAL;
	return r == -ENOENT ? -EINVAL : r;
}

static bool is_logger(const char *text)
{
	struct uri u;

	return uri_parse(text, &u, NULL) == 0 && uri_is_logger(&u);
}

static int start_all(
	struct loggers *l, const char *out, const char *err, struct err *e)
{
	bool one_for_both = is_logger(out) && err && strcmp(out, err) == 0;
	int r = 0;

	if (is_logger(out))
		r = start_one(l, out, (bool[N]){true, one_for_both}, e);
	if (r == 0 && is_logger(err) && !one_for_both)
		r = start_one(l, err, (bool[N]){false, true}, e);
	return r;
}

int loggers_start(const struct loggers_config *config, const char *out,
	const char *err, struct loggers **ret, struct err *e)
{
	struct loggers *l;
	int r;

	*ret = NULL;
	if (!is_logger(out) && !is_logger(err))
		return 0;
	l = calloc(1, sizeof(*l));
	if (l)
		l->turn = event_new(config->base, -1, 0, loggers_turn, l);
	if (!l || !l->turn) {
		free(l);
		return err_set(e, -ENOMEM, "no memory for a logger");
	}
	l->config = *config;
	r = start_all(l, out, err, e);
	if (r < 0)
		loggers_free(l);
	else
		*ret = l;
	return r;
}

void loggers_take(struct loggers *l, struct stream *ret[2])
{
	ret[OUT] = ptr_take(&l->to[OUT]);
	ret[ERR] = ptr_take(&l->to[ERR]);
}

bool loggers_look(const struct loggers *l, unsigned number,
	const char **ret_path, int64_t *ret_pid, bool *ret_ready)
{
	if (number >= l->n)
		return false;
	*ret_path = l->one[number].path;
	*ret_pid = l->one[number].pid;
	*ret_ready = !l->one[number].ready;
	return true;
}

void loggers_await(struct loggers *l, loggers_cb ready, void *arg)
{
	l->stage = AWAITED;
	l->ready = ready;
	l->arg = arg;
	set_deadline(l, LOGGER_READY_MS);
	look(l);
}

void loggers_cancel(struct loggers *l)
{
	if (l->stage != AWAITED)
		return;
	if (!l->err.code)
		err_set(&l->err, -ECANCELED,
			"waiting for a logger was canceled");
	look(l);
}

static void close_unused(struct loggers *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		stream_close(ptr_take(&l->one[i].unused));
}

void loggers_end(struct loggers *l, void (*ended)(void *arg), void *arg)
{
	l->stage = AT_EOF;
	l->ended = ended;
	l->arg = arg;
	close_unused(l);
	if (all_ended(l))
		event_active(l->turn, EV_READ, 0);
	else
		set_deadline(l, l->err.code ? 0 : LOGGER_EOF_MS);
}

void loggers_free(struct loggers *l)
{
	unsigned i;

	if (!l)
		return;
	signal_all(l, SIGKILL);
	for (i = 0; i < l->n; i++) {
		if (l->one[i].pid)
			reaper_forget(l->config.reaper, l->one[i].pid);
		stream_close(l->one[i].ready);
		free(l->one[i].path);
	}
	close_unused(l);
	stream_close(l->to[OUT]);
	stream_close(l->to[ERR]);
	event_free(l->turn);
	free(l);
}
