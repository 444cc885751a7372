/* SPDX-License-Identifier: Apache-2.0 */
/* What wispctl can do on Linux. */
#include <stddef.h>

#include "ctl/command.h"

/* Listed in this order under the heading of their group. */
const struct ctl_command ctl_commands[] = {
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

const char ctl_manual[] = "\nManual: man wispctl\n";

const size_t ctl_n_commands = sizeof(ctl_commands) / sizeof(ctl_commands[0]);
