/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool.h - bytes that wait on a disk: first in, first out, up to a bound.
 *
 * It is a file without a name, used as a ring: it takes no more room than its
 * bound however long it is in use, and is gone with this process, whatever
 * becomes of it. (Windows: a file that is deleted when it is closed.) Nothing
 * of it is kept in memory but what the system caches.
 */
#ifndef WISP_PLATFORM_SPOOL_H
#define WISP_PLATFORM_SPOOL_H

#include "platform/stream.h"

struct spool;

/* In the folder dir, for up to max bytes. -ENOSPC, -EMFILE, -EACCES, ... */
int spool_open(const char *dir, uint64_t max, struct spool **ret);

/* Up to n bytes: > 0 taken, -ENOBUFS there are max bytes in it, else -errno:
 * -ENOSPC or -EDQUOT, the disk is full. */
ssize_t spool_put(struct spool *s, const void *data, size_t n);

/* Moves some of the oldest bytes to a stream: > 0 moved, -ENODATA there are
 * none, -EBADMSG the disk does not give them back, else as stream_write(). */
ssize_t spool_get(struct spool *s, struct stream *to);

/* Gives up some of the oldest bytes; how many. */
uint64_t spool_skip(struct spool *s);

/* Bytes in it. NULL: 0. */
uint64_t spool_used(const struct spool *s);

/* NULL is fine. */
void spool_close(struct spool *s);

#endif
