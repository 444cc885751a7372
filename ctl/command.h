/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - wispctl's subcommands and exit codes.
 *
 * A subcommand gets argv from its own name on and returns the exit code. The
 * codes are docker's: the container's own, or one of these.
 */
#ifndef WISP_CTL_COMMAND_H
#define WISP_CTL_COMMAND_H

#include <stddef.h>

#ifndef WISP_VERSION
#define WISP_VERSION "0.1.0"
#endif

enum {
	CTL_OK = 0,
	CTL_FOUND =
		1, /* a check has found what it looks for: a fault, a leak */
	CTL_FAILED = 125,         /* wispctl, the shim or the runtime failed */
	CTL_NOT_EXECUTABLE = 126, /* the command cannot be invoked */
	CTL_NOT_FOUND = 127,      /* no such command in the container */
};

/* Under which heading `wispctl --help` lists a command. */
enum ctl_group {
	CTL_HIDDEN, /* for wispctl's own use, not listed */
	CTL_LIFE,
	CTL_LOOKING,
	CTL_SPECS,
	CTL_HUNTING,
};

struct ctl_command {
	enum ctl_group group;
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

/* All of this system's: commands.c, windows/commands.c. --help lists them in
 * this order under the heading of their group. */
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;
extern const char ctl_manual[]; /* the end of --help */

int ctl_run(int argc, char **argv);        /* run.c */
int ctl_inspect(int argc, char **argv);    /* inspect.c */
int ctl_dump(int argc, char **argv);       /* dump.c */
int ctl_create(int argc, char **argv);     /* create.c */
int ctl_start(int argc, char **argv);      /* start.c */
int ctl_attach(int argc, char **argv);     /* attach.c */
int ctl_logs(int argc, char **argv);       /* logs.c */
int ctl_events(int argc, char **argv);     /* events.c */
int ctl_keep(int argc, char **argv);       /* keep.c */
int ctl_guard(int argc, char **argv);      /* guard.c */
int ctl_exec(int argc, char **argv);       /* exec.c */
int ctl_kill(int argc, char **argv);       /* kill.c */
int ctl_wait(int argc, char **argv);       /* wait.c */
int ctl_pause(int argc, char **argv);      /* pause.c */
int ctl_resume(int argc, char **argv);     /* pause.c */
int ctl_update(int argc, char **argv);     /* update.c */
int ctl_checkpoint(int argc, char **argv); /* checkpoint.c */
int ctl_restore(int argc, char **argv);    /* restore.c */
int ctl_delete(int argc, char **argv);     /* delete.c */
int ctl_ps(int argc, char **argv);         /* ps.c */
int ctl_stats(int argc, char **argv);      /* stats.c */
int ctl_shims(int argc, char **argv);      /* shims.c */
int ctl_top(int argc, char **argv);        /* top.c */
int ctl_stress(int argc, char **argv);     /* stress.c */
int ctl_spec(int argc, char **argv);       /* spec_command.c */
int ctl_seccomp(int argc, char **argv);    /* seccomp.c */

#endif
