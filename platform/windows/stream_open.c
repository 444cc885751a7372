/* SPDX-License-Identifier: Apache-2.0 */
/* The part of stream.h that is about what streams are made of. */
#include "platform/stream.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "platform/windows/stream_file.h"
#include "platform/windows/stream_parts.h"

int stream_open_fifo(struct event_base *base, const char *path,
	struct stream **ret, struct err *e)
{
	wchar_t name[PIPE_NAME_MAX];
	struct stream *s;
	HANDLE h;
	int r = pipe_name(path, name);

	if (r < 0)
		return err_set(e, -EINVAL,
			"stdio path '%s' is no pipe's name (\\\\.\\pipe\\...); "
			"use file:// for a file",
			path);
	r = pipe_dial_stdio(name, &h);
	if (r < 0 && r != -EAGAIN)
		return err_sys(e, r, "open stdio pipe '%s'", path);
	/* the daemon has made the pipe, and waits at it in a moment */
	if (r == -EAGAIN) {
		r = stream_dial_later(base, name, ret);
		return r < 0 ? err_sys(e, r, "stdio pipe '%s'", path) : 0;
	}
	r = stream_from_handle(base, h, &s);
	if (r == 0) {
		r = stream_dial_again(s, name);
		if (r < 0)
			stream_close(s);
	}
	if (r < 0)
		return err_sys(e, r, "stdio pipe '%s'", path);
	*ret = s;
	return 0;
}

int stream_open_log(struct event_base *base, const char *path,
	struct stream **ret, struct err *e)
{
	HANDLE h;
	int r = stream_file_open(path, &h);

	if (r == 0) {
		*ret = stream_new(base, STREAM_OF_FILE, h);
		r = *ret ? 0 : -ENOMEM;
	}
	return r < 0 ? err_sys(e, r, "open log '%s'", path) : 0;
}

int stream_open_null(struct event_base *base, struct stream **ret)
{
	struct stream *s = stream_new(base, STREAM_OF_NULL, NULL);

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

int stream_connect(struct event_base *base, const char *address,
	struct stream **ret, struct err *e)
{
	wchar_t name[PIPE_NAME_MAX];
	HANDLE h;
	int r = pipe_name(address, name);

	if (r == 0)
		r = pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &h);
	if (r == 0)
		r = stream_from_handle(base, h, ret);
	return r < 0 ? err_sys(e, r, "connect to '%s'", address) : 0;
}

static int stream_pipe(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs, bool from_child)
{
	SECURITY_ATTRIBUTES inherit = {
		.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	wchar_t name[PIPE_NAME_MAX];
	struct endpoint *theirs;
	HANDLE ours, h;
	int r;

	pipe_fresh_name(name);
	r = pipe_listen(name,
		from_child ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_OUTBOUND, true,
		1, PIPE_FOR_ALL_OF_US, &ours);
	if (r < 0)
		return r;
	/* not overlapped: a child reads and writes as it always does */
	h = CreateFileW(name,
		from_child ? GENERIC_WRITE | FILE_READ_ATTRIBUTES
			   : GENERIC_READ | FILE_WRITE_ATTRIBUTES,
		0, &inherit, OPEN_EXISTING, 0, NULL);
	if (h == INVALID_HANDLE_VALUE) {
		r = win_last();
		CloseHandle(ours);
		return r;
	}
	r = endpoint_from_handle(h, &theirs);
	if (r < 0) {
		CloseHandle(ours);
		return r;
	}
	r = stream_from_handle(base, ours, ret_ours);
	if (r < 0) {
		endpoint_close(theirs);
		return r;
	}
	endpoint_set_ours(theirs, *ret_ours);
	*ret_theirs = theirs;
	return 0;
}

int stream_pipe_by_name(struct event_base *base, const char *name,
	bool to_child, struct stream **ret_ours, struct endpoint **ret_theirs)
{
	char text[PIPE_NAME_MAX];
	wchar_t wide[PIPE_NAME_MAX];
	struct endpoint *theirs = NULL;
	HANDLE ours = NULL;
	int r;

	(void)to_child;
	if ((size_t)snprintf(text, sizeof(text), "\\\\.\\pipe\\%s", name) >=
		sizeof(text))
		return -ENAMETOOLONG;
	r = pipe_name(text, wide);
	/* both ways: loggers dial as they do for any pipe */
	if (r == 0)
		r = pipe_listen(wide, PIPE_ACCESS_DUPLEX, true, 1,
			PIPE_FOR_ALL_OF_US, &ours);
	if (r < 0)
		return r;
	r = endpoint_of_name(wide, &theirs);
	if (r < 0) {
		CloseHandle(ours);
		return r;
	}
	r = stream_await_client(base, ours, ret_ours);
	if (r < 0)
		endpoint_close(theirs);
	else
		*ret_theirs = theirs;
	return r;
}

int stream_pipe_from_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs)
{
	return stream_pipe(base, ret_ours, ret_theirs, true);
}

int stream_pipe_to_child(struct event_base *base, struct stream **ret_ours,
	struct endpoint **ret_theirs)
{
	return stream_pipe(base, ret_ours, ret_theirs, false);
}
