/* SPDX-License-Identifier: Apache-2.0 */
#include "util_argv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct out {
	char **args;
	size_t n;
	char *text;
};

static void begin(struct out *o)
{
	o->args[o->n++] = o->text;
}

static void put(struct out *o, char c)
{
	*o->text++ = c;
}

/* "The program name ... is treated differently": up to the next quote if it
 * begins with one, else up to white space; backslashes are themselves. */
static const char *program(struct out *o, const char *p)
{
	begin(o);
	if (*p == '"') {
		p++;
		while (*p && *p != '"')
			put(o, *p++);
		p += *p == '"';
	} else {
		while (*p && (unsigned char)*p > ' ')
			put(o, *p++);
	}
	put(o, '\0');
	return p;
}

static const char *argument(struct out *o, const char *p)
{
	bool quoted = false;

	begin(o);
	while (*p && (quoted || (*p != ' ' && *p != '\t'))) {
		size_t slashes = 0, i;

		while (p[slashes] == '\\')
			slashes++;
		p += slashes;
		if (*p != '"') {
			for (i = 0; i < slashes; i++)
				put(o, '\\');
			if (slashes == 0)
				put(o, *p++);
			continue;
		}
		for (i = 0; i < slashes / 2; i++)
			put(o, '\\');
		p++;
		if (slashes % 2) {
			put(o, '"');
		} else if (quoted && *p == '"') { /* "" in quotes */
			put(o, '"');
			p++;
		} else {
			quoted = !quoted;
		}
	}
	put(o, '\0');
	return p;
}

char **argv_parse(const char *line)
{
	size_t n = strlen(line);
	char **args = calloc(1, (n + 3) * sizeof(*args) + 2 * n + 4);
	struct out o = {.args = args};

	if (!args)
		abort();
	o.text = (char *)(args + n + 3);
	line = program(&o, line);
	while (true) {
		line += strspn(line, " \t");
		if (!*line)
			break;
		line = argument(&o, line);
	}
	args[o.n] = NULL;
	return args;
}
