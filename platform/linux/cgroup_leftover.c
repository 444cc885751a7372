/* SPDX-License-Identifier: Apache-2.0 */
/* A group that is left with nothing in it: crun up to 1.28 forgets the one it
 * has made if its create or restore then fails. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/cgroup.h"
#include "platform/file.h"
#include "platform/linux/cgroup_path.h"

#define USUAL_PLACE "/sys/fs/cgroup"

/* Where the unified hierarchy is mounted, if there is no other. */
static int find_unified(char *point, size_t n)
{
	char root[CGROUP_PATH_MAX];

	/* nearly every host is one of these two, however many mounts it has */
	if (access(USUAL_PLACE "/memory/cgroup.procs", F_OK) == 0)
		return -ENOENT;
	if (access(USUAL_PLACE "/cgroup.procs", F_OK) == 0)
		return snprintf(point, n, USUAL_PLACE) < (int)n ? 0
								: -ENAMETOOLONG;
	if (cgroup_mount_point("memory", point, root, n) == 0)
		return -ENOENT;
	return cgroup_mount_point("", point, root, n);
}

int cgroup_to_be(const char *path, char *ret, size_t n)
{
	char point[CGROUP_PATH_MAX];
	int r;

	if (path[0] != '/' || !path[1] || file_goes_up(path) ||
		strchr(path, '\n')) /* it has to go into a line */
		return -ENOENT;
	r = find_unified(point, sizeof(point));
	if (r < 0)
		return r;
	if (snprintf(ret, n, "%s%s", point, path) >= (int)n)
		return -ENAMETOOLONG;
	return access(ret, F_OK) == 0 ? -EEXIST : 0;
}

void cgroup_remove_empty(const char *folder)
{
	rmdir(folder);
}
