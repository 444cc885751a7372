/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keep_peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* A client that is this far behind is waited for; one that has not taken half
 * of it a second later is sent away. */
#define BEHIND (256u << 10)
#define PATIENCE_MS 1000
#define GOODBYE_MS 2000
#define TELL_MAX (BEHIND + (64u << 10))

static const char too_slow[] =
	"output came faster than it was taken here, so you were detached; the "
	"container goes on: see `wispctl logs`, or attach again";

void ctl_keep_peer_free(struct ctl_keep_peer *x)
{
	struct ctl_keep *k = x->keep;

	list_del(&x->link);
	k->n_peers--;
	if (x->patience)
		event_free(x->patience);
	stream_close(x->stream);
	free(x->queue);
	free(x);
}

static bool anyone_is_behind(const struct ctl_keep *k)
{
	const struct list *node;

	for (node = k->peers.next; node != &k->peers; node = node->next)
		if (list_entry(node, struct ctl_keep_peer, link)->behind)
			return true;
	return false;
}

void ctl_keep_peer_drop(struct ctl_keep_peer *x)
{
	struct ctl_keep *k = x->keep;

	if (x->gone)
		return;
	x->gone = x->leaving = true;
	x->behind = false;
	x->n = 0;
	event_del(x->patience);
	stream_watch(x->stream, 0);
	event_active(k->reap, 0, 0);
	ctl_keep_pause(k, anyone_is_behind(k));
}

/* ---- to a client ---- */

void ctl_keep_peer_watch(struct ctl_keep_peer *x)
{
	unsigned what = x->n > 0 ? STREAM_WRITE : 0;

	if (x->gone)
		return;
	if (x->keep->input_n == 0 || x->leaving)
		what |= STREAM_READ;
	stream_watch(x->stream, what);
}

static void peer_is_behind(struct ctl_keep_peer *x, bool behind)
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

static void peer_flush(struct ctl_keep_peer *x)
{
	while (x->n > 0) {
		ssize_t put = stream_write(x->stream, x->queue + x->at, x->n);

		if (put == -EAGAIN)
			break;
		if (put <= 0) {
			ctl_keep_peer_drop(x);
			return;
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
		peer_is_behind(x, false);
	ctl_keep_peer_watch(x);
}

static int queue_add(struct ctl_keep_peer *x, const void *data, size_t n)
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

static int peer_queue(
	struct ctl_keep_peer *x, uint32_t type, const void *data, size_t n)
{
	struct ctl_wire_head head = {.type = type, .n = (uint32_t)n};
	int r;

	if (x->n + sizeof(head) + n > TELL_MAX)
		return -ENOBUFS;
	r = queue_add(x, &head, sizeof(head));
	return r == 0 && n > 0 ? queue_add(x, data, n) : r;
}

void ctl_keep_peer_tell(
	struct ctl_keep_peer *x, uint32_t type, const void *data, size_t n)
{
	if (x->gone)
		return;
	if (peer_queue(x, type, data, n) < 0) {
		ctl_keep_peer_drop(x);
		return;
	}
	if (x->n > BEHIND)
		peer_is_behind(x, true);
	peer_flush(x);
}

/* Says why, and that this is the end; whoever does not take even that is gone
 * soon. */
void ctl_keep_peer_send_away(struct ctl_keep_peer *x, const char *why)
{
	static const struct timeval goodbye = {
		GOODBYE_MS / 1000, GOODBYE_MS % 1000 * 1000};

	x->leaving = true;
	peer_is_behind(x, false);
	if (event_add(x->patience, &goodbye) < 0)
		ctl_keep_peer_drop(x);
	else if (why)
		ctl_keep_peer_tell(x, CTL_WIRE_SORRY, why, strlen(why));
}

static void on_patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep_peer *x = arg;

	(void)fd;
	(void)what;
	if (x->leaving)
		ctl_keep_peer_drop(x);
	else
		ctl_keep_peer_send_away(x, too_slow);
}

/* ---- from a client ---- */

static bool peer_hello(struct ctl_keep_peer *x, const uint8_t *data)
{
	struct ctl_keep *k = x->keep;

	if (x->mode != 0 ||
		(*data != CTL_WIRE_ATTACH && *data != CTL_WIRE_FOLLOW))
		return false;
	x->mode = *data;
	ctl_keep_peer_tell(x, CTL_WIRE_READY, NULL, 0);
	if (k->over)
		ctl_keep_peer_tell(
			x, CTL_WIRE_EXIT, &k->status, sizeof(k->status));
	return true;
}

/* False if it does not speak like this. */
static bool peer_does(struct ctl_keep_peer *x, const struct ctl_wire_head *head,
	const void *data)
{
	struct ctl_keep *k = x->keep;
	uint32_t size[2];

	if (x->leaving)
		return true;
	if (head->type == CTL_WIRE_HELLO)
		return head->n == 1 && peer_hello(x, data);
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
			client_process_set_size(
				client_task_init(k->task), size[0], size[1]);
		return true;
	default:
		return false;
	}
}

/* One frame at a time: what it does may be that no more can be taken now. */
static void peer_read(struct ctl_keep_peer *x)
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
		ctl_keep_peer_drop(x);
		return;
	}
	ctl_wire_add(&x->reader, (size_t)got);
	r = ctl_wire_next(&x->reader, &head, &data);
	if (r == 0)
		return;
	if (r > 0)
		ctl_wire_done(&x->reader);
	if (r < 0 || !peer_does(x, &head, data))
		ctl_keep_peer_send_away(x, "this wispctl and the keeper do not "
					   "understand each other");
	else if (k->input_n > 0)
		ctl_keep_serve_input(k);
}

static void on_peer(struct stream *s, unsigned what, void *arg)
{
	struct ctl_keep_peer *x = arg;

	(void)s;
	if (what & STREAM_WRITE)
		peer_flush(x);
	if ((what & STREAM_READ) && !x->gone)
		peer_read(x);
}

struct ctl_keep_peer *ctl_keep_peer_new(struct ctl_keep *k, struct stream *s)
{
	struct ctl_keep_peer *x = calloc(1, sizeof(*x));

	if (x)
		x->patience = evtimer_new(k->base, on_patience_lost, x);
	if (!x || !x->patience) {
		free(x);
		stream_close(s);
		return NULL;
	}
	x->keep = k;
	x->stream = s;
	list_add_tail(&k->peers, &x->link);
	k->n_peers++;
	stream_set_cb(s, on_peer, x);
	ctl_keep_peer_watch(x);
	return x;
}
