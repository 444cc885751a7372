/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore.c - `wispctl restore`: a container that goes on from a checkpoint.
 *
 * It is `wispctl run --checkpoint DIR`, under the name that goes with
 * `wispctl checkpoint --path DIR`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/say.h"

#define PATH "--path"

static void help(void)
{
	fputs("Usage: wispctl restore --path DIR [OPTIONS of wispctl run]\n\n"
	      "Makes a container that goes on from where `wispctl checkpoint` "
	      "has put it into\nfiles: a new one, with its own id. It needs "
	      "the "
	      "same files as before, so give it\nthe --bundle or --rootfs of "
	      "the "
	      "old one; with another network, CRIU refuses "
	      "open\nconnections.\n\n"
	      "      --path DIR      the image, as CRIU has written it; must "
	      "come "
	      "first\n"
	      "  -d, --detach        print its id and return\n"
	      "      --bundle DIR, --rootfs DIR, --name ID, --rm, -i, -t, "
	      "--shim "
	      "PATH, ...\n"
	      "                      as `wispctl run --help` says\n"
	      "\nExit status: as of `wispctl run`; 125 if it cannot be "
	      "restored.\n"
	      "\nExamples:\n"
	      "  wispctl checkpoint --path /srv/web.img web\n"
	      "  wispctl restore --path /srv/web.img -d --name web --bundle "
	      "/srv/web\n",
		stdout);
}

static bool is_help(const char *arg)
{
	return strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0;
}

/* run's words: its name, --checkpoint DIR, and the rest as it was given. */
static int run(const char *folder, int n_rest, char **rest)
{
	char **words = calloc((size_t)n_rest + 4, sizeof(*words));
	static char name[] = "run", option[] = "--checkpoint";
	int n = 0, code;

	if (!words) {
		ctl_say("no memory");
		return CTL_FAILED;
	}
	words[n++] = name;
	words[n++] = option;
	words[n++] = (char *)folder;
	memcpy(words + n, rest, (size_t)n_rest * sizeof(*words));
	code = ctl_run(n + n_rest, words);
	free(words);
	return code;
}

int ctl_restore(int argc, char **argv)
{
	size_t n = strlen(PATH);

	if (argc > 1 && is_help(argv[1])) {
		help();
		return CTL_OK;
	}
	if (argc > 2 && strcmp(argv[1], PATH) == 0)
		return run(argv[2], argc - 3, argv + 3);
	if (argc > 1 && strncmp(argv[1], PATH "=", n + 1) == 0)
		return run(argv[1] + n + 1, argc - 2, argv + 2);
	ctl_say("which checkpoint? --path DIR must come first; see `wispctl "
		"restore --help`");
	return CTL_FAILED;
}
