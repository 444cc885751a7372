/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_stats.h - the statistics of a group, by where its files are (Linux
 * only; and what a test can point at a folder of its own).
 *
 * File formats: the kernel's Documentation/admin-guide/cgroup-v1/ and
 * cgroup-v2.rst, Documentation/accounting/psi.rst. What counts as the value of
 * a field is what containerd's cgroups library makes of it.
 */
#ifndef WISP_PLATFORM_LINUX_CGROUP_STATS_H
#define WISP_PLATFORM_LINUX_CGROUP_STATS_H

#include "platform/cgroup_stats.h"
#include "platform/linux/cgroup_path.h"

/* block_dir is /sys/dev/block: links from MAJOR:MINOR to the devices. */
void cgroup_stats_v1(const struct cgroup_dirs *dirs, const char *block_dir,
	struct stat_sink *sink);

void cgroup_stats_v2(const char *path, struct stat_sink *sink);

#endif
