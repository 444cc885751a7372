/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/linux/fd.h"

/* What a write to a pipe takes whole or not at all: pipe(7), PIPE_BUF. */
#define GET_MAX 4096

struct spool {
	int fd;
	uint64_t max;
	uint64_t in, out; /* bytes ever; a byte's place is its number % max */
};

/* O_TMPFILE is not to be had everywhere: open(2) */
static int open_nameless(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd < 0 ? -errno : fd;
	if (snprintf(path, sizeof(path), "%s/spool-XXXXXX", dir) >=
		(int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int spool_open(const char *dir, uint64_t max, struct spool **ret)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->max = max;
	s->fd = open_nameless(dir);
	if (s->fd < 0) {
		int r = s->fd;

		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* As many of n bytes as lie in one piece from a place on. */
static size_t in_one_piece(const struct spool *s, uint64_t at, uint64_t n)
{
	uint64_t piece = s->max - at % s->max;

	return (size_t)(n < piece ? n : piece);
}

ssize_t spool_put(struct spool *s, const void *data, size_t n)
{
	uint64_t room = s->max - spool_used(s);
	ssize_t w;

	if (room == 0)
		return -ENOBUFS;
	n = in_one_piece(s, s->in, n < room ? n : room);
	do {
		w = pwrite(s->fd, data, n, (off_t)(s->in % s->max));
	} while (w < 0 && errno == EINTR);
	if (w < 0)
		return -errno;
	s->in += (uint64_t)w;
	return w > 0 ? w : -EIO;
}

/* By copy: splice(2) would hand out the file's own pages, which the ring
 * writes to again before a reader has them. */
ssize_t spool_get(struct spool *s, struct stream *to)
{
	size_t n = in_one_piece(s, s->out, spool_used(s));
	char buf[GET_MAX];
	ssize_t r;

	if (n == 0)
		return -ENODATA;
	if (n > sizeof(buf))
		n = sizeof(buf);
	do {
		r = pread(s->fd, buf, n, (off_t)(s->out % s->max));
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return -EBADMSG;
	r = stream_write(to, buf, (size_t)r);
	if (r > 0)
		s->out += (uint64_t)r;
	return r;
}

uint64_t spool_skip(struct spool *s)
{
	size_t n = in_one_piece(s, s->out, spool_used(s));

	if (n > GET_MAX)
		n = GET_MAX;
	s->out += n;
	return n;
}

uint64_t spool_used(const struct spool *s)
{
	return s ? s->in - s->out : 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	fd_close(&s->fd);
	free(s);
}
