/* SPDX-License-Identifier: Apache-2.0 */
/*
 * win.h - handles with an owner, errors as errno, text as UTF-16. Only
 * platform/windows/ and its tests include this.
 *
 *     auto_handle HANDLE h = CreateFileW(...);
 *     ...
 *     s->h = handle_take(&h);
 */
#ifndef WISP_PLATFORM_WINDOWS_WIN_H
#define WISP_PLATFORM_WINDOWS_WIN_H

#include <winsock2.h>
/* before windows.h, which includes the old one */
#include <windows.h>

#include <stdbool.h>
#include <stddef.h>

/* Keeps the last error, so it may run on the way out. Both NULL and
 * INVALID_HANDLE_VALUE are none. */
void handle_close(HANDLE *h);

#define auto_handle __attribute__((cleanup(handle_close)))

static inline HANDLE handle_take(HANDLE *h)
{
	HANDLE got = *h;

	*h = NULL;
	return got;
}

static inline bool handle_is(HANDLE h)
{
	return h && h != INVALID_HANDLE_VALUE;
}

/* A Windows error code as a negative errno, never 0. */
int win_error(DWORD code);

/* Of GetLastError(). */
static inline int win_last(void)
{
	int r = win_error(GetLastError());

	if (r >= 0)
		__builtin_unreachable(); /* for those who check programs */
	return r;
}

/* Errors that say that the other end of a pipe is gone. */
bool win_is_hangup(DWORD code);

/* UTF-8 as UTF-16 in fresh memory; -EINVAL if it is not UTF-8, -ENOMEM. */
int win_wide(const char *text, wchar_t **ret);

/* UTF-16 as UTF-8 into n bytes; -ENAMETOOLONG; -EINVAL if it has half of a
 * surrogate pair, which names of files may. */
int win_narrow(const wchar_t *text, char *buf, size_t n);

#define WIN_PATH_MAX 4200

/* A path for the file functions: '/' becomes '\', and one that is too long for
 * them gets "\\?\" in front (their limit is 260). */
int win_path(const char *path, wchar_t buf[WIN_PATH_MAX]);

/* A working directory, which can't have that, nor be as long: -ENAMETOOLONG. */
int win_folder(const char *path, wchar_t buf[WIN_PATH_MAX]);

/* After a failure: whether what refused a file may be away in a moment
 * (scanners open each new file; Go's os.Open() does not share removal), so that
 * it is worth another try: waits a little then. tries begins as 0; a quarter of
 * a second in all. Keeps the last error. */
bool win_again(unsigned *tries);

/* An environment variable as UTF-8; false if it is not there or too long. */
bool win_env(const wchar_t *name, char *buf, size_t n);

/* FILETIME counts 100 ns from 1601 on; Unix' clock begins that much later. */
#define WIN_UNIX_EPOCH 116444736000000000ULL

#endif
