/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h - what a container uses, read from its cgroup, v1 or v2 alike.
 */
#ifndef WISP_CTL_USAGE_H
#define WISP_CTL_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/cgroup.h"
#include "platform/cgroup_stats.h"

#define USAGE_NO_LIMIT UINT64_MAX

struct usage {
	/* whether the kernel tells; a group need not have every controller */
	bool has_cpu, has_memory, has_io, has_pids;
	uint64_t cpu_ns;
	uint64_t memory;      /* bytes */
	uint64_t working_set; /* the same without what could go at once: files
			       * that are cached and not in use */
	uint64_t memory_limit;
	uint64_t read, written; /* bytes, of block devices */
	uint64_t pids, pids_limit;
};

void usage_read(const struct cgroup *cg, struct usage *ret);

/* A reader by itself, for what tells values one by one: begin, let them be
 * told to the sink, then take the sum. */
struct usage_reader {
	struct stat_sink sink;
	unsigned path[4], depth;
	int way;           /* of the bytes that come next: 'R', 'W' or 0 */
	struct usage v[2]; /* as if it were v1, v2 */
	uint64_t inactive[2];
};
void usage_begin(struct usage_reader *r);
void usage_take(const struct usage_reader *r, enum cgroup_version version,
	struct usage *ret);

#endif
