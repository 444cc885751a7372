/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/address.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "platform/linux/fd.h"

const char *address_path(const char *address)
{
	if (strncmp(address, "unix://", 7) == 0)
		return address + 7;
	if (strncmp(address, "unix:", 5) == 0)
		return address + 5;
	return address;
}

/* ret_dir stays open for as long as sa is in use. */
static int address_fill(struct sockaddr_un *sa, const char *path, int *ret_dir)
{
	char dir[4096];
	const char *name;
	int n;

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (!*path)
		return -EINVAL;
	if (strlen(path) < sizeof(sa->sun_path)) {
		strcpy(sa->sun_path, path);
		return 0;
	}
	name = strrchr(path, '/');
	if (!name || (size_t)(name - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(name - path));
	dir[name - path] = '\0';
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return -errno;
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s",
		*ret_dir, name + 1);
	return n >= (int)sizeof(sa->sun_path) ? -ENAMETOOLONG : 0;
}

int address_bind(int fd, const char *address)
{
	auto_fd int dir = -1;
	struct sockaddr_un sa;
	int r = address_fill(&sa, address_path(address), &dir);

	if (r < 0)
		return r;
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

int address_connect(int fd, const char *address)
{
	auto_fd int dir = -1;
	struct sockaddr_un sa;
	int r = address_fill(&sa, address_path(address), &dir);

	if (r < 0)
		return r;
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}
