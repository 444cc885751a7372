/* SPDX-License-Identifier: Apache-2.0 */
/* Alone, so that a test may have another one. */
#include "platform/windows/libc.h"

#include <stdlib.h>

char *strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}
