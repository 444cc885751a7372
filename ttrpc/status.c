/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/status.h"

#include <stdbool.h>
#include <stdint.h>

#include "platform/text.h"

const char *ttrpc_code_name(enum ttrpc_code code)
{
	static const char *const names[] = {
		[TTRPC_OK] = "OK",
		[TTRPC_CANCELED] = "Canceled",
		[TTRPC_UNKNOWN] = "Unknown",
		[TTRPC_INVALID_ARGUMENT] = "InvalidArgument",
		[TTRPC_DEADLINE_EXCEEDED] = "DeadlineExceeded",
		[TTRPC_NOT_FOUND] = "NotFound",
		[TTRPC_ALREADY_EXISTS] = "AlreadyExists",
		[TTRPC_PERMISSION_DENIED] = "PermissionDenied",
		[TTRPC_RESOURCE_EXHAUSTED] = "ResourceExhausted",
		[TTRPC_FAILED_PRECONDITION] = "FailedPrecondition",
		[TTRPC_ABORTED] = "Aborted",
		[TTRPC_OUT_OF_RANGE] = "OutOfRange",
		[TTRPC_UNIMPLEMENTED] = "Unimplemented",
		[TTRPC_INTERNAL] = "Internal",
		[TTRPC_UNAVAILABLE] = "Unavailable",
		[TTRPC_DATA_LOSS] = "DataLoss",
		[TTRPC_UNAUTHENTICATED] = "Unauthenticated",
	};

	/* by way of unsigned: a peer's number may be negative */
	if ((unsigned)code >= sizeof(names) / sizeof(names[0]))
		return "Unknown";
	return names[code];
}

void ttrpc_status_text(const char *in, char *out, size_t size)
{
	size_t n, left = size - 1;

	while (*in && left > 0) {
		n = text_utf8(in, SIZE_MAX);
		if (n > left)
			break;
		if (n == 0) {
			*out++ = '?';
			in++;
			left--;
			continue;
		}
		for (left -= n; n > 0; n--)
			*out++ = *in++;
	}
	*out = '\0';
}
