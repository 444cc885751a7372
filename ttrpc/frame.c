/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/frame.h"

static void put32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	       (uint32_t)in[2] << 8 | in[3];
}

void frame_encode(const struct frame *f, uint8_t out[FRAME_HEADER_SIZE])
{
	put32(out, f->length);
	put32(out + 4, f->id);
	out[8] = f->type;
	out[9] = f->flags;
}

void frame_decode(const uint8_t in[FRAME_HEADER_SIZE], struct frame *f)
{
	f->length = get32(in);
	f->id = get32(in + 4);
	f->type = in[8];
	f->flags = in[9];
}

bool frame_is_malformed(const struct frame *f)
{
	bool known = f->type >= FRAME_REQUEST && f->type <= FRAME_DATA;

	return !known && f->length >> 24;
}
