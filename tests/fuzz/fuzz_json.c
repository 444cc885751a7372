/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's config.json, a process spec, a runtime's log: json_scan(). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the callback promises its users. */
static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	if (strlen(path) >= JSON_PATH_MAX || (n > 0 && !text))
		abort();
	if ((type == JSON_OBJECT || type == JSON_ARRAY) && n != 0)
		abort();
	*(size_t *)arg += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	size_t total = 0;
	int r = json_scan((const char *)data, size, on_value, &total, &e);

	if (r < 0 && (e.code != r || !*e.msg))
		abort();
	if (total > 4 * size + 16)
		abort();
	return 0;
}
