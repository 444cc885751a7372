/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments into a command line and back: each line of the input is one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/escape.h"
#include "../unit/util_argv.h"

#define ARGS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *args[ARGS_MAX + 1];
	char *text = malloc(size + 1), *line, **got;
	struct err e = {0};
	size_t n = 0, i;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	args[n++] = text;
	for (i = 0; i < size && n < ARGS_MAX; i++)
		if (text[i] == '\n') {
			text[i] = '\0';
			args[n++] = text + i + 1;
		}
	args[n] = NULL;
	if (escape_args(args, &line, &e) == 0) {
		got = argv_parse(line);
		for (i = 0; i <= n; i++)
			if (!got[i] != !args[i] ||
				(got[i] && strcmp(got[i], args[i]) != 0))
				abort();
		free(got);
		free(line);
	} else if (!e.code || !*e.msg) {
		abort();
	}
	free(text);
	return 0;
}
