/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool stderr_is_raw; /* what the terminal is, not what the program is */

void ctl_say_raw(bool raw)
{
	stderr_is_raw = raw;
}

/* There is nobody left to tell if it fails. */
static void put(const char *text, size_t n)
{
	ssize_t r = write(STDERR_FILENO, text, (unsigned)n);

	(void)r;
}

void ctl_say_line(const char *line)
{
	const char *end = stderr_is_raw ? "\r\n" : "\n";
	char whole[8192];
	int n = snprintf(whole, sizeof(whole), "%s%s", line, end);

	if (n < (int)sizeof(whole)) {
		put(whole, n < 0 ? 0 : (size_t)n);
	} else { /* very long: in two pieces */
		put(line, strlen(line));
		put(end, strlen(end));
	}
}

/* Names of files, and words of shims and runtimes, can be anything: neither C0
 * nor, in UTF-8, C1 gets at a terminal. */
static void take_out_controls(char *text)
{
	unsigned char *s = (unsigned char *)text;

	for (; *s; s++)
		if (*s == '\n' || *s == '\t')
			*s = ' ';
		else if (*s < 0x20 || *s == 0x7f)
			*s = '?';
		else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
			s[0] = s[1] = '?';
}

void ctl_say(const char *fmt, ...)
{
	char line[ERR_MSG_MAX + 256];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "wispctl: ");
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	take_out_controls(line);
	ctl_say_line(line);
}

bool ctl_say_colours(void)
{
	return ctl_say_colours_on(STDERR_FILENO);
}

bool ctl_say_colours_on(int fd)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(fd) && term && strcmp(term, "dumb") != 0 && !(no && *no);
}
