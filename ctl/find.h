/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.h - the programs a container needs, found before anything is made.
 */
#ifndef WISP_CTL_FIND_H
#define WISP_CTL_FIND_H

#include <stddef.h>

#include "platform/err.h"

/* The absolute path of a program in PATH, or of a path as given. -ENOENT,
 * -EACCES, with no message. */
int ctl_find_program(const char *name, char *ret, size_t n);

/* The shim to drive: the one given, or wisp's beside this program, or in
 * PATH. */
int ctl_find_shim(const char *given, char *ret, size_t n, struct err *e);

/* The OCI runtime: the one given, or runc, or crun. */
int ctl_find_runtime(const char *given, char *ret, size_t n, struct err *e);

/* This program's own path. */
int ctl_find_self(char *ret, size_t n);

#endif
