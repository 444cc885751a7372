/* SPDX-License-Identifier: Apache-2.0 */
#include "client/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/fifo.h"
#include "platform/stream.h"

#define LINE_SIZE 4096

struct client_log {
	char *path;
	struct stream *stream;
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
	if (l->path)
		unlink(l->path);
	free(l->path);
	free(l);
}

int client_log_new(struct event_base *base, const char *path, client_log_cb cb,
	void *arg, struct client_log **ret, struct err *e)
{
	struct client_log *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		return err_sys(e, r, "log");
	l->cb = cb;
	l->arg = arg;
	l->path = strdup(path);
	if (!l->path) {
		err_sys(e, r, "log");
		goto fail;
	}
	r = access(path, F_OK) == 0 ? 0 : client_fifo_make(path, e);
	if (r == 0)
		r = stream_open_fifo(base, path, &l->stream, e);
	if (r < 0)
		goto fail;
	stream_set_cb(l->stream, on_log, l);
	r = stream_watch(l->stream, STREAM_READ);
	if (r < 0) {
		err_sys(e, r, "log");
		goto fail;
	}
	*ret = l;
	return 0;
fail:
	client_log_free(l);
	return r;
}
