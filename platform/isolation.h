/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation.h - what a container with a view of its own is made of: the part of
 * the runtime-spec's config-windows.md that the host compute service is told.
 */
#ifndef WISP_PLATFORM_ISOLATION_H
#define WISP_PLATFORM_ISOLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/mount.h"

struct isolation_mount {
	char *source;
	char *target; /* a folder, or a pipe: "\\.\pipe\..." */
	bool read_only;
};

/* Texts are NULL where there is none. */
struct isolation {
	const char *notes; /* as container_config's; borrowed */
	/* the volume that its files are on, and its layers; borrowed */
	const struct mount_rootfs *rootfs;
	char *hostname;
	char *network; /* id of a namespace of the host networking service */
	char *shared;  /* container whose network it shares */
	char **dns_search;
	size_t n_dns_search;
	bool unqualified_dns;
	struct isolation_mount *mounts;
	size_t n_mounts;
	uint64_t storage_iops, storage_bps; /* 0: no limit */
};

#endif
