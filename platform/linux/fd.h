/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.h - file descriptors with an owner. Only platform/linux/ and its tests
 * include this; nothing above platform/ sees a descriptor.
 *
 *     auto_fd int fd = open(...);
 *     ...
 *     s->fd = fd_take(&fd);
 */
#ifndef WISP_PLATFORM_LINUX_FD_H
#define WISP_PLATFORM_LINUX_FD_H

#include <errno.h>
#include <unistd.h>

#include "platform/stream.h"

/* Closes and sets to -1; errno is kept, so it may run on the way out. */
static inline void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

#define auto_fd __attribute__((cleanup(fd_close)))

static inline int fd_take(int *fd)
{
	int got = *fd;

	*fd = -1;
	return got;
}

/* Makes a stream of a descriptor, which becomes non-blocking and close-on-exec.
 * Consumes fd, also on failure. */
int stream_from_fd(struct event_base *base, int fd, struct stream **ret);

/* An end for a child. Consumes fd, also on failure. */
int endpoint_from_fd(int fd, struct endpoint **ret);

/* Borrowed: still the stream's, or the endpoint's. */
int stream_fd(const struct stream *s);
int endpoint_fd(const struct endpoint *ep);

/* Blocks until fd is written or fails; for tiny writes to files. 0 or -errno.
 */
int fd_write_all(int fd, const void *buf, size_t n);

/* Blocks until n bytes are there, or the end: how many, or -errno. */
ssize_t fd_read_all(int fd, void *buf, size_t n);

#endif
