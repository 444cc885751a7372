/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_peer.h - one of those who are attached to a keeper: what waits for it,
 * what it sends, and how long it is waited for. For keep_serve.c.
 */
#ifndef WISP_CTL_KEEP_PEER_H
#define WISP_CTL_KEEP_PEER_H

#include "ctl/keep.h"
#include "ctl/wire.h"

struct ctl_keep_peer {
	struct list link;
	struct ctl_keep *keep;
	struct stream *stream;
	int mode;     /* 0: it has not said yet */
	bool behind;  /* is waited for */
	bool grown;   /* has an unsent CTL_WIRE_GROWN */
	bool leaving; /* gets what is queued, and no more */
	bool gone;    /* is freed from the loop soon */
	struct event *patience;
	char *queue; /* NULL: empty */
	size_t at, n;
	struct ctl_wire_reader reader;
};

/* On k's list from now on. Consumes s, also on failure (NULL: no memory). */
struct ctl_keep_peer *ctl_keep_peer_new(struct ctl_keep *k, struct stream *s);

/* Is freed from the loop soon, and gets nothing more. */
void ctl_keep_peer_drop(struct ctl_keep_peer *x);
void ctl_keep_peer_free(struct ctl_keep_peer *x);

/* Queues a frame, and writes what can be written now. */
void ctl_keep_peer_tell(
	struct ctl_keep_peer *x, uint32_t type, const void *data, size_t n);

/* Says why, if there is a reason, and that this is the end; whoever does not
 * take even that is gone soon. */
void ctl_keep_peer_send_away(struct ctl_keep_peer *x, const char *why);

/* Watches for what matters now: whether there is something to write, and
 * whether input can be taken. */
void ctl_keep_peer_watch(struct ctl_keep_peer *x);

#endif
