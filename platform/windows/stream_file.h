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

/* Opens it, with a handle that children may have; INVALID_HANDLE_VALUE. */
HANDLE stream_file_append(const wchar_t *path, bool inherit);

ssize_t stream_file_write(HANDLE h, const void *buf, size_t n);

#endif
