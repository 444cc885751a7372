/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conpty.h - the pseudo console behind a struct console.
 */
#ifndef WISP_PLATFORM_WINDOWS_CONPTY_H
#define WISP_PLATFORM_WINDOWS_CONPTY_H

#include "platform/console.h"

/* HPCON, which not every header of the time has. */
typedef void *HPCON_;

/* Borrowed: for struct spawn. */
void *console_pty(const struct console *c);

#endif
