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
	const char *target; /* below the root, which links in it do not lead
			     * out of; NULL or "": the root itself */
	const char *const *options; /* as in fstab(5), n_options of them */
	size_t n_options;
};

/*
 * Mounts one thing over the folder root, or m->target below it, which has to be
 * there (an earlier mount has it). Of the options,
 *
 *   flags are applied; "loop" makes a device of the file source (loop(4)) that
 *   vanishes with the mount, with "direct-io" past the page cache; what begins
 *   with "x-" or "X-" is a comment, as it is to mount(8); the rest is the file
 *   system's data. An overlay may have more than a page of it.
 *
 * -EINVAL: no such target; by name, types like format/x and mkdir/x, and
 * X-containerd.* options: a daemon's mount manager is to act upon them before
 * they come here. -ENOSYS: idmapped mounts. -E2BIG: more than a page after all.
 */
int mount_one(const struct mount_spec *m, const char *root, struct err *e);

/* Undoes every mount on target and below it, topmost first, idempotent; a busy
 * one is detached (umount2(2), MNT_DETACH). 0 if nothing is mounted there any
 * more. */
int mount_undo(const char *target, struct err *e);

#endif
