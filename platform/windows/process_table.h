/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_table.h - the processes that this one has started, until their exits
 * have been handed out. As long as a process is in here its handle is open, so
 * that its pid can't become somebody else's.
 */
#ifndef WISP_PLATFORM_WINDOWS_PROCESS_TABLE_H
#define WISP_PLATFORM_WINDOWS_PROCESS_TABLE_H

#include <stdint.h>

#include "platform/process.h"
#include "platform/windows/win.h"

struct child {
	struct child *next;
	int64_t pid;
	HANDLE process;
	HANDLE thread; /* NULL: it is not suspended */
	HANDLE wait;   /* of the thread pool; NULL: nobody wants to know */
	/* One that somebody else runs for us: process is an event then, and
	 * these two hold once it is set. NULL: it is a real one. */
	int (*signal)(
		void *arg, uint32_t signal, process_told done, void *done_arg);
	void *arg;
	uint32_t status;
	uint64_t ended_at; /* 100 ns since 1970 */
};

/* Of calloc(); the table's from here on, unless it fails. */
int child_add(struct child *c);

/* Borrowed; NULL. */
struct child *child_find(int64_t pid);

/*
 * A process that the host compute service runs: in the table like any other,
 * but its signals go to signal() (as process_ref_ask_signal(); done may be
 * NULL), and its end is told here. -EEXIST: there is one of that pid.
 */
int child_add_foreign(int64_t pid,
	int (*signal)(
		void *arg, uint32_t signal, process_told done, void *done_arg),
	void *arg, struct err *e);

/* It has ended; signal() does not run any more. From the loop's thread. */
void child_foreign_ended(int64_t pid, uint32_t status);

/* Of one that is not in the table. */
void child_free(struct child *c);

#endif
