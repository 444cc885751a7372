/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmap.h - id-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP; Linux 5.12).
 *
 * A mount shows its file system's owners as others by way of a user namespace
 * whose map it takes. There is no other way to say a map to the kernel, so a
 * child makes the namespace and is killed; the descriptor keeps it.
 */
#ifndef WISP_PLATFORM_LINUX_IDMAP_H
#define WISP_PLATFORM_LINUX_IDMAP_H

#include <stdbool.h>

#include "platform/err.h"

/* The maps are as snapshotters write them, containerd's docs/snapshotters and
 * core/mount: "inside:outside:size", several with commas between them. Returns
 * a descriptor of a user namespace with these maps; -EINVAL names the map that
 * is none, -EPERM where the kernel refuses it to this user. */
int idmap_open(const char *uids, const char *gids, struct err *e);

/* A copy of the mount at path and of those below it, mapped, which is attached
 * nowhere yet: a descriptor for idmap_attach(). -EINVAL: one of the file
 * systems takes no map; -ENOSYS, -EPERM. */
int idmap_clone(const char *path, int userns, bool read_only, struct err *e);

/* Attaches it over the folder; 0 or -errno. */
int idmap_attach(int tree, const char *target);

#endif
