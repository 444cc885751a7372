/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.h - named pipes: their ends as streams and endpoints.
 *
 * Anonymous pipes can't do overlapped I/O, so every pipe here has a name. All
 * are in byte mode and reject clients from other machines.
 */
#ifndef WISP_PLATFORM_WINDOWS_PIPE_H
#define WISP_PLATFORM_WINDOWS_PIPE_H

#include "platform/stream.h"
#include "platform/windows/win.h"

/* What the system keeps for a reader, and what a stream does. */
#define PIPE_QUOTA 65536
#define PIPE_NAME_MAX 320

enum pipe_access { PIPE_FOR_ALL_OF_US, PIPE_FOR_ADMINISTRATORS };

/*
 * A server's end, nobody connected. first: -EADDRINUSE if the pipe exists.
 * instances: at most so many ends of that name at once; 0: no limit.
 */
int pipe_listen(const wchar_t *name, DWORD open_mode, bool first,
	unsigned instances, enum pipe_access access, HANDLE *ret);

/* Whether somebody has made it; nobody is connected to. The last error tells
 * why not. */
bool pipe_exists(const wchar_t *name);

/* A client's end, without waiting: -EAGAIN all instances are taken. */
int pipe_dial(const wchar_t *name, DWORD access, HANDLE *ret);

/* "\\.\pipe\..." of a text that must be one: -EINVAL. */
int pipe_name(const char *text, wchar_t ret[PIPE_NAME_MAX]);

/* A name that nobody else has. */
void pipe_fresh_name(wchar_t ret[PIPE_NAME_MAX]);

/* Makes a stream of an overlapped handle. Consumes h, also on failure. */
int stream_from_handle(struct event_base *base, HANDLE h, struct stream **ret);

/* The same of one that port_attach() has seen, and what that said: it can be
 * done once. */
int stream_from_attached(
	struct event_base *base, HANDLE h, bool skip, struct stream **ret);

/* Of a server's end whose client is still to come. Consumes h, also on
 * failure. */
int stream_await_client(struct event_base *base, HANDLE h, struct stream **ret);

/* Borrowed. */
HANDLE stream_handle(const struct stream *s);

/* From now on it is about another pipe, and the old one's end is closed.
 * Takes *h unless it fails. -EBUSY: it has been used. */
int stream_replace(struct stream *s, HANDLE *h);

/* closed() runs in stream_close(). */
void stream_on_close(struct stream *s, void (*closed)(void *arg), void *arg);

/* An end for a child. Consumes h, also on failure. */
int endpoint_from_handle(HANDLE h, struct endpoint **ret);

/* Which stream is at the other end: it must stay until the endpoint is closed,
 * or endpoint_give() does not come. */
void endpoint_set_ours(struct endpoint *ep, struct stream *ours);

/* For somebody who runs the child and has made pipes of its own: takes *h, our
 * end of such a one, in the place of the end of the pipe that the child would
 * have had the other of. */
int endpoint_give(struct endpoint *ep, HANDLE *h, struct stream **ret_ours);

/* One that a child has to dial. */
int endpoint_of_name(const wchar_t *name, struct endpoint **ret);

/* Borrowed; inheritable. NULL: one that is dialed. */
HANDLE endpoint_handle(const struct endpoint *ep);

#endif
