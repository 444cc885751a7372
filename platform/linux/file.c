/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/fd.h"

static ssize_t read_full(int fd, char *buf, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, buf + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int file_read(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	auto_fd int fd = -1;
	struct stat st;
	ssize_t got;
	char *buf;

	/* O_NONBLOCK: somebody may have put a FIFO there */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, -errno, "read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is no regular file", path);
	if (st.st_size > (off_t)max)
		return err_set(e, -EFBIG, "'%s' is over the limit of %zu bytes",
			path, max);
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return err_sys(e, -ENOMEM, "read '%s'", path);
	got = read_full(fd, buf, (size_t)st.st_size);
	if (got < 0) {
		free(buf);
		return err_sys(e, (int)got, "read '%s'", path);
	}
	buf[got] = '\0';
	*ret = buf;
	*ret_n = (size_t)got;
	return 0;
}

int file_read_into(const char *path, char *buf, size_t n)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;
	char more;

	if (fd < 0)
		return -errno;
	got = read_full(fd, buf, n - 1);
	if (got < 0)
		return (int)got;
	buf[got] = '\0';
	if ((size_t)got == n - 1 && !strchr(buf, '\n') &&
		read(fd, &more, 1) > 0)
		return -EFBIG;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int file_write(const char *path, const void *data, size_t n)
{
	auto_fd int fd = -1;
	char tmp[PATH_MAX];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	unlink(tmp); /* left by one who died; or a FIFO, a link, ... */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, n);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	return r;
}

int file_read_pid(const char *path, int64_t *ret)
{
	char buf[32], *end;
	long long pid;
	int r = file_read_into(path, buf, sizeof(buf));

	if (r < 0)
		return r == -EFBIG ? -EINVAL : r;
	errno = 0;
	pid = strtoll(buf, &end, 10);
	if (errno || end == buf || *end || pid <= 0 || pid > INT_MAX)
		return -EINVAL;
	*ret = pid;
	return 0;
}
