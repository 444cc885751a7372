/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - protobuf messages to and from the wire, with bounds.
 *
 * A Request or Response carries the method's own message as a bytes field.
 * protobuf allows fields in any order, so an envelope is packed in one go into
 * one buffer: first the outer message without that field, then its tag and
 * length, then the inner message in place.
 *
 * Unpacking is the one thing here that a peer can make expensive: two bytes on
 * the wire may become two allocations. It is counted, and refused past
 * MESSAGE_MEMORY_MAX.
 */
#ifndef WISP_TTRPC_MESSAGE_H
#define WISP_TTRPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/* What one unpacked message may take, overhead included: a sound message of
 * 4 MiB with many small parts fits, eight times that is an attack. */
enum { MESSAGE_MEMORY_MAX = 32 << 20 };

struct envelope {
	const ProtobufCMessage *head; /* NULL: nothing */
	const ProtobufCMessage *body; /* NULL: nothing */
	uint8_t field; /* body is this bytes field of head's; 0: it is bare */
};

/* In bytes. */
size_t envelope_size(const struct envelope *m);

/* out has room for envelope_size(m) bytes. */
void envelope_pack(const struct envelope *m, uint8_t *out);

/* Copies out of data. ret_cost, if not NULL, gets the bytes it allocated. The
 * result is freed with message_free(). -EBADMSG: no such message, -E2BIG: it
 * would take more than MESSAGE_MEMORY_MAX, -ENOMEM. */
int message_unpack(const ProtobufCMessageDescriptor *desc, const uint8_t *data,
	size_t size, ProtobufCMessage **ret, size_t *ret_cost);

/* NULL is fine. */
void message_free(ProtobufCMessage *m);

#endif
