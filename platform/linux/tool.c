/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int tool_begin(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return 0;
}

int tool_lock(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

void tool_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

int tool_list(const char *folder, void (*each)(const char *name, void *arg),
	void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *de;

	if (!d)
		return -errno;
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 &&
			strcmp(de->d_name, "..") != 0)
			each(de->d_name, arg);
	closedir(d);
	return 0;
}
