/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - a file as a block device (loop(4); Linux only).
 */
#ifndef WISP_PLATFORM_LINUX_LOOP_H
#define WISP_PLATFORM_LINUX_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

/* Finds a free device, which lets go of the file by itself when it is closed
 * and not mounted any more. The name of the device is put into buf. Returns its
 * descriptor, to be closed when it has been mounted; or -errno. */
int loop_attach(const char *file, bool read_only, bool direct, char *buf,
	size_t n, struct err *e);

#endif
