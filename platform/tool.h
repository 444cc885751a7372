/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool.h - what a program for people needs of its host, besides what a shim
 * does.
 */
#ifndef WISP_PLATFORM_TOOL_H
#define WISP_PLATFORM_TOOL_H

#include "platform/err.h"

/*
 * First thing in main(). Linux: stdin, stdout and stderr are open, if need be
 * on the null device, so that nothing else becomes one of them. Windows: argv
 * and the environment become UTF-8 (the C library has them in an encoding that
 * can't hold every name), and broken output is told by a write. -ENOMEM,
 * -EINVAL.
 */
int tool_begin(int *argc, char ***argv);

/* Makes a folder for root alone; the XXXXXX that path ends with become what
 * makes its name a new one (mkdtemp(3)). */
int tool_make_new_folder(char *path);

/* Locks a folder against others who lock it, until tool_unlock() or the end of
 * this process: a number, or -EWOULDBLOCK if somebody has it, -ENOENT, ...
 * (flock(2). Windows: a file in it that nobody else can open; it must be
 * unlocked before it can be removed.) */
int tool_lock(const char *folder);
/* -1 is fine. */
void tool_unlock(int lock);

/* Tells the names in a folder, in no order, "." and ".." not among them. */
int tool_list(const char *folder, void (*each)(const char *name, void *arg),
	void *arg);

#endif
