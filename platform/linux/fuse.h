/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse.h - mounts that a program makes: types fuse.X and fuse3.X (Linux only).
 *
 * As containerd's core/mount has it: `mount.fuse3 SOURCE TARGET -o OPTION ...
 * -t X` (mount.fuse for fuse.X) starts X, which stays to serve the mount and
 * ends when it is unmounted; it comes to the shim as the subreaper.
 */
#ifndef WISP_PLATFORM_LINUX_FUSE_H
#define WISP_PLATFORM_LINUX_FUSE_H

#include <stdbool.h>

#include "platform/mount.h"

/* How long the program may take until the mount is there. It is waited for:
 * nothing can be done with the container before. */
#define FUSE_MS 10000

bool fuse_is_type(const char *type);

/* target is a folder's true path. -EREMOTEIO: with the program's own words;
 * -ETIMEDOUT, and it was killed; -ENOENT: there is no mount.fuse3. */
int fuse_mount(const struct mount_spec *m, const char *target, struct err *e);

#endif
