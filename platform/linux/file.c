/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/fd.h"

static int read_end(const char *path, size_t max, bool cut, char **ret,
	size_t *ret_n, struct err *e)
{
	auto_fd int fd = -1;
	struct stat st;
	ssize_t got;
	size_t n;
	char *buf;

	/* O_NONBLOCK: somebody may have put a FIFO there */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, -errno, "read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is no regular file", path);
	if (st.st_size > (off_t)max && !cut)
		return err_set(e, -EFBIG, "'%s' is over the limit of %zu bytes",
			path, max);
	n = st.st_size > (off_t)max ? max : (size_t)st.st_size;
	if (lseek(fd, st.st_size - (off_t)n, SEEK_SET) < 0)
		return err_sys(e, -errno, "read '%s'", path);
	buf = malloc(n + 1);
	if (!buf)
		return err_sys(e, -ENOMEM, "read '%s'", path);
	got = fd_read_all(fd, buf, n);
	if (got < 0) {
		free(buf);
		return err_sys(e, (int)got, "read '%s'", path);
	}
	buf[got] = '\0';
	*ret = buf;
	*ret_n = (size_t)got;
	return 0;
}

int file_read(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	return read_end(path, max, false, ret, ret_n, e);
}

int file_read_tail(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	return read_end(path, max, true, ret, ret_n, e);
}

int file_read_into(const char *path, char *buf, size_t n)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;
	char more;

	if (fd < 0)
		return -errno;
	got = fd_read_all(fd, buf, n - 1);
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

int file_check(const char *path)
{
	return access(path, F_OK) < 0 ? -errno : 0;
}

int file_remove(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int file_rename(const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : 0;
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

int file_real_folder(const char *path, char *ret)
{
	char real[PATH_MAX];
	struct stat st;

	_Static_assert(FILE_PATH_MAX >= PATH_MAX, "realpath(3) writes as much");
	if (!realpath(path, real) || stat(real, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	memcpy(ret, real, sizeof(real));
	return 0;
}

int file_make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_passage(const char *path)
{
	return mkdir(path, 0711) < 0 && errno != EEXIST ? -errno : 0;
}

int file_remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0); /* rmdir() tells */
	closedir(dir);
	return rmdir(path) < 0 ? -errno : 0;
}

int file_link(const char *to, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		unlink(path);
	return symlink(to, path) < 0 ? -errno : 0;
}

bool file_is_absolute(const char *path)
{
	return path[0] == '/';
}

const char *file_of_uri(const char *path)
{
	return path;
}

int file_working_folder(char *buf, size_t n)
{
	return getcwd(buf, n) ? 0 : -errno;
}

int file_enter_folder(const char *path)
{
	return chdir(path) < 0 ? -errno : 0;
}

bool file_goes_up(const char *path)
{
	const char *p;

	for (p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && strncmp(p, "..", 2) == 0)
			return true;
		p += n;
	}
	return false;
}
