/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOCK_TRIES 20
#define LOCK_PAUSE_US 5000

static bool is_still(const char *path, int fd, struct stat *ret)
{
	struct stat st;

	return fstat(fd, ret) == 0 && stat(path, &st) == 0 &&
	       st.st_ino == ret->st_ino && st.st_dev == ret->st_dev;
}

/* Opened and locked, and not just moved away by another writer. Somebody who
 * was stopped with the lock must not stop us: then it goes without. */
static int open_locked(const char *path, struct stat *ret)
{
	int tries, fd;

	for (tries = 0;; tries++) {
		fd = open(
			path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (tries == LOCK_TRIES || (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
						   is_still(path, fd, ret)))
			return fd;
		close(fd);
		usleep(LOCK_PAUSE_US);
	}
}

int lines_add(const char *path, const char *line, size_t max)
{
	struct iovec v[] = {{(char *)line, strlen(line)}, {(char *)"\n", 1}};
	char old[PATH_MAX];
	struct stat st = {0};
	int fd = open_locked(path, &st);
	int r = 0;

	if (fd < 0)
		return fd;
	if (writev(fd, v, 2) < 0)
		r = -errno;
	else if (st.st_size > (off_t)max &&
		 snprintf(old, sizeof(old), "%s.1", path) < (int)sizeof(old))
		r = rename(path, old) < 0 ? -errno : 0;
	close(fd);
	return r;
}

FILE *lines_open(const char *path)
{
	return fopen(path, "re");
}

ssize_t lines_get(char **line, size_t *room, FILE *f)
{
	return getline(line, room, f);
}

bool lines_are_same(FILE *a, FILE *b)
{
	struct stat sa, sb;

	return fstat(fileno(a), &sa) == 0 && fstat(fileno(b), &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

struct lines_watch {
	int fd;
};

int lines_watch_new(const char *folder, struct lines_watch **ret)
{
	struct lines_watch *w = malloc(sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fd = inotify_init1(IN_CLOEXEC);
	if (w->fd < 0 || inotify_add_watch(w->fd, folder,
				 IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		r = -errno;
		lines_watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

int lines_watch_wait(struct lines_watch *w)
{
	char buf[4096];
	ssize_t n;

	do {
		n = read(w->fd, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -EIO : 0;
}

void lines_watch_free(struct lines_watch *w)
{
	if (w && w->fd >= 0)
		close(w->fd);
	free(w);
}
