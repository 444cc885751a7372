/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_stats.h - what a group has used, told value by value.
 *
 * The values are a tree: a part begins, has values and parts, and ends. Parts
 * and values are told by number: those of the fields of the messages
 * io.containerd.cgroups.v1.Metrics and v2.Metrics (proto/cgroups_v1.proto and
 * cgroups_v2.proto, which say what each one means). So one table leads from a
 * line of the kernel's to its place in the answer, and nothing is kept in
 * between. What the kernel does not offer is not told.
 */
#ifndef WISP_PLATFORM_CGROUP_STATS_H
#define WISP_PLATFORM_CGROUP_STATS_H

#include <stdint.h>

struct cgroup;

/* Who is told. Embedded in the listener's own struct. Text is borrowed. */
struct stat_sink {
	void (*begin)(struct stat_sink *s, unsigned field);
	void (*end)(struct stat_sink *s);
	void (*number)(struct stat_sink *s, unsigned field, uint64_t v);
	void (*real)(struct stat_sink *s, unsigned field, double v);
	void (*text)(struct stat_sink *s, unsigned field, const char *text);
	/* one of a list of bare numbers, which is a part of its own */
	void (*item)(struct stat_sink *s, uint64_t v);
};

/* CGROUP_JOB: Windows, whose numbers are those of
 * containerd.runhcs.stats.v1.Statistics. */
enum cgroup_version { CGROUP_V1 = 1, CGROUP_V2 = 2, CGROUP_JOB = 3 };

/*
 * Reads the files of the group now, in small pieces, allocating nothing. The
 * version says whose numbers were told: v1 if any controller of the group has
 * a v1 hierarchy. A group that is gone has little to tell, but that is no
 * error. At most 128 KiB of each file are looked at.
 */
enum cgroup_version cgroup_stats(
	const struct cgroup *cg, struct stat_sink *sink);

#endif
