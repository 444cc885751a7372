/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_program.h - which program a host-process container runs, where, and with
 * which environment: hcsshim's internal/jobcontainers/path.go, and
 * CreateProcess() in jobcontainer.go.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_PROGRAM_H
#define WISP_PLATFORM_WINDOWS_JOB_PROGRAM_H

#include "platform/container.h"
#include "platform/windows/job_root.h"

struct job_program {
	char *path; /* the executable */
	char *line; /* the command line; what has a blank in it is quoted */
	char *cwd;
	char **env; /* "NAME=VALUE", NULL at the end: all of it */
};

/*
 * The working folder is the program's, or root; where root is not bound, what
 * is not below it is taken to be ("C:\data" is root\data). It is made if it is
 * not there.
 *
 * The executable is looked for in the working folder, in PATH, in the system's
 * folders, with ".exe" first. In a line that begins with a quote it is what is
 * quoted; else the first word, or as many words as it takes to find one: "a b
 * c" may be `a`, `a b` or `a b c`. A program that only the job can see is run
 * by cmd.
 *
 * To the user's environment come the program's own, and
 * CONTAINER_SANDBOX_MOUNT_POINT, which is root; PATH gets root and PowerShell
 * at its end.
 *
 * token: whose environment; NULL: this process's user. ret needs
 * job_program_clear() also on failure.
 */
int job_program_find(const struct container_program *p,
	const struct job_root *root, HANDLE token, struct job_program *ret,
	struct err *e);

void job_program_clear(struct job_program *p);

#endif
