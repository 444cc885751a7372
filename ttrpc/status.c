/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/status.h"

#include <stdbool.h>
#include <stdint.h>

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

static bool in_range(uint8_t c, uint8_t low, uint8_t high)
{
	return c >= low && c <= high;
}

/* The length of the character at s, 0 if it is none (RFC 3629, section 4). */
static size_t utf8_length(const uint8_t *s)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (in_range(s[0], 0xc2, 0xdf))
		n = 2;
	else if (in_range(s[0], 0xe0, 0xef))
		n = 3;
	else if (in_range(s[0], 0xf0, 0xf4))
		n = 4;
	else
		return 0;
	low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
	high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
	if (!in_range(s[1], low, high))
		return 0;
	for (i = 2; i < n; i++) {
		if (!in_range(s[i], 0x80, 0xbf))
			return 0;
	}
	return n;
}

void ttrpc_status_text(const char *in, char *out, size_t size)
{
	const uint8_t *s = (const uint8_t *)in;
	size_t n, left = size - 1;

	while (*s && left > 0) {
		n = utf8_length(s);
		if (n > left)
			break;
		if (n == 0) {
			*out++ = '?';
			s++;
			left--;
			continue;
		}
		for (left -= n; n > 0; n--)
			*out++ = (char)*s++;
	}
	*out = '\0';
}
