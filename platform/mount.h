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
 * Mounts one thing after the other over the folder root, or m->target below it,
 * which has to be there (an earlier mount has it). If one fails, those before
 * it are there, for mount_undo_all(). Of the options,
 *
 *   flags are applied; "loop" makes a device of the file source (loop(4)) that
 *   vanishes with the mount, of an erofs' device=FILE, too; with "direct-io"
 *   past the page cache;
 *   uidmap=0:100000:65536 and gidmap=, which come together, show other owners
 *   (mount_setattr(2)): the lower layers', if it is an overlay;
 *   what begins with "x-" or "X-" is a comment, as it is to mount(8); the rest
 *   is the file system's data. An overlay may have more than a page of it.
 *
 * A type fuse.X or fuse3.X is made by the program X, which mount.fuse or
 * mount.fuse3 runs; all options are its own.
 *
 * Before a type, containerd's docs/mounts.md has, in any order,
 *
 *   format/  source, target and options may have {{ source N }}, {{ target N
 *            }}, {{ mount N }} (where the Nth is mounted) and {{ overlay FROM
 * TO
 *            }} in them, of the mounts before;
 *   mkdir/   options X-containerd.mkdir.path=/PATH[:MODE[:UID:GID]]: makes the
 *            folder, 0700 unless told, in one that is there. One that exists is
 *            left as it is.
 *
 * All mounts before the last with such a type are not made on root but in
 * folders of scratch, which is made if it is needed. (From 2.2 on a daemon does
 * all that before it calls a shim; one before 2.2 passes on what a newer
 * snapshotter sends.)
 *
 * -EINVAL: no such target, a bad template or map, and, by name, other types
 * with a '/' and X-containerd.* options: these are for a daemon's mount
 * manager. -ENOSYS: the kernel has no id-mapped mounts. -E2BIG: more than a
 * page after all.
 */
int mount_all(const struct mount_spec *m, size_t n, const char *root,
	const char *scratch, struct err *e);

/* Undoes that, in reverse, and removes scratch; idempotent. */
int mount_undo_all(const char *root, const char *scratch, struct err *e);

/*
 * What mount_all() has made, for those who make a container of it. On Linux
 * that is root itself. On Windows, where a daemon sends one mount of type
 * windows-layer (its source is the folder of the layer that is written to, its
 * options are rw or ro, and parentLayerPaths= with a JSON list of the read-only
 * ones, topmost first), it is a volume, "\\?\Volume{GUID}\", and the layers
 * that are seen in it.
 */
struct mount_rootfs {
	char *path;
	struct mount_layer {
		char *id, *path; /* the id is a GUID */
	} * layers;              /* read-only, topmost first */
	size_t n_layers;
};

/* -ENOENT: nothing is mounted. ret needs mount_rootfs_clear() on success. */
int mount_find_rootfs(const char *root, const char *scratch,
	struct mount_rootfs *ret, struct err *e);
void mount_rootfs_clear(struct mount_rootfs *m);

/* Of a mount of type lcow-layer, whose options are those of a windows-layer:
 * folders with disks for a virtual machine, which are only noted. path is the
 * folder of the one that is written to; layers have no id. -ENOENT: none. */
int mount_find_disks(
	const char *scratch, struct mount_rootfs *ret, struct err *e);

/* The same of layers that a daemon has mounted itself, as Docker does: path is
 * the volume; folders, of which there are n, are the read-only layers, topmost
 * first. -ENOSYS on Linux. */
int mount_describe_rootfs(const char *path, const char *const *folders,
	size_t n, struct mount_rootfs *ret, struct err *e);

/* Undoes every mount on target and below it, topmost first, idempotent; a busy
 * one is detached (umount2(2), MNT_DETACH). 0 if nothing is mounted there any
 * more. */
int mount_undo(const char *target, struct err *e);

#endif
