/* SPDX-License-Identifier: Apache-2.0 */
#include "client/container.h"

#include <string.h>

#define ID_MAX 76

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

bool client_id_is_valid(const char *id)
{
	size_t i, n = strlen(id);

	if (n == 0 || n > ID_MAX || !is_alnum(id[n - 1]))
		return false;
	for (i = 0; i < n; i++) {
		if (is_alnum(id[i]))
			continue;
		if (!strchr("._-", id[i]) || i == 0 || !is_alnum(id[i - 1]))
			return false;
	}
	return true;
}
