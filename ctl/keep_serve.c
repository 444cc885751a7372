/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/keep.h"
#include "ctl/wire.h"

#define CLIENTS_MAX 64
/* A client that is this far behind is waited for; one that has not taken half
 * of it a second later is sent away. */
#define BEHIND (256u << 10)
#define PATIENCE_MS 1000
#define GOODBYE_MS 2000
#define TELL_MAX (BEHIND + (64u << 10))

struct ctl_keep_client {
	struct list link;
	struct ctl_keep *keep;
	struct stream *stream;
	int mode;     /* 0: it has not said yet */
	bool behind;  /* is waited for */
	bool grown;   /* has an unsent CTL_WIRE_GROWN */
	bool leaving; /* gets what is queued, and no more */
	struct event *patience;
	char *queue; /* NULL: empty */
	size_t at, n;
	struct ctl_wire_reader reader;
};

static const char too_slow[] =
	"output came faster than it was taken here, so you were detached; the "
	"container goes on: see `wispctl logs`, or attach again";

static void client_free_(struct ctl_keep_client *x)
{
	struct ctl_keep *k = x->keep;

	list_del(&x->link);
	k->n_clients--;
	if (x->patience)
		event_free(x->patience);
	stream_close(x->stream);
	free(x->queue);
	free(x);
}

static bool anyone_is_behind(const struct ctl_keep *k)
{
	const struct list *node;

	for (node = k->clients.next; node != &k->clients; node = node->next)
		if (list_entry(node, struct ctl_keep_client, link)->behind)
			return true;
	return false;
}

static void client_drop(struct ctl_keep_client *x)
{
	struct ctl_keep *k = x->keep;

	client_free_(x);
	ctl_keep_pause(k, anyone_is_behind(k));
}

/* ---- to a client ---- */

static void client_watch(struct ctl_keep_client *x)
{
	unsigned what = x->n > 0 ? STREAM_WRITE : 0;

	if (x->keep->input_n == 0 || x->leaving)
		what |= STREAM_READ;
	stream_watch(x->stream, what);
}

static void client_is_behind(struct ctl_keep_client *x, bool behind)
{
	static const struct timeval patience = {
		PATIENCE_MS / 1000, PATIENCE_MS % 1000 * 1000};

	if (x->behind == behind)
		return;
	x->behind = behind;
	if (behind)
		event_add(x->patience, &patience);
	else if (!x->leaving)
		event_del(x->patience);
	ctl_keep_pause(x->keep, anyone_is_behind(x->keep));
}

/* False if it is gone, and freed. */
static bool client_flush(struct ctl_keep_client *x)
{
	while (x->n > 0) {
		ssize_t put = stream_write(x->stream, x->queue + x->at, x->n);

		if (put == -EAGAIN)
			break;
		if (put <= 0) {
			client_drop(x);
			return false;
		}
		x->at += (size_t)put;
		x->n -= (size_t)put;
	}
	if (x->n == 0) {
		free(x->queue);
		x->queue = NULL;
		x->at = 0;
		x->grown = false;
	}
	if (x->n <= BEHIND / 2)
		client_is_behind(x, false);
	client_watch(x);
	return true;
}

static int queue_add(struct ctl_keep_client *x, const void *data, size_t n)
{
	char *queue = x->queue;

	if (x->at > 0)
		memmove(queue, queue + x->at, x->n);
	x->at = 0;
	queue = realloc(queue, x->n + n);
	if (!queue)
		return -ENOMEM;
	memcpy(queue + x->n, data, n);
	x->queue = queue;
	x->n += n;
	return 0;
}

static int client_queue(
	struct ctl_keep_client *x, uint32_t type, const void *data, size_t n)
{
	struct ctl_wire_head head = {.type = type, .n = (uint32_t)n};
	int r;

	if (x->n + sizeof(head) + n > TELL_MAX)
		return -ENOBUFS;
	r = queue_add(x, &head, sizeof(head));
	return r == 0 && n > 0 ? queue_add(x, data, n) : r;
}

/* False if it is gone, and freed. */
static bool client_tell(
	struct ctl_keep_client *x, uint32_t type, const void *data, size_t n)
{
	if (client_queue(x, type, data, n) < 0) {
		client_drop(x);
		return false;
	}
	if (x->n > BEHIND)
		client_is_behind(x, true);
	return client_flush(x);
}

/* Says why, and that this is the end; whoever does not take even that is gone
 * soon. */
static void client_send_away(struct ctl_keep_client *x, const char *why)
{
	static const struct timeval goodbye = {
		GOODBYE_MS / 1000, GOODBYE_MS % 1000 * 1000};

	x->leaving = true;
	client_is_behind(x, false);
	if (event_add(x->patience, &goodbye) < 0)
		client_drop(x);
	else if (why)
		client_tell(x, CTL_WIRE_SORRY, why, strlen(why));
}

static void on_patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep_client *x = arg;

	(void)fd;
	(void)what;
	if (x->leaving)
		client_drop(x);
	else
		client_send_away(x, too_slow);
}

/* ---- from a client ---- */

static bool client_hello(struct ctl_keep_client *x, const uint8_t *data)
{
	struct ctl_keep *k = x->keep;

	if (x->mode != 0 ||
		(*data != CTL_WIRE_ATTACH && *data != CTL_WIRE_FOLLOW))
		return false;
	x->mode = *data;
	if (!client_tell(x, CTL_WIRE_READY, NULL, 0))
		return true;
	if (k->over)
		client_tell(x, CTL_WIRE_EXIT, &k->status, sizeof(k->status));
	return true;
}

/* False if it does not speak like this. */
static bool client_does(struct ctl_keep_client *x,
	const struct ctl_wire_head *head, const void *data)
{
	struct ctl_keep *k = x->keep;
	uint32_t size[2];

	if (x->leaving)
		return true;
	if (head->type == CTL_WIRE_HELLO)
		return head->n == 1 && client_hello(x, data);
	if (x->mode != CTL_WIRE_ATTACH)
		return false;
	switch (head->type) {
	case CTL_WIRE_IN:
		ctl_keep_put_input(k, data, head->n);
		return true;
	case CTL_WIRE_IN_END:
		ctl_keep_end_input(k);
		return true;
	case CTL_WIRE_SIZE:
		if (head->n != sizeof(size))
			return false;
		memcpy(size, data, sizeof(size));
		if (k->task && k->record.terminal)
			client_process_resize(client_task_init(k->task),
				size[0], size[1], NULL, NULL);
		return true;
	default:
		return false;
	}
}

/* One frame at a time: what it does may be that no more can be taken now, or
 * that the client is gone. */
static void client_read(struct ctl_keep_client *x)
{
	struct ctl_keep *k = x->keep;
	struct ctl_wire_head head;
	void *data;
	size_t room;
	void *to = ctl_wire_room(&x->reader, &room);
	ssize_t got = room > 0 ? stream_read(x->stream, to, room) : 0;
	int r;

	if (got == -EAGAIN)
		return;
	if (got < 0 || (got == 0 && room > 0)) {
		client_drop(x);
		return;
	}
	ctl_wire_add(&x->reader, (size_t)got);
	r = ctl_wire_next(&x->reader, &head, &data);
	if (r == 0)
		return;
	if (r > 0)
		ctl_wire_done(&x->reader);
	if (r < 0 || !client_does(x, &head, data))
		client_send_away(x, "this wispctl and the keeper do not "
				    "understand each other");
	else if (k->input_n > 0)
		ctl_keep_serve_input(k);
}

static void on_client(struct stream *s, unsigned what, void *arg)
{
	struct ctl_keep_client *x = arg;

	(void)s;
	if ((what & STREAM_WRITE) && !client_flush(x))
		return;
	if (what & STREAM_READ)
		client_read(x);
}

void ctl_keep_serve_input(struct ctl_keep *k)
{
	struct list *node;

	for (node = k->clients.next; node != &k->clients; node = node->next)
		client_watch(list_entry(node, struct ctl_keep_client, link));
}

static void on_connection(struct stream *s, void *arg)
{
	struct ctl_keep *k = arg;
	struct ctl_keep_client *x = calloc(1, sizeof(*x));

	if (x)
		x->patience = evtimer_new(k->base, on_patience_lost, x);
	if (!x || !x->patience) {
		free(x);
		stream_close(s);
		return;
	}
	x->keep = k;
	x->stream = s;
	list_add_tail(&k->clients, &x->link);
	k->n_clients++;
	stream_set_cb(s, on_client, x);
	client_watch(x);
	if (k->n_clients > CLIENTS_MAX)
		client_send_away(x, "too many are attached already");
}

/* ---- to all of them ---- */

/* Each may free the client it is called for. */
static void each_client(struct ctl_keep *k,
	void (*each)(struct ctl_keep_client *x, const void *arg),
	const void *arg)
{
	struct list *node, *next;

	for (node = k->clients.next; node != &k->clients; node = next) {
		next = node->next;
		each(list_entry(node, struct ctl_keep_client, link), arg);
	}
}

struct piece {
	bool is_err;
	const void *data;
	size_t n;
};

static void tell_output(struct ctl_keep_client *x, const void *arg)
{
	const struct piece *p = arg;

	if (x->leaving)
		return;
	if (x->mode == CTL_WIRE_ATTACH) {
		client_tell(x, p->is_err ? CTL_WIRE_ERR : CTL_WIRE_OUT, p->data,
			p->n);
	} else if (x->mode == CTL_WIRE_FOLLOW && !x->grown) {
		x->grown = true; /* cleared when it is sent */
		client_tell(x, CTL_WIRE_GROWN, NULL, 0);
	}
}

void ctl_keep_tell_output(
	struct ctl_keep *k, bool is_err, const void *data, size_t n)
{
	struct piece p = {.is_err = is_err, .data = data, .n = n};

	each_client(k, tell_output, &p);
}

static void tell_exit(struct ctl_keep_client *x, const void *arg)
{
	if (x->mode && !x->leaving)
		client_tell(x, CTL_WIRE_EXIT, arg, sizeof(uint32_t));
}

void ctl_keep_tell_exit(struct ctl_keep *k)
{
	each_client(k, tell_exit, &k->status);
}

static void tell_sorry(struct ctl_keep_client *x, const void *arg)
{
	if (!x->leaving)
		client_send_away(x, arg);
}

void ctl_keep_tell_sorry(struct ctl_keep *k, const char *why)
{
	each_client(k, tell_sorry, why);
}

int ctl_keep_serve(struct ctl_keep *k, struct err *e)
{
	int r;

	listener_unlink(k->place.attach); /* of the keeper before */
	r = listener_bind(k->place.attach, &k->listener, e);
	if (r < 0)
		return r;
	r = listener_start(k->listener, k->base, on_connection, k);
	return r < 0 ? err_sys(e, r, "listen on '%s'", k->place.attach) : 0;
}

static void set_goodbye(struct ctl_keep_client *x, const void *arg)
{
	(void)arg;
	if (!x->leaving)
		client_send_away(x, NULL);
}

static void drop_one(struct ctl_keep_client *x, const void *arg)
{
	(void)arg;
	client_free_(x);
}

void ctl_keep_serve_end(struct ctl_keep *k)
{
	if (k->listener) {
		listener_close(k->listener);
		listener_unlink(k->place.attach);
	}
	k->listener = NULL;
	/* They close when they have read it all. */
	each_client(k, set_goodbye, NULL);
	while (k->n_clients > 0 && event_base_loop(k->base, EVLOOP_ONCE) == 0)
		;
	each_client(k, drop_one, NULL);
}
