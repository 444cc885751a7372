/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conpty.h - the pseudo console behind a struct console.
 */
#ifndef WISP_PLATFORM_WINDOWS_CONPTY_H
#define WISP_PLATFORM_WINDOWS_CONPTY_H

#include "platform/console.h"
#include "platform/windows/win.h"

/* HPCON, which not every header of the time has. */
typedef void *HPCON_;

/* Makes it at the first call. Borrowed: for struct spawn. -ENOSYS: this Windows
 * has none. */
int console_pty(struct console *c, void **ret);

/* Where somebody else has the terminal: */
struct console_host {
	int (*resize)(void *arg, uint32_t width, uint32_t height);
	void (*closed)(void *arg); /* in console_close(): the last call */
};

/* From now on these are our ends of its pipes, which are taken unless it
 * fails. */
int console_give(struct console *c, HANDLE *out, HANDLE *in,
	const struct console_host *host, void *arg);

#endif
