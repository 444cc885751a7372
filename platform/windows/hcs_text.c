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

struct status {
	uint32_t code;
	bool wrong;
};

static bool parse(const char *text, size_t n, uint32_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text[i] - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)v;
	return n > 0;
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct status *s = arg;
	uint32_t wait = 0;

	if (strcmp(path, "ExitCode") == 0)
		s->wrong |= type != JSON_NUMBER || !parse(text, n, &s->code);
	else if (strcmp(path, "LastWaitResult") == 0)
		s->wrong |= type != JSON_NUMBER || !parse(text, n, &wait) ||
			    wait != 0;
	else if (!*path)
		s->wrong |= type != JSON_OBJECT;
}

bool hcs_exit_code(const char *json, uint32_t *ret)
{
	struct status s = {0};

	if (json_scan(json, strlen(json), on_value, &s, NULL) < 0 || s.wrong)
		return false;
	*ret = s.code;
	return true;
}
