/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/message.h"

#include <errno.h>
#include <stdlib.h>

/* What malloc(3) takes for itself, and the least it hands out. */
enum { MALLOC_OVERHEAD = 16, MALLOC_MIN = 32 };

static size_t varint_size(size_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static uint8_t *varint_pack(size_t v, uint8_t *out)
{
	for (; v >= 0x80; v >>= 7)
		*out++ = (uint8_t)(v | 0x80);
	*out++ = (uint8_t)v;
	return out;
}

size_t envelope_size(const struct envelope *m)
{
	size_t size = 0, body = 0;

	if (m->head)
		size = protobuf_c_message_get_packed_size(m->head);
	if (m->body)
		body = protobuf_c_message_get_packed_size(m->body);
	if (m->field && body)
		size += 1 + varint_size(body);
	return size + body;
}

void envelope_pack(const struct envelope *m, uint8_t *out)
{
	size_t body = 0;

	if (m->head)
		out += protobuf_c_message_pack(m->head, out);
	if (m->body)
		body = protobuf_c_message_get_packed_size(m->body);
	if (!body)
		return;
	if (m->field) {
		*out++ = (uint8_t)(m->field << 3 | 2); /* length-delimited */
		out = varint_pack(body, out);
	}
	protobuf_c_message_pack(m->body, out);
}

struct meter {
	size_t used;
	int error;
};

static void *meter_alloc(void *data, size_t size)
{
	struct meter *m = data;
	size_t cost = size + MALLOC_OVERHEAD;
	void *p;

	if (cost < MALLOC_MIN)
		cost = MALLOC_MIN;
	if (size > MESSAGE_MEMORY_MAX || cost > MESSAGE_MEMORY_MAX - m->used) {
		m->error = -E2BIG;
		return NULL;
	}
	p = malloc(size ? size : 1);
	if (p)
		m->used += cost;
	else
		m->error = -ENOMEM;
	return p;
}

static void meter_free(void *data, void *p)
{
	(void)data;
	free(p);
}

int message_unpack(const ProtobufCMessageDescriptor *desc, const uint8_t *data,
	size_t size, ProtobufCMessage **ret, size_t *ret_cost)
{
	struct meter m = {0};
	ProtobufCAllocator a = {meter_alloc, meter_free, &m};
	ProtobufCMessage *msg;

	msg = protobuf_c_message_unpack(desc, &a, size, data);
	if (!msg)
		return m.error ? m.error : -EBADMSG;
	if (ret_cost)
		*ret_cost = m.used;
	*ret = msg;
	return 0;
}

void message_free(ProtobufCMessage *m)
{
	ProtobufCAllocator a = {meter_alloc, meter_free, NULL};

	if (m)
		protobuf_c_message_free_unpacked(m, &a);
}
