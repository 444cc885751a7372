/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lcow_text.h - pieces of lcow_document.h's files.
 */
#ifndef WISP_PLATFORM_WINDOWS_LCOW_TEXT_H
#define WISP_PLATFORM_WINDOWS_LCOW_TEXT_H

#include "platform/err.h"
#include "platform/guest.h"
#include "platform/json_write.h"
#include "platform/windows/win.h"

/* Controllers have names that the guest knows (hcsshim,
 * internal/protocol/guestrequest), and 64 disks each. */
#define LCOW_CONTROLLERS 4
#define LCOW_DISKS 64
extern const char *const lcow_controllers[LCOW_CONTROLLERS];

/* The files that a machine boots from. */
#define LCOW_PATH_MAX 4096
struct lcow_boot {
	char folder[LCOW_PATH_MAX], kernel[LCOW_PATH_MAX], root[LCOW_PATH_MAX];
	const char *kernel_name, *root_name;
	bool vhd; /* root is a disk, the first one; else an initrd */
};

int lcow_find_boot(const struct guest *g, struct lcow_boot *ret, struct err *e);

void lcow_put_version(struct json_out *o);

#endif
