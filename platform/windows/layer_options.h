/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_options.h - the mount of type windows-layer that a daemon's snapshotter
 * sends (containerd's core/mount/mount_windows.go): the source is the scratch's
 * folder, the options are "rw" or "ro", and "parentLayerPaths=" with a JSON
 * list of the read-only layers' folders, topmost first.
 */
#ifndef WISP_PLATFORM_WINDOWS_LAYER_OPTIONS_H
#define WISP_PLATFORM_WINDOWS_LAYER_OPTIONS_H

#include "platform/mount.h"
#include "platform/windows/layer.h"

/* ret needs layer_stack_clear() only on success. -EINVAL: an option that is
 * none of these, that comes twice or is missing, or layer_stack_check(). "rw"
 * and "ro" change nothing: a container's own layer is always written to. */
int layer_options_parse(
	const struct mount_spec *m, struct layer_stack *ret, struct err *e);

#endif
