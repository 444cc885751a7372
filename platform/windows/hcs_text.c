/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/hcs_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"

int hcs_narrow(const wchar_t *text, char **ret)
{
	size_t n = wcsnlen(text, HCS_TEXT_MAX);
	char *out;
	int r;

	if (n == HCS_TEXT_MAX)
		return -E2BIG;
	out = malloc(3 * n + 1);
	if (!out)
		return -ENOMEM;
	r = win_narrow(text, out, 3 * n + 1);
	if (r < 0)
		free(out);
	else
		*ret = out;
	return r;
}

struct looking {
	const char *path;
	uint64_t max, value;
	bool found;
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct looking *l = arg;
	uint64_t v = 0;
	size_t i;

	if (type != JSON_NUMBER || strcmp(path, l->path) != 0 || n == 0)
		return;
	for (i = 0; i < n; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || v > (l->max - digit) / 10)
			return;
		v = v * 10 + digit;
	}
	l->value = v;
	l->found = true;
}

bool hcs_number(const char *json, const char *path, uint64_t max, uint64_t *ret)
{
	struct looking l = {.path = path, .max = max};

	if (json_scan(json, strlen(json), on_value, &l, NULL) < 0 || !l.found)
		return false;
	*ret = l.value;
	return true;
}
