/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>

#include "ctl/keep.h"
#include "ctl/keep_peer.h"

#define PEERS_MAX 64

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep *k = arg;
	struct list *node = k->peers.next;

	(void)fd;
	(void)what;
	while (node != &k->peers) {
		struct ctl_keep_peer *x =
			list_entry(node, struct ctl_keep_peer, link);

		node = node->next;
		if (x->gone)
			ctl_keep_peer_free(x);
	}
}

void ctl_keep_serve_input(struct ctl_keep *k)
{
	struct list *node;

	for (node = k->peers.next; node != &k->peers; node = node->next)
		ctl_keep_peer_watch(
			list_entry(node, struct ctl_keep_peer, link));
}

static void each_peer(struct ctl_keep *k,
	void (*each)(struct ctl_keep_peer *x, const void *arg), const void *arg)
{
	struct list *node;

	for (node = k->peers.next; node != &k->peers; node = node->next)
		each(list_entry(node, struct ctl_keep_peer, link), arg);
}

/* One that goes while its input waits for the container is not read, and so not
 * seen to go. */
static void drop_dead(struct ctl_keep_peer *x, const void *arg)
{
	(void)arg;
	if (stream_write(x->stream, "", 0) == -EPIPE)
		ctl_keep_peer_drop(x);
}

static void on_connection(struct stream *s, void *arg)
{
	struct ctl_keep *k = arg;
	struct ctl_keep_peer *x = ctl_keep_peer_new(k, s);

	if (x && k->n_peers > PEERS_MAX)
		each_peer(k, drop_dead, NULL);
	if (x && k->n_peers > PEERS_MAX)
		ctl_keep_peer_send_away(x, "too many are attached already");
}

/* ---- to all of them ---- */

struct piece {
	bool is_err;
	const void *data;
	size_t n;
};

static void tell_output(struct ctl_keep_peer *x, const void *arg)
{
	const struct piece *p = arg;

	if (x->leaving)
		return;
	if (x->mode == CTL_WIRE_ATTACH) {
		ctl_keep_peer_tell(x, p->is_err ? CTL_WIRE_ERR : CTL_WIRE_OUT,
			p->data, p->n);
	} else if (x->mode == CTL_WIRE_FOLLOW && !x->grown) {
		x->grown = true; /* cleared when it is sent */
		ctl_keep_peer_tell(x, CTL_WIRE_GROWN, NULL, 0);
	}
}

void ctl_keep_tell_output(
	struct ctl_keep *k, bool is_err, const void *data, size_t n)
{
	struct piece p = {.is_err = is_err, .data = data, .n = n};

	each_peer(k, tell_output, &p);
}

static void tell_exit(struct ctl_keep_peer *x, const void *arg)
{
	if (x->mode && !x->leaving)
		ctl_keep_peer_tell(x, CTL_WIRE_EXIT, arg, sizeof(uint32_t));
}

void ctl_keep_tell_exit(struct ctl_keep *k)
{
	each_peer(k, tell_exit, &k->status);
}

static void tell_sorry(struct ctl_keep_peer *x, const void *arg)
{
	if (!x->leaving)
		ctl_keep_peer_send_away(x, arg);
}

void ctl_keep_tell_sorry(struct ctl_keep *k, const char *why)
{
	each_peer(k, tell_sorry, why);
}

int ctl_keep_serve(struct ctl_keep *k, struct err *e)
{
	int r;

	k->reap = event_new(k->base, -1, 0, on_reap, k);
	if (!k->reap)
		return err_sys(e, -ENOMEM, "serve");
	listener_unlink(k->place.attach); /* of the keeper before */
	r = listener_bind(k->place.attach, &k->listener, e);
	if (r < 0)
		return r;
	r = listener_start(k->listener, k->base, on_connection, k);
	return r < 0 ? err_sys(e, r, "listen on '%s'", k->place.attach) : 0;
}

static void set_goodbye(struct ctl_keep_peer *x, const void *arg)
{
	(void)arg;
	if (!x->leaving)
		ctl_keep_peer_send_away(x, NULL);
}

void ctl_keep_serve_end(struct ctl_keep *k)
{
	struct list *node;

	if (k->listener) {
		listener_close(k->listener);
		listener_unlink(k->place.attach);
	}
	k->listener = NULL;
	/* They close when they have read it all. */
	each_peer(k, set_goodbye, NULL);
	while (k->n_peers > 0 && event_base_loop(k->base, EVLOOP_ONCE) == 0)
		;
	while ((node = list_pop(&k->peers)))
		ctl_keep_peer_free(
			list_entry(node, struct ctl_keep_peer, link));
	if (k->reap)
		event_free(k->reap);
	k->reap = NULL;
}
