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

/* data is a list of options as mount(2) takes it, but of any length; flags are
 * mount(2)'s. -E2BIG: no way to shorten it. */
int overlay_mount_long(const char *source, const char *target,
	unsigned long flags, const char *data);

#endif
