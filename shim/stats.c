/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/stats.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "platform/cgroup.h"
#include "platform/cgroup_stats.h"
#include "shim/task.h"

/*
 * The message is written as its values are told. The generated
 * code for it would cost every shim 17 KiB of private memory, for the tables
 * of two messages, one of which is never used on a given host.
 */
#define DEPTH_MAX 4
#define ROOM_MIN 1024

/* Wire types: developers.google.com/protocol-buffers, "Encoding". */
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

struct writer {
	struct stat_sink sink;
	uint8_t *data;
	size_t n, room;
	size_t begun[DEPTH_MAX]; /* where the open parts have their values */
	unsigned depth;
	bool no_memory;
};

/* Room for n more bytes, or NULL. */
static uint8_t *more(struct writer *w, size_t n)
{
	size_t room = w->room ? w->room : ROOM_MIN;
	uint8_t *data;

	while (room - w->n < n)
		room *= 2;
	if (room != w->room && !w->no_memory) {
		data = realloc(w->data, room);
		w->no_memory = !data;
		w->data = data ? data : w->data;
		w->room = data ? room : w->room;
	}
	if (w->no_memory)
		return NULL;
	w->n += n;
	return w->data + w->n - n;
}

static unsigned varint_size(uint64_t v)
{
	unsigned n = 1;

	while (v >>= 7)
		n++;
	return n;
}

static void varint_put(uint8_t *p, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p = (uint8_t)v;
}

static void put(struct writer *w, uint64_t v)
{
	uint8_t *p = more(w, varint_size(v));

	if (p)
		varint_put(p, v);
}

static void put_tag(struct writer *w, unsigned field, unsigned type)
{
	put(w, field << 3 | type);
}

static void on_begin(struct stat_sink *s, unsigned field)
{
	struct writer *w = (struct writer *)s;

	put_tag(w, field, WIRE_BYTES);
	more(w, 1); /* most parts are short */
	w->begun[w->depth++] = w->n;
}

static void on_end(struct stat_sink *s)
{
	struct writer *w = (struct writer *)s;
	size_t at = w->begun[--w->depth], n = w->n - at;
	unsigned extra = varint_size(n) - 1;

	if (extra && more(w, extra))
		memmove(w->data + at + extra, w->data + at, n);
	if (!w->no_memory)
		varint_put(w->data + at - 1, n);
}

static void on_number(struct stat_sink *s, unsigned field, uint64_t v)
{
	struct writer *w = (struct writer *)s;

	if (v == 0)
		return;
	put_tag(w, field, WIRE_VARINT);
	put(w, v);
}

static void on_real(struct stat_sink *s, unsigned field, double v)
{
	struct writer *w = (struct writer *)s;
	uint64_t bits;
	uint8_t *p;
	int i;

	memcpy(&bits, &v, sizeof(bits));
	if (bits == 0)
		return;
	put_tag(w, field, WIRE_FIXED64);
	p = more(w, sizeof(bits));
	for (i = 0; p && i < 8; i++)
		p[i] = (uint8_t)(bits >> 8 * i);
}

static void put_bytes(struct writer *w, const void *data, size_t n)
{
	uint8_t *p = more(w, n);

	if (p)
		memcpy(p, data, n);
}

static void on_text(struct stat_sink *s, unsigned field, const char *text)
{
	struct writer *w = (struct writer *)s;
	size_t n = strlen(text);

	if (n == 0)
		return;
	put_tag(w, field, WIRE_BYTES);
	put(w, n);
	put_bytes(w, text, n);
}

static void on_item(struct stat_sink *s, uint64_t v)
{
	put((struct writer *)s, v);
}

int metrics_pack(void (*read)(void *arg, struct stat_sink *sink), void *arg,
	uint8_t **ret, size_t *ret_n)
{
	struct writer w = {.sink = {.begin = on_begin,
				   .end = on_end,
				   .number = on_number,
				   .real = on_real,
				   .text = on_text,
				   .item = on_item}};

	read(arg, &w.sink);
	if (w.no_memory) {
		free(w.data);
		return -ENOMEM;
	}
	*ret = w.data;
	*ret_n = w.n;
	return 0;
}

/* What was read in this turn of the loop. */
struct metrics {
	struct cgroup *cgroup; /* borrowed */
	enum cgroup_version version;
	uint8_t *data;
	size_t n;
	struct event *drop;
};

static void read_cgroup(void *arg, struct stat_sink *sink)
{
	struct metrics *m = arg;

	m->version = cgroup_stats(m->cgroup, sink);
}

void task_drop_metrics(struct task *t)
{
	struct metrics *m = t->metrics;

	t->metrics = NULL;
	if (!m)
		return;
	if (m->drop)
		event_free(m->drop);
	free(m->data);
	free(m);
}

static void turn_is_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	task_drop_metrics(arg);
}

static int read_metrics(struct task *t)
{
	struct metrics *m = calloc(1, sizeof(*m));

	t->metrics = m;
	if (!m)
		return -ENOMEM;
	m->cgroup = t->cgroup;
	m->drop = event_new(task_config(t)->base, -1, 0, turn_is_over, t);
	if (m->drop && metrics_pack(read_cgroup, m, &m->data, &m->n) == 0) {
		event_active(m->drop, EV_TIMEOUT, 0);
		return 0;
	}
	task_drop_metrics(t);
	return -ENOMEM;
}

static const char *const types[] = {
	[CGROUP_V1] = "io.containerd.cgroups.v1.Metrics",
	[CGROUP_V2] = "io.containerd.cgroups.v2.Metrics",
	[CGROUP_JOB] = "containerd.runhcs.stats.v1.Statistics",
};

int task_stats(struct task *t, Any *ret, struct err *e)
{
	if (!t->cgroup)
		return err_set(e, -ENOENT, "cgroup does not exist");
	if (!t->metrics && read_metrics(t) < 0)
		return err_set(
			e, -ENOMEM, "no memory for stats of '%s'", t->id);
	ret->type_url = (char *)types[t->metrics->version];
	ret->value.data = t->metrics->data;
	ret->value.len = t->metrics->n;
	return 0;
}
