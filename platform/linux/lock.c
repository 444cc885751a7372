/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "platform/linux/fd.h"

struct file_lock {
	int fd;
};

int file_make_new_folder(char *path)
{
	return mkdtemp(path) ? 0 : -errno;
}

int file_lock_folder(const char *path, struct file_lock **ret)
{
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct file_lock *l;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	l = malloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->fd = fd_take(&fd);
	*ret = l;
	return 0;
}

void file_unlock(struct file_lock *l)
{
	if (l)
		close(l->fd);
	free(l);
}
