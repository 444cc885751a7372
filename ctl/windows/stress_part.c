/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/stress_part.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"

#define DAY_S 86400

static int write_lines(FILE *to, unsigned n)
{
	unsigned i;

	_setmode(_fileno(to), _O_BINARY); /* a line ends in one byte */
	for (i = 1; i <= n; i++)
		fprintf(to, "%u\n", i);
	return fflush(to) == 0 && !ferror(to) ? CTL_OK : CTL_FAILED;
}

int ctl_stress_part(int argc, char **argv)
{
	static char buf[2][1 << 16];
	const char *what = argc > 2 ? argv[2] : "";
	unsigned n = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	int r;

	if (strcmp(what, "exit") == 0)
		return (int)n;
	if (strcmp(what, "write") == 0) {
		setvbuf(stdout, buf[0], _IOFBF, sizeof(buf[0]));
		setvbuf(stderr, buf[1], _IOFBF, sizeof(buf[1]));
		r = write_lines(stdout, n);
		return r ? r : write_lines(stderr, n);
	}
	if (strcmp(what, "sleep") != 0) {
		ctl_say("stress-part is what containers of `wispctl stress` "
			"run, and for nobody else");
		return CTL_FAILED;
	}
	for (;;)
		sleep(DAY_S);
}
