/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.h - the mounts a snapshotter asks for below a bundle's rootfs.
 */
#ifndef WISP_PLATFORM_MOUNT_H
#define WISP_PLATFORM_MOUNT_H

#include <stddef.h>

#include "platform/err.h"

struct mount_spec {
	const char *type;
	const char *source;
	const char *const *options; /* as in fstab(5), n_options of them */
	size_t n_options;
};

/* Mounts one thing over the folder target: flags among the options are
 * applied, the rest is the file system's data. */
int mount_one(const struct mount_spec *m, const char *target, struct err *e);

/* Undoes every mount on target and below it, topmost first, idempotent; a busy
 * one is detached (umount2(2), MNT_DETACH). 0 if nothing is mounted there any
 * more. */
int mount_undo(const char *target, struct err *e);

#endif
