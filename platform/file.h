/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - the small files of a bundle, read and written whole, and folders.
 */
#ifndef WISP_PLATFORM_FILE_H
#define WISP_PLATFORM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Reads a regular file of up to max bytes into fresh memory, with a NUL after
 * the end that *ret_n does not count. -EFBIG if there is more. */
int file_read(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e);

/* As file_read(), but of a file that has more than max bytes only the last max
 * are read. */
int file_read_tail(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e);

/* Its first line, into the caller's buffer of n bytes, NUL included. -EFBIG if
 * that has no room. */
int file_read_into(const char *path, char *buf, size_t n);

/* Replaces a file so that a reader sees the old or the new content, never a
 * part (rename(2)). Allocates nothing. */
int file_write(const char *path, const void *data, size_t n);

/* 0 if there is something at path, else -ENOENT, -EACCES, ... */
int file_check(const char *path);

/* Removes a file; one that is not there is fine. */
int file_remove(const char *path);

/* In the place of what is there: rename(2). */
int file_rename(const char *from, const char *to);

/* A signed decimal number in a file, as OCI runtimes write a pid. */
int file_read_pid(const char *path, int64_t *ret);

#define FILE_PATH_MAX 4096

/* The folder that path leads to in the end, without links, "." or ".."
 * (realpath(3)); ret has FILE_PATH_MAX bytes and may be path itself. -ENOTDIR
 * if it is no folder. */
int file_real_folder(const char *path, char *ret);

/* Whether it leads to the same place whatever the working directory is.
 * Windows: C:\... and \\...; '/' is as good as '\'. */
bool file_is_absolute(const char *path);

/* What the path of a URI names: on Windows "/C:/x" is "C:/x". Borrowed. */
const char *file_of_uri(const char *path);

/* The working directory, and to make another one it. */
int file_working_folder(char *buf, size_t n);
int file_enter_folder(const char *path);

/* Whether a part of the path is "..": it may lead out of where it begins. */
bool file_goes_up(const char *path);

/* Makes a folder for root alone; one that is there already is fine. */
int file_make_folder(const char *path);

/* One that others may pass through, but not look into (0711). */
int file_make_passage(const char *path);

/* A symbolic link at path to what is named, in the place of a link that may be
 * there; what else is there stays: -EEXIST. */
int file_link(const char *to, const char *path);

/* Removes a folder with the files in it; one that has folders stays, and so do
 * these: -ENOTEMPTY. One that is not there is fine. */
int file_remove_folder(const char *path);

#endif
