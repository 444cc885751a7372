/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - wispctl: drive and look into containerd shims, with no daemon.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"

/* Listed in this order under the heading of their group. */
static const struct ctl_command commands[] = {
	{CTL_LIFE, "run", "run a container, with no daemon", ctl_run},
	{CTL_LIFE, "create", "make a container, to be started later",
		ctl_create},
	{CTL_LIFE, "start", "start containers that were created", ctl_start},
	{CTL_LIFE, "attach", "see what a container writes, type to it",
		ctl_attach},
	{CTL_LIFE, "logs", "show what a container has written", ctl_logs},
	{CTL_LIFE, "events", "show what happens to containers", ctl_events},
	{CTL_LIFE, "exec", "run a command in a container that runs", ctl_exec},
	{CTL_LIFE, "kill", "send a signal to a container", ctl_kill},
	{CTL_LIFE, "wait", "wait for containers, and print how they ended",
		ctl_wait},
	{CTL_LIFE, "pause", "freeze a container", ctl_pause},
	{CTL_LIFE, "resume", "let a paused container go on", ctl_resume},
	{CTL_LIFE, "update", "change a container's limits", ctl_update},
	{CTL_LIFE, "checkpoint", "put a running container into files",
		ctl_checkpoint},
	{CTL_LIFE, "restore", "make a container go on from a checkpoint",
		ctl_restore},
	{CTL_LIFE, "delete", "delete a container that has ended", ctl_delete},
	{CTL_LIFE, "ps", "list our own containers, or a container's processes",
		ctl_ps},
	{CTL_LIFE, "stats", "show what containers use, by their shims",
		ctl_stats},

	{CTL_LOOKING, "shims", "list all shims of this host, of any kind",
		ctl_shims},
	{CTL_LOOKING, "top", "show what tasks use, live", ctl_top},
	{CTL_LOOKING, "inspect", "show a container, whoever runs it",
		ctl_inspect},
	{CTL_LOOKING, "dump", "show all that a shim knows and waits for",
		ctl_dump},

	{CTL_HIDDEN, "keep", NULL, ctl_keep},
	{CTL_HUNTING, "stress", "run containers by the dozen, and find leaks",
		ctl_stress},
	{CTL_SPECS, "spec", "make a container's configuration, or check one",
		ctl_spec},
	{CTL_HUNTING, "seccomp",
		"what a container's profile denies, and how to allow it",
		ctl_seccomp},

	{CTL_HIDDEN, "guard", NULL, ctl_guard},
};

static const char *const headings[] = {
	[CTL_LIFE] = "Life cycle",
	[CTL_LOOKING] = "Looking",
	[CTL_SPECS] = "Specs",
	[CTL_HUNTING] = "Hunting",
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help_group(FILE *to, enum ctl_group group)
{
	bool any = false;
	size_t i;

	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].group != group)
			continue;
		if (!any)
			fprintf(to, "\n%s:\n", headings[group]);
		any = true;
		fprintf(to, "  %-11s %s\n", commands[i].name,
			commands[i].summary);
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
	      "command\n  -v, --version  wispctl's version\n"
	      "\nManual: man wispctl\n",
		to);
}

static bool is_one_of(const char *arg, const char *a, const char *b)
{
	return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

/* A descriptor that we open must never become stdin, stdout or stderr. */
static void fill_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	size_t i;

	fill_standard_streams();
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
	for (i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	ctl_say("there is no command '%s'; see `wispctl --help`", argv[1]);
	return CTL_FAILED;
}
