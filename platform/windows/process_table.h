/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_table.h - the processes that this one has started, until their exits
 * have been handed out. As long as a process is in here its handle is open, so
 * that its pid can't become somebody else's.
 */
#ifndef WISP_PLATFORM_WINDOWS_PROCESS_TABLE_H
#define WISP_PLATFORM_WINDOWS_PROCESS_TABLE_H

#include <stdint.h>

#include "platform/windows/win.h"

struct child {
	struct child *next;
	int64_t pid;
	HANDLE process;
	HANDLE thread; /* NULL: it is not suspended */
	HANDLE wait;   /* of the thread pool; NULL: nobody wants to know */
};

/* Of calloc(); the table's from here on, unless it fails. */
int child_add(struct child *c);

/* Takes it out again; it is the caller's. */
void child_remove(struct child *c);

/* Borrowed; NULL. */
struct child *child_find(int64_t pid);

/* Of one that is not in the table. */
void child_free(struct child *c);

#endif
