/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h - what wispctl tells people, on stderr.
 */
#ifndef WISP_CTL_SAY_H
#define WISP_CTL_SAY_H

#include <stdbool.h>

#include "platform/err.h"

/* One line: "wispctl: ...", without control characters. Written whole, and with
 * a carriage return while the terminal is raw, so that it never runs into the
 * container's output. */
void ctl_say(const char *fmt, ...) ERR_PRINTF(1, 2);

/* A line as it is, for events and logs. */
void ctl_say_line(const char *line);

/* While true, lines end in CR LF. */
void ctl_say_raw(bool raw);

/* Whether a descriptor, or stderr, is a terminal that wants colours (NO_COLOR,
 * TERM=dumb). */
bool ctl_say_colours_on(int fd);
bool ctl_say_colours(void);

#endif
