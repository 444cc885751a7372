/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation_spec.h - what a config.json says of a container with a view of its
 * own (runtime-spec, config-windows.md).
 */
#ifndef WISP_SHIM_NATIVE_ISOLATION_SPEC_H
#define WISP_SHIM_NATIVE_ISOLATION_SPEC_H

#include "platform/err.h"
#include "platform/isolation.h"

/* rootfs is borrowed, and must stay. -ENOSYS: something is asked for that is
 * not there, by name (a virtual machine, credentials, devices); -EINVAL.
 * Needs isolation_clear() only on success. */
int isolation_read(const char *bundle, const struct mount_rootfs *rootfs,
	struct isolation *ret, struct err *e);
void isolation_clear(struct isolation *iso);

#endif
