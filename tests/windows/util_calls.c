/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_calls.h"

#include <stdarg.h>
#include <string.h>

static char text[16384];
static unsigned n_calls, failing;

void calls_reset(unsigned fail)
{
	text[0] = '\0';
	n_calls = 0;
	failing = fail;
}

bool called(const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
	return ++n_calls != failing;
}

const char *calls(void)
{
	return text;
}

bool calls_failed(void)
{
	return failing > 0 && n_calls >= failing;
}
