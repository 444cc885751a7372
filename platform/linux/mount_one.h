/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_one.h - one mount of those that platform/mount.h makes.
 */
#ifndef WISP_PLATFORM_LINUX_MOUNT_ONE_H
#define WISP_PLATFORM_LINUX_MOUNT_ONE_H

#include "platform/mount.h"

/* In the scratch folder: where an overlay's layers are mapped. */
#define MOUNT_LOWER "lower"

/* For mount_all(): templates are filled in, folders are made. */
int mount_one(const struct mount_spec *m, const char *root, const char *scratch,
	struct err *e);

/* A place below a root, as a name for system calls that no link leads
 * elsewhere: proc(5), /proc/PID/fd. */
struct place {
	int fd;
	char name[32];
};

/* Links are followed as if root were "/", which itself is no link. below may be
 * NULL or "" for the root. 0 or -errno; close ret->fd. */
int place_open(const char *root, const char *below, struct place *ret);

#endif
