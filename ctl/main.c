/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - wispctl: drive and look into containerd shims, with no daemon.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "platform/tool.h"

static const char *const headings[] = {
	[CTL_LIFE] = "Life cycle",
	[CTL_LOOKING] = "Looking",
	[CTL_SPECS] = "Specs",
	[CTL_HUNTING] = "Hunting",
};

static void help_group(FILE *to, enum ctl_group group)
{
	bool any = false;
	size_t i;

	for (i = 0; i < ctl_n_commands; i++) {
		const struct ctl_command *c = &ctl_commands[i];

		if (c->group != group)
			continue;
		if (!any)
			fprintf(to, "\n%s:\n", headings[group]);
		any = true;
		fprintf(to, "  %-11s %s\n", c->name, c->summary);
	}
}

static void help(FILE *to)
{
	enum ctl_group group;

	fputs("Usage: wispctl COMMAND [OPTIONS]\n\n"
	      "Drives containerd shims directly: wisp's own, or any that "
	      "speaks the task\nAPI v2 or v3.\n",
		to);
	for (group = CTL_LIFE; group <= CTL_HUNTING; group++)
		help_group(to, group);
	fputs("\n  -h, --help     this text; `wispctl COMMAND --help` for a "
	      "command\n  -v, --version  wispctl's version\n",
		to);
	fputs(ctl_manual, to);
}

static bool is_one_of(const char *arg, const char *a, const char *b)
{
	return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

int main(int argc, char **argv)
{
	size_t i;

	if (tool_begin(&argc, &argv) < 0) {
		ctl_say("the command line cannot be read: no memory, or it is "
			"no Unicode");
		return CTL_FAILED;
	}
	if (argc < 2) {
		help(stderr);
		return CTL_FAILED;
	}
	if (is_one_of(argv[1], "-h", "--help") ||
		strcmp(argv[1], "help") == 0) {
		help(stdout);
		return CTL_OK;
	}
	if (is_one_of(argv[1], "-v", "--version")) {
		puts("wispctl " WISP_VERSION);
		return CTL_OK;
	}
	for (i = 0; i < ctl_n_commands; i++)
		if (strcmp(argv[1], ctl_commands[i].name) == 0)
			return ctl_commands[i].run(argc - 1, argv + 1);
	ctl_say("there is no command '%s'; see `wispctl --help`", argv[1]);
	return CTL_FAILED;
}
