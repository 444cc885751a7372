/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - the small files of a bundle, read and written whole.
 */
#ifndef WISP_PLATFORM_FILE_H
#define WISP_PLATFORM_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Reads a regular file of up to max bytes into fresh memory, with a NUL after
 * the end that *ret_n does not count. -EFBIG if there is more. */
int file_read(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e);

/* Its first line, into the caller's buffer of n bytes, NUL included. -EFBIG if
 * that has no room. */
int file_read_into(const char *path, char *buf, size_t n);

/* Replaces a file so that a reader sees the old or the new content, never a
 * part (rename(2)). Allocates nothing. */
int file_write(const char *path, const void *data, size_t n);

/* A signed decimal number in a file, as OCI runtimes write a pid. */
int file_read_pid(const char *path, int64_t *ret);

#endif
