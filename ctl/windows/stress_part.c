/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/stress_part.h"

#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"

#define DAY_S 86400
#define LINE_MAX 16

static bool write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		int got = _write(fd, text, (unsigned)n);

		if (got <= 0)
			return false;
		text += got;
		n -= (size_t)got;
	}
	return true;
}

/* Without the C library's buffers: its stderr has none, and a system call for
 * each byte takes minutes. */
static int write_lines(int fd, unsigned n)
{
	static char buf[1 << 15];
	size_t at = 0;
	unsigned i;

	_setmode(fd, _O_BINARY); /* a line ends in one byte */
	for (i = 1; i <= n; i++) {
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%u\n", i);
		if (i < n && at < sizeof(buf) - LINE_MAX)
			continue;
		if (!write_all(fd, buf, at))
			return CTL_FAILED;
		at = 0;
	}
	return CTL_OK;
}

int ctl_stress_part(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	unsigned n = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	int r;

	if (strcmp(what, "exit") == 0)
		return (int)n;
	if (strcmp(what, "write") == 0) {
		r = write_lines(STDOUT_FILENO, n);
		return r ? r : write_lines(STDERR_FILENO, n);
	}
	if (strcmp(what, "sleep") != 0) {
		ctl_say("stress-part is what containers of `wispctl stress` "
			"run, and for nobody else");
		return CTL_FAILED;
	}
	for (;;)
		sleep(DAY_S);
}
