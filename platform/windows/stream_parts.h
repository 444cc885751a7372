/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_parts.h - what stream.c has for stream_open.c.
 */
#ifndef WISP_PLATFORM_WINDOWS_STREAM_PARTS_H
#define WISP_PLATFORM_WINDOWS_STREAM_PARTS_H

#include "platform/stream.h"
#include "platform/windows/win.h"

enum stream_kind { STREAM_OF_PIPE, STREAM_OF_FILE, STREAM_OF_NULL };

/* Consumes h, also on failure (NULL: no memory). One of a pipe is for
 * stream_from_handle() to make. */
struct stream *stream_new(
	struct event_base *base, enum stream_kind kind, HANDLE h);

/* From now on the pipe of that name is dialed again when whoever made it has
 * gone while something was to be written. -ENOMEM. */
int stream_dial_again(struct stream *s, const wchar_t *name);

/* The same of a pipe that nobody has been found at yet. */
int stream_dial_later(
	struct event_base *base, const wchar_t *name, struct stream **ret);

/* As a client who may be meant to read, to write, or both. */
int pipe_dial_stdio(const wchar_t *name, HANDLE *ret);

#endif
