/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_file.h - files that are appended to.
 */
#ifndef WISP_PLATFORM_WINDOWS_STREAM_FILE_H
#define WISP_PLATFORM_WINDOWS_STREAM_FILE_H

#include <sys/types.h>

#include "platform/windows/win.h"

/* Made if need be, with its parents. 0 or -errno. */
int stream_file_open(const char *path, HANDLE *ret);

ssize_t stream_file_write(HANDLE h, const void *buf, size_t n);

#endif
