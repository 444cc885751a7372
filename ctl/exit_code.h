/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit_code.h - what a command that could not be started means for a shell.
 */
#ifndef WISP_CTL_EXIT_CODE_H
#define WISP_CTL_EXIT_CODE_H

#include "platform/err.h"

/* The error of a Create or Start as an exit code: CTL_NOT_FOUND,
 * CTL_NOT_EXECUTABLE or CTL_FAILED (command.h). Runtimes say which in words
 * only; docker reads them in the same way. */
int ctl_exit_code(const struct err *e);

#endif
