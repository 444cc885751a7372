/* SPDX-License-Identifier: Apache-2.0 */
#include "client/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "client/fifo.h"
#include "platform/file.h"
#include "platform/stream.h"

#define LINE_SIZE 4096

/* For a pipe that the shim makes when it begins to serve. */
static const struct timeval again = {.tv_usec = 20000};

struct client_log {
	struct event_base *base; /* borrowed */
	char *path;
	struct stream *stream; /* NULL: it is not there yet */
	struct event *retry;
	client_log_cb cb;
	void *arg;
	char line[LINE_SIZE];
	size_t n;
};

static void log_tell(struct client_log *l)
{
	char *start = l->line, *end;

	l->line[l->n] = '\0';
	while ((end = strchr(start, '\n'))) {
		*end = '\0';
		l->cb(start, l->arg);
		start = end + 1;
	}
	l->n = strlen(start);
	if (start == l->line && l->n == LINE_SIZE - 1) {
		l->cb(start, l->arg);
		l->n = 0;
	}
	memmove(l->line, start, l->n);
}

static void on_log(struct stream *s, unsigned what, void *arg)
{
	struct client_log *l = arg;
	ssize_t got;

	(void)what;
	while ((got = stream_read(s, l->line + l->n, LINE_SIZE - 1 - l->n)) >
		0) {
		l->n += (size_t)got;
		log_tell(l);
	}
	if (got != -EAGAIN)
		stream_watch(s, 0);
}

void client_log_free(struct client_log *l)
{
	if (!l)
		return;
	if (l->stream) {
		on_log(l->stream, STREAM_READ, l);
		stream_close(l->stream);
	}
	if (l->retry)
		event_free(l->retry);
	if (l->path)
		file_remove(l->path);
	free(l->path);
	free(l);
}

static int log_open(struct client_log *l, struct err *e)
{
	int r = stream_open_fifo(l->base, l->path, &l->stream, e);

	if (r == -ENOENT || r == -EAGAIN)
		r = event_add(l->retry, &again) < 0 ? -ENOMEM : 0;
	if (r < 0 || !l->stream)
		return r;
	stream_set_cb(l->stream, on_log, l);
	r = stream_watch(l->stream, STREAM_READ);
	return r < 0 ? err_sys(e, r, "log") : 0;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_open(arg, NULL);
}

int client_log_new(struct event_base *base, const char *path, client_log_cb cb,
	void *arg, struct client_log **ret, struct err *e)
{
	struct client_log *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		return err_sys(e, r, "log");
	l->base = base;
	l->cb = cb;
	l->arg = arg;
	l->path = strdup(path);
	l->retry = evtimer_new(base, on_retry, l);
	if (!l->path || !l->retry) {
		err_sys(e, r, "log");
		goto fail;
	}
	r = file_check(path) == 0 ? 0 : client_fifo_make(path, e);
	if (r == 0)
		r = log_open(l, e);
	if (r < 0)
		goto fail;
	*ret = l;
	return 0;
fail:
	client_log_free(l);
	return r;
}
