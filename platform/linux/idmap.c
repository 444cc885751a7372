/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/idmap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "platform/linux/fd.h"

/* user_namespaces(7): a map is written at once, and is less than a page */
#define MAP_MAX 4096

/* Digits only, to the end character; NULL if it is no 32-bit number. */
static const char *number(const char *p, char end, uint32_t *ret)
{
	uint64_t n = 0;
	const char *from = p;

	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (unsigned)(*p - '0');
		if (n > UINT32_MAX)
			return NULL;
	}
	*ret = (uint32_t)n;
	return p > from && *p == end ? p + (end != '\0') : NULL;
}

/* "0:100000:65536,65536:..." becomes lines of three numbers. */
static int map_lines(
	const char *name, const char *map, char *buf, struct err *e)
{
	const char *p = map;
	size_t n = 0, len;
	char range[40];

	do {
		uint32_t inside, outside, size;

		len = strcspn(p, ",");
		if (len >= sizeof(range))
			goto bad;
		memcpy(range, p, len);
		range[len] = '\0';
		p += len + (p[len] == ',');
		const char *q = number(range, ':', &inside);

		q = q ? number(q, ':', &outside) : NULL;
		if (!q || !number(q, '\0', &size) || size == 0 ||
			inside > UINT32_MAX - size ||
			outside > UINT32_MAX - size)
			goto bad;
		n += (size_t)snprintf(buf + n, MAP_MAX - n,
			"%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", inside,
			outside, size);
		if (n >= MAP_MAX)
			return err_set(e, -EINVAL,
				"mount option %s: more ranges than fit into a "
				"page",
				name);
	} while (*p);
	if (map[strlen(map) - 1] == ',')
		goto bad;
	return (int)n;
bad:
	return err_set(e, -EINVAL,
		"mount option '%s=%s': a map is made of inside:outside:size",
		name, map);
}

static int write_map(
	pid_t pid, const char *name, const char *lines, int n, struct err *e)
{
	char path[64];
	auto_fd int fd = -1;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, lines, (size_t)n);
	return r < 0 ? err_sys(e, r,
			       "a user namespace for an id-mapped mount, %s",
			       name)
		     : 0;
}

/* No SIGCHLD tells of it and no wait for children finds it: clone(2), __WALL.
 * It is not there for longer than this file takes. */
static pid_t holder_start(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER, 0, 0, 0, 0);

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		syscall(SYS_pause);
}

static void holder_end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static int holder_open(pid_t pid, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, -errno, "'%s'", path) : fd;
}

int idmap_open(const char *uids, const char *gids, struct err *e)
{
	char uid_lines[MAP_MAX], gid_lines[MAP_MAX];
	int nu = map_lines("uidmap", uids, uid_lines, e), ng, r;
	pid_t pid;

	if (nu < 0)
		return nu;
	ng = map_lines("gidmap", gids, gid_lines, e);
	if (ng < 0)
		return ng;
	pid = holder_start();
	if (pid < 0)
		return err_sys(e, -errno,
			"make a user namespace for an id-mapped mount");
	r = write_map(pid, "uid_map", uid_lines, nu, e);
	if (r == 0)
		r = write_map(pid, "gid_map", gid_lines, ng, e);
	if (r == 0)
		r = holder_open(pid, e);
	holder_end(pid);
	return r;
}

int idmap_clone(const char *path, int userns, bool read_only, struct err *e)
{
	struct mount_attr attr = {
		.attr_set =
			MOUNT_ATTR_IDMAP | (read_only ? MOUNT_ATTR_RDONLY : 0),
		.propagation = MS_PRIVATE,
		.userns_fd = (unsigned)userns,
	};
	auto_fd int tree = -1;
	int r;

	tree = open_tree(AT_FDCWD, path,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return err_sys(e, -errno, "copy the mount at '%s'", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) == 0)
		return fd_take(&tree);
	r = -errno;
	if (r == -ENOSYS)
		return err_set(e, r,
			"this kernel has no id-mapped mounts: Linux 5.12 has");
	if (r == -EINVAL)
		return err_set(e, r,
			"'%s' cannot be id-mapped: its file system takes no "
			"map on this kernel",
			path);
	return err_sys(e, r, "id-map '%s'", path);
}

int idmap_attach(int tree, const char *target)
{
	return move_mount(tree, "", AT_FDCWD, target,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0
		       ? -errno
		       : 0;
}
