/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_path.h - where in the file system a process's cgroup is (Linux only).
 *
 * /proc/PID/cgroup names the path within a hierarchy, /proc/self/mountinfo
 * where that hierarchy, or a part of it, is mounted: cgroups(7), proc(5).
 */
#ifndef WISP_PLATFORM_LINUX_CGROUP_PATH_H
#define WISP_PLATFORM_LINUX_CGROUP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_PATH_MAX 4096

/* The folder of pid's group (0: our own) in a v1 controller's hierarchy, or in
 * the unified one if controller is "". 0, -ENOENT or another -errno. */
int cgroup_path(int64_t pid, const char *controller, char *buf, size_t n);

/* Whether /proc/PID/cgroup has text anywhere. */
bool cgroup_path_mentions(int64_t pid, const char *text);

/* Where a hierarchy's own root, or the part that we see, is mounted. */
int cgroup_mount_point(
	const char *controller, char *point, char *root, size_t n);

/* The v1 controllers whose files say what a group has used. */
enum cgroup_dir {
	CGROUP_DIR_CPU,
	CGROUP_DIR_CPUACCT,
	CGROUP_DIR_MEMORY,
	CGROUP_DIR_PIDS,
	CGROUP_DIR_BLKIO,
	CGROUP_DIR_HUGETLB,
	CGROUP_DIR_RDMA,
	CGROUP_V1_DIRS
};

/* Folders of one group in the v1 hierarchies; NULL where it has none, or none
 * that is not ours too. */
struct cgroup_dirs {
	char *v1[CGROUP_V1_DIRS];
};

/* Finds all of them in one go, or as many as there is memory for. */
void cgroup_dirs_find(int64_t pid, struct cgroup_dirs *ret);
void cgroup_dirs_clear(struct cgroup_dirs *dirs);

#endif
