/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_parts.h - what relay.c and relay_spill.c share. For these two only.
 */
#ifndef WISP_IO_RELAY_PARTS_H
#define WISP_IO_RELAY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/relay.h"

/* What a move may take at once: a pipe's whole capacity, if it has been made
 * larger. */
#define RELAY_MOVE_MAX (1024 * 1024)
#define RELAY_COPY_MAX 4096

struct relay {
	struct event_base *base; /* borrowed */
	struct stream *from, *to;
	struct event *turn; /* runs the pump, or done(), from the loop */
	relay_cb done;
	void *arg;
	bool trusting;  /* a reader is enough, he need not have read */
	bool finishing; /* an empty source is the end */
	bool ended;
	unsigned linger_ms; /* > 0: all is written, a reader is missing */
	bool copying;       /* this pair of streams can't be moved between */
	bool blocked;
	bool outlives;   /* goes on when the destination is broken */
	bool broken;     /* which it is: `to` is the null device now */
	bool disk_full;  /* which is why the destination has no room */
	char *buf;       /* RELAY_COPY_MAX bytes, while copying */
	size_t off, len; /* what of buf is still to be written */
	uint64_t bytes, lost;
	uint64_t stalled_ms, stall_began_ms; /* 0: it has room */
	unsigned stalls, retry_ms;
	enum flow_state flow;                /* as it was told */
	const struct relay_options *options; /* borrowed */
	/* with another policy than `block` */
	struct spool *spool; /* NULL: nothing is spooled */
	bool full;           /* the destination has no room, as of this turn */
	bool mid_line;       /* what was passed on last has begun a line */
	bool skip;           /* what comes next is the rest of a dropped line */
	size_t skipped;      /* how much of it there was */
};

/* One turn of a policy that does not wait: relay_spill.c. */
void relay_spill(struct relay *r);

/* The rest is in relay.c. A step returns 1: go on, or 0: wait, or ended. */

/* Into buf, which is allocated if need be. stream_read(), or -ENOMEM. */
ssize_t relay_read(struct relay *r);
/* n bytes have been passed on. */
void relay_count(struct relay *r, ssize_t n);
/* The destination is broken: nobody can ever read it. */
int relay_break(struct relay *r);
/* The source is at its end. */
void relay_delivered(struct relay *r);

/* No memory: look again soon, and do not spin until then. */
void relay_rest(struct relay *r);
/* No event says when a disk has room again. */
void relay_retry(struct relay *r);

void relay_stall_begin(struct relay *r);
void relay_tell(struct relay *r, enum flow_state now);
bool relay_has_spooled(const struct relay *r);
bool relay_disk_is_full(ssize_t n);

#endif
