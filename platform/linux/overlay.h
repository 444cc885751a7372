/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlay.h - overlays with more layers than a page of options can name (Linux
 * only).
 *
 * mount(2) takes a page. So the layers are named from the folder that they
 * have in common, which is this process's working directory for a moment; it
 * has one thread. If that is still too much, each layer is added by itself,
 * with fsconfig(2) and "lowerdir+": Linux 6.5. fsconfig takes 255 bytes a
 * value, so it needs the short names, too.
 */
#ifndef WISP_PLATFORM_LINUX_OVERLAY_H
#define WISP_PLATFORM_LINUX_OVERLAY_H

#include "platform/err.h"

/* data is a list of options as mount(2) takes it, but of any length; flags are
 * mount(2)'s. -E2BIG: no way to shorten it. */
int overlay_mount_long(const char *source, const char *target,
	unsigned long flags, const char *data);

/*
 * An overlay takes no id map, but its lower layers may lie on a mount that has
 * one, as containerd's core/mount does it. This puts a read-only mapped copy of
 * the folder that all layers have in common on the folder at, which is to be
 * unmounted when the overlay is there, and gives the options with the layers
 * named from there: *ret is fresh memory. -EINVAL: not with these layers.
 */
int overlay_map_lower(const char *data, const char *at, int userns, char **ret,
	struct err *e);

#endif
