/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.h - host_split() where there is no fork.
 *
 * `start` is run twice: the process that was called starts its own program
 * again, with the same arguments, working directory and environment, and waits.
 * What it has taken from the outside goes along: the text on stdin, and its end
 * of the service pipe. The second one does what the first one did, finds that
 * listener when it claims the name, and is let through by host_split().
 */
#ifndef WISP_PLATFORM_WINDOWS_SPLIT_H
#define WISP_PLATFORM_WINDOWS_SPLIT_H

#include "platform/err.h"
#include "platform/windows/win.h"

struct listener;

/* In the second process: 0 and the listener of the first one; 1 in the first
 * one, or if the address is another. */
int split_inherit_listener(
	const char *address, struct listener **ret, struct err *e);

/* listener.c: the end that has not been waited on yet, and the way back. Both
 * are for socket.c alone. */
HANDLE listener_first(const struct listener *l);
int listener_adopt(const char *address, HANDLE first, struct listener **ret,
	struct err *e);

/* What was read on stdin, for the second process. Borrowed, and copied. */
int split_keep_stdin(const void *data, size_t n);

/* The listener that goes along. Borrowed. */
void split_keep_listener(struct listener *l);

#endif
