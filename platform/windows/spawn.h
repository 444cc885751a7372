/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - what starting a program on Windows can do beyond process_spawn().
 */
#ifndef WISP_PLATFORM_WINDOWS_SPAWN_H
#define WISP_PLATFORM_WINDOWS_SPAWN_H

#include "platform/process.h"
#include "platform/windows/win.h"

struct spawn {
	const struct process_spec *spec; /* argv, envp, cwd, endpoints */
	const char *program; /* its path; NULL: argv[0] is looked up */
	const char *line;    /* the command line, verbatim; NULL: of argv */
	HANDLE token;        /* who it is; NULL: who this process is */
	HANDLE job;          /* it is born in there; NULL: none */
	void *console;  /* HPCON; then endpoints are not used. NULL: none */
	bool suspended; /* until process_resume() */
};

/* As process_spawn(). The process's exit comes to the exit_source like any
 * other: it is registered before its first instruction. */
int process_spawn_with(
	const struct spawn *how, int64_t *ret_pid, struct err *e);

/* Lets a suspended one run. -ESRCH: it is not ours, or has ended. */
int process_resume(int64_t pid);

/* Borrowed: the handle of a process of ours whose exit has not been handed out
 * yet, NULL if there is none. */
HANDLE process_handle(int64_t pid);

/* Borrowed. */
HANDLE process_ref_handle(const struct process_ref *ref);

/* An attribute list with room for n, in fresh memory; 0 or -errno. */
int attributes_new(DWORD n, LPPROC_THREAD_ATTRIBUTE_LIST *ret);
void attributes_free(LPPROC_THREAD_ATTRIBUTE_LIST list); /* NULL is fine */

#endif
