/* SPDX-License-Identifier: Apache-2.0 */
/* `wispctl spec check` of any file, by either system's rules. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "platform/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What goes to a terminal and into JSON. */
static void look(const char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = text_utf8(text, left);
		if (n == 0 || (unsigned char)*text < ' ')
			abort();
	}
}

static void run(const char *text, size_t n, enum check_os os)
{
	struct check c = {.os = os};
	struct doc_place p = DOC_START;
	size_t i;

	if (check_text(&c, text, n) < 0)
		abort(); /* there is memory */
	for (i = 0; i < c.n; i++) {
		if (c.findings[i].at > n)
			abort();
		doc_seek(&c.doc, &p, c.findings[i].at);
		look(c.findings[i].message);
		look(c.findings[i].path);
		if (c.findings[i].hint)
			look(c.findings[i].hint);
	}
	check_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	run(text, size, CHECK_LINUX);
	run(text, size, CHECK_WINDOWS);
	free(text);
	return 0;
}
