/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - the generated messages of the task API and its events, for
 * client/ itself.
 *
 * Some fields are called stdin, stdout and stderr, which <stdio.h> may define
 * as macros with arguments of their own (it does on Windows). Files that
 * include this use those fields and not the streams.
 */
#ifndef WISP_CLIENT_MESSAGES_H
#define WISP_CLIENT_MESSAGES_H

#include <stdio.h>

#undef stdin
#undef stdout
#undef stderr

#include "events.pb-c.h"
#include "task.pb-c.h"

#endif
