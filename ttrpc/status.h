/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - ttrpc status codes: gRPC's numbers and names.
 */
#ifndef WISP_TTRPC_STATUS_H
#define WISP_TTRPC_STATUS_H

#include <stddef.h>

enum ttrpc_code {
	TTRPC_OK = 0,
	TTRPC_CANCELED = 1,
	TTRPC_UNKNOWN = 2,
	TTRPC_INVALID_ARGUMENT = 3,
	TTRPC_DEADLINE_EXCEEDED = 4,
	TTRPC_NOT_FOUND = 5,
	TTRPC_ALREADY_EXISTS = 6,
	TTRPC_PERMISSION_DENIED = 7,
	TTRPC_RESOURCE_EXHAUSTED = 8,
	TTRPC_FAILED_PRECONDITION = 9,
	TTRPC_ABORTED = 10,
	TTRPC_OUT_OF_RANGE = 11,
	TTRPC_UNIMPLEMENTED = 12,
	TTRPC_INTERNAL = 13,
	TTRPC_UNAVAILABLE = 14,
	TTRPC_DATA_LOSS = 15,
	TTRPC_UNAUTHENTICATED = 16,
};

/* "NotFound" and so on; "Code(99)"-like numbers outside give "Unknown". The
 * string is static. */
const char *ttrpc_code_name(enum ttrpc_code code);

/* What a status may say, in bytes; the rest is cut off. */
enum { TTRPC_TEXT_MAX = 2048 };

/* Copies what fits of a message for people, at most size - 1 bytes. Bytes that
 * are no UTF-8 become '?': a protobuf string must be UTF-8, and Go refuses the
 * whole response otherwise, so that a cut file name would hide the error. */
void ttrpc_status_text(const char *in, char *out, size_t size);

#endif
