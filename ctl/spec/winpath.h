/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winpath.h - what paths and names look like on Windows, on any system.
 */
#ifndef WISP_CTL_WINPATH_H
#define WISP_CTL_WINPATH_H

#include <stdbool.h>

/* A command line of CreateProcessW, in UTF-16 units, without its NUL. */
#define WINPATH_LINE_MAX 32766

/* "C:\a", "C:/a", "\\server\share", "\\?\Volume{...}\", and, as host process
 * containers have them, "%CONTAINER_SANDBOX_MOUNT_POINT%\a". */
bool winpath_is_absolute(const char *path);

/* "\\?\Volume{GUID}\", the last backslash may be missing. */
bool winpath_is_volume(const char *path);

/* "\\.\pipe\name" */
bool winpath_is_pipe(const char *path);

/* 8-4-4-4-12 hexadecimal digits, in braces or not. */
bool winpath_is_guid(const char *text);

#endif
