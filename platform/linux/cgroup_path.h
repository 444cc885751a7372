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

#endif
