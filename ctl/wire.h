/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - what a keeper and its clients say to each other, on the socket
 * ROOT/state/ID/attach: frames of a type, a length (32 bits, in the order of
 * this machine: both ends are the same program) and that many bytes.
 *
 * A client begins with CTL_WIRE_HELLO; the keeper answers CTL_WIRE_READY, and
 * from then on the client misses nothing.
 */
#ifndef WISP_CTL_WIRE_H
#define WISP_CTL_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define CTL_WIRE_MAX 8192 /* of what follows the head */

enum ctl_wire_type {
	/* to the keeper */
	CTL_WIRE_HELLO = 1, /* enum ctl_wire_mode, one byte */
	CTL_WIRE_IN,        /* bytes for stdin */
	CTL_WIRE_IN_END,    /* there are no more */
	CTL_WIRE_SIZE, /* of the terminal: two uint32_t, width and height */
	/* to the client */
	CTL_WIRE_READY = 64,
	CTL_WIRE_OUT,   /* bytes of stdout */
	CTL_WIRE_ERR,   /* bytes of stderr */
	CTL_WIRE_GROWN, /* there is more in the log */
	CTL_WIRE_EXIT,  /* uint32_t: it has ended, and all output is told */
	CTL_WIRE_SORRY, /* why there will be no more: text, and the last */
};

enum ctl_wire_mode {
	CTL_WIRE_ATTACH = 1, /* output live, and input */
	CTL_WIRE_FOLLOW,     /* only when the log has grown */
};

struct ctl_wire_head {
	uint32_t type, n;
};

/* Frames out of bytes as they come. */
struct ctl_wire_reader {
	size_t n;
	unsigned char buf[sizeof(struct ctl_wire_head) + CTL_WIRE_MAX];
};

/* Where to read to, and how much at most. */
void *ctl_wire_room(struct ctl_wire_reader *r, size_t *ret_n);
void ctl_wire_add(struct ctl_wire_reader *r, size_t n);

/* 1 and a frame, whose data is good until ctl_wire_done(); 0: it is not whole
 * yet. -EBADMSG: the peer does not speak like this. */
int ctl_wire_next(
	struct ctl_wire_reader *r, struct ctl_wire_head *ret, void **ret_data);
void ctl_wire_done(struct ctl_wire_reader *r);

#endif
