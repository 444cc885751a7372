/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fifo.h - the daemon's side of a container's stdio: it makes the FIFOs, and
 * has the ends that the shim has not. For Linux: these are descriptors. On
 * Windows pipes are made by stream_pipe_by_name(), and client_fifo_make() has
 * nothing to do.
 */
#ifndef WISP_CLIENT_FIFO_H
#define WISP_CLIENT_FIFO_H

#include "platform/err.h"

/* mkfifo(3), mode 0600. */
int client_fifo_make(const char *path, struct err *e);

/* The end of stdout or stderr: it does not wait for the shim, has nothing to
 * read until the shim has opened its end, and ends when the shim has closed
 * it: fifo(7). Non-blocking, close-on-exec. Returns the descriptor. */
int client_fifo_open_output(const char *path, struct err *e);

/* The end of stdin. It can be written before the shim has opened its own. That
 * it is closed means nothing to the container: CloseIO does. */
int client_fifo_open_input(const char *path, struct err *e);

#endif
