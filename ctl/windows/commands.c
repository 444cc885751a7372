/* SPDX-License-Identifier: Apache-2.0 */
/* What wispctl can do on Windows. */
#include "ctl/command.h"
#include "ctl/windows/stress_part.h"

const struct ctl_command ctl_commands[] = {
	{CTL_LIFE, "run", "run a container, with no daemon", ctl_run},
	{CTL_LIFE, "events", "show what happens to containers", ctl_events},
	{CTL_LIFE, "exec", "run a command in a container that runs", ctl_exec},
	{CTL_LIFE, "kill", "send a signal to a container", ctl_kill},
	{CTL_LIFE, "ps", "list our own containers, or a container's processes",
		ctl_ps},

	{CTL_HUNTING, "stress", "run containers by the dozen, and find leaks",
		ctl_stress},
	{CTL_HIDDEN, "stress-part", NULL, ctl_stress_part},
};

const char ctl_manual[] = "";

const size_t ctl_n_commands = sizeof(ctl_commands) / sizeof(ctl_commands[0]);
