/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/winpath.h"
#include "platform/text.h"

/* White space ends an argument; CommandLineToArgvW takes any control
 * character for one after the program's name. */
static bool needs_quotes(const char *arg)
{
	if (!*arg)
		return true;
	for (; *arg; arg++)
		if ((unsigned char)*arg <= ' ')
			return true;
	return false;
}

static char *put_many(char *to, char c, size_t n)
{
	memset(to, c, n);
	return to + n;
}

/* Every character becomes two at the most, and there are two quotes. */
static char *put_arg(char *to, const char *arg)
{
	bool quotes = needs_quotes(arg);
	size_t n;

	if (quotes)
		*to++ = '"';
	while (*arg) {
		n = strspn(arg, "\\");
		arg += n;
		if (*arg == '"' || (!*arg && quotes))
			to = put_many(to, '\\', 2 * n);
		else
			to = put_many(to, '\\', n);
		if (*arg == '"')
			*to++ = '\\';
		if (*arg)
			*to++ = *arg++;
	}
	if (quotes)
		*to++ = '"';
	return to;
}

static char *put_program(char *to, const char *name)
{
	bool quotes = needs_quotes(name);

	if (quotes)
		*to++ = '"';
	while (*name)
		*to++ = *name++;
	if (quotes)
		*to++ = '"';
	return to;
}

/* In UTF-16 units; a character of four bytes of UTF-8 has two. */
static int measure(const char *text, size_t *ret, struct err *e)
{
	size_t left = strlen(text), units = 0, n;

	for (; left > 0; text += n, left -= n) {
		n = text_utf8(text, left);
		if (n == 0)
			return err_set(
				e, -EINVAL, "the command line is not UTF-8");
		units += n == 4 ? 2 : 1;
	}
	*ret = units;
	return 0;
}

int escape_check_line(const char *line, struct err *e)
{
	size_t n = 0;
	int r;

	if (!*line)
		return err_set(e, -EINVAL, "the command line is empty");
	r = measure(line, &n, e);
	if (r == 0 && n > WINPATH_LINE_MAX)
		r = err_set(e, -E2BIG,
			"the command line has %zu characters; Windows takes %d",
			n, WINPATH_LINE_MAX);
	return r;
}

int escape_args(const char *const *args, char **ret, struct err *e)
{
	size_t n = 1, i;
	char *line, *to;
	int r;

	if (!args[0])
		return err_set(e, -EINVAL, "there is no command");
	if (strchr(args[0], '"'))
		return err_set(e, -EINVAL,
			"the command '%s' has a quote in it, which Windows "
			"does not have in a program's name",
			args[0]);
	for (i = 0; args[i]; i++)
		n += 2 * strlen(args[i]) + 3;
	line = malloc(n);
	if (!line)
		return err_sys(e, -ENOMEM, "command line");
	to = put_program(line, args[0]);
	for (i = 1; args[i]; i++) {
		*to++ = ' ';
		to = put_arg(to, args[i]);
	}
	*to = '\0';
	r = escape_check_line(line, e);
	if (r < 0)
		free(line);
	else
		*ret = line;
	return r;
}
