/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_line.h - arguments as the one text that Windows knows.
 */
#ifndef WISP_PLATFORM_WINDOWS_COMMAND_LINE_H
#define WISP_PLATFORM_WINDOWS_COMMAND_LINE_H

#include <wchar.h>

/* CreateProcess: 32767 characters, NUL included. */
#define COMMAND_LINE_MAX 32767

/*
 * Escapes arguments by the rules of CommandLineToArgvW and of Microsoft's C
 * library, so that a program gets them back as they are: one is quoted if it is
 * empty or has a blank, a tab, a newline or a quote in it; a quote gets a
 * backslash, and backslashes before a quote are doubled. This is the only place
 * where arguments are escaped. *ret is fresh memory. -EINVAL: not UTF-8;
 * -E2BIG: too long.
 */
int command_line(const char *const *argv, wchar_t **ret);

/* One that is given as text, verbatim. */
int command_line_verbatim(const char *text, wchar_t **ret);

/*
 * An environment block: what CreateProcess wants, of "NAME=VALUE" texts, sorted
 * by name without regard to case, as the system has it. Of two with the same
 * name the last one holds. SystemRoot is this
 * process's own if it is not given: much of the system does not work without.
 * -EINVAL: one without a '=', or not UTF-8.
 */
int environment_block(const char *const *envp, wchar_t **ret);

#endif
