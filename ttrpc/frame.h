/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - the ttrpc frame header: ten bytes in front of every message.
 *
 * ttrpc PROTOCOL.md, "Message Frame": data length and stream id (both 32 bits,
 * big endian), type, flags. The data may be at most 4 MiB; a longer length is
 * no reason to give up the connection, its data can be passed over.
 */
#ifndef WISP_TTRPC_FRAME_H
#define WISP_TTRPC_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_HEADER_SIZE = 10, FRAME_DATA_MAX = 4 << 20 };

enum frame_type {
	FRAME_REQUEST = 1,  /* client to server, opens a stream */
	FRAME_RESPONSE = 2, /* server to client, ends it */
	FRAME_DATA = 3,     /* both ways, never on a unary stream */
};

/* Flags. A request without any is unary. */
enum {
	FRAME_REMOTE_CLOSED = 1, /* the sender sends no more on this stream */
	FRAME_REMOTE_OPEN = 2,   /* request: data follows */
	FRAME_NO_DATA = 4,       /* data: not even an empty message */
};

struct frame {
	uint32_t length; /* of the data alone */
	uint32_t id;
	uint8_t type; /* enum frame_type, or what a later version brings */
	uint8_t flags;
};

void frame_encode(const struct frame *f, uint8_t out[FRAME_HEADER_SIZE]);
void frame_decode(const uint8_t in[FRAME_HEADER_SIZE], struct frame *f);

/* Whether no ttrpc peer can have sent this header: the length's first byte is
 * reserved (zero), and the type is unknown as well. An unknown type alone may
 * come from a later version, a huge length alone from a peer that does not
 * check what it sends. What is left is somebody who speaks something else. */
bool frame_is_malformed(const struct frame *f);

#endif
