/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.h - a small tree to run in, made from Debian's busybox-static.
 *
 * Every container gets a tree of its own (2 MB), so that none can spoil the
 * next one's.
 */
#ifndef WISP_CTL_ROOTFS_H
#define WISP_CTL_ROOTFS_H

#include <stddef.h>

#include "client/client.h"

/* Makes a tree in the folder dir, which is made too. The names of busybox's
 * commands are had by running it. -ENOENT with advice if there is no static
 * busybox. */
int ctl_rootfs_make(struct client *c, const char *dir, struct err *e);

/*
 * Where a tree can be: bundle/rootfs, unless programs must not be run from
 * that file system (Debian mounts /run with noexec); then a folder called
 * wisp-ID below /var/lib, /var/tmp or /tmp, whatever can be used.
 */
int ctl_rootfs_choose(const char *bundle, const char *id, char *ret,
	size_t ret_n, struct err *e);

#endif
