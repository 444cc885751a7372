/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h - a terminal for a container's process.
 *
 * On Linux the OCI runtime makes the pseudo terminal inside the container and
 * sends the master over a unix socket named by --console-socket (SCM_RIGHTS;
 * runc's docs/terminals.md). On Windows it is a ConPTY made here.
 */
#ifndef WISP_PLATFORM_CONSOLE_H
#define WISP_PLATFORM_CONSOLE_H

#include "platform/stream.h"

struct console;

/*
 * Opens the receiving end, a socket called name in the folder dir, which must
 * exist. The name is removed as soon as the master has come, or by
 * console_close().
 */
int console_new(struct event_base *base, const char *dir, const char *name,
	struct console **ret, struct err *e);

/* What to tell the runtime: the socket's path. Valid until
 * console_receive(). */
const char *console_socket(const struct console *c);

/*
 * Collects the terminal after the runtime has finished: what it sent is there
 * by then, so this does not wait. What the terminal prints is read from one
 * stream, what is typed is written to the other; the caller owns both, and
 * closing them does not hang up the terminal: console_close() does, once both
 * are closed. -EPROTO if nothing, or no terminal, was sent.
 */
int console_receive(struct console *c, struct stream **ret_output,
	struct stream **ret_input, struct err *e);

/* tty_ioctl(4), TIOCSWINSZ. -ENOTTY before console_receive(). */
int console_resize(struct console *c, uint32_t width, uint32_t height);

/* The process has ended: what the terminal has still to print comes, and then
 * the end of its output. On Linux it does so by itself; a pseudo console must
 * be hung up, which may take its time elsewhere and ends what else is on it. */
void console_finish(struct console *c);

void console_close(struct console *c);

#endif
