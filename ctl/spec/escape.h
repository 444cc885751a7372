/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h - arguments as the one command line that a Windows process gets.
 *
 * The line is such that CommandLineToArgvW and the C runtime give back exactly
 * these arguments ("Parsing C command-line arguments" in Microsoft's manual):
 *
 *   - the program's name is in quotes if it must be; a backslash means nothing
 *     in it, so a name with a quote in it cannot be written;
 *   - any other argument is in quotes if it is empty or has white space;
 *   - 2n backslashes and a quote are n backslashes, and the quote begins or
 *     ends; 2n+1 are n and a quote of the text; elsewhere they are themselves.
 */
#ifndef WISP_CTL_ESCAPE_H
#define WISP_CTL_ESCAPE_H

#include "platform/err.h"

/* args: UTF-8, NULL-terminated, at least one. The line, for the caller to
 * free. -EINVAL: a quote in the program's name, an empty list, or no UTF-8;
 * -E2BIG: longer than Windows takes (WINPATH_LINE_MAX); -ENOMEM. */
int escape_args(const char *const *args, char **ret, struct err *e);

/* Whether a line can be given to Windows as it is: UTF-8, not empty, not too
 * long. -EINVAL, -E2BIG. */
int escape_check_line(const char *line, struct err *e);

#endif
