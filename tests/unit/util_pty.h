/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_pty.h - pseudo terminals, and how an OCI runtime hands one over.
 */
#ifndef WISP_TESTS_UTIL_PTY_H
#define WISP_TESTS_UTIL_PTY_H

#include <stdbool.h>
#include <stddef.h>

/* A raw terminal's master, and its slave. */
int pty_open(int *ret_slave);

/* Connects to a console socket; -1 if nobody listens. */
int pty_connect(const char *path);

/* Sends n descriptors, with a name, as runc does: unix(7), SCM_RIGHTS. */
void pty_send(int sock, const int *fds, size_t n);

/* Both, for one. */
void pty_give(const char *path, int fd);

#endif
