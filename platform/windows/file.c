/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

/* A file that is open here may still be read, replaced and removed. */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static int open_file(const char *path, HANDLE *ret)
{
	wchar_t wide[WIN_PATH_MAX];
	unsigned tries = 0;
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	do
		*ret = CreateFileW(wide, GENERIC_READ, SHARE_ALL, NULL,
			OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
	while (*ret == INVALID_HANDLE_VALUE &&
		GetLastError() == ERROR_SHARING_VIOLATION && win_again(&tries));
	if (*ret != INVALID_HANDLE_VALUE)
		return 0;
	r = win_last();
	/* a folder is told as one that must not be opened */
	if (r == -EACCES &&
		GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES &&
		GetFileAttributesW(wide) & FILE_ATTRIBUTE_DIRECTORY)
		r = -EINVAL;
	return r;
}

static int read_all(HANDLE h, char *buf, size_t n, size_t *ret_n)
{
	size_t got = 0;

	while (got < n) {
		DWORD want = n - got > INT_MAX ? INT_MAX : (DWORD)(n - got);
		DWORD r = 0;

		if (!ReadFile(h, buf + got, want, &r, NULL) &&
			GetLastError() != ERROR_HANDLE_EOF)
			return win_last();
		if (r == 0)
			break;
		got += r;
	}
	*ret_n = got;
	return 0;
}

static int read_end(const char *path, size_t max, bool cut, char **ret,
	size_t *ret_n, struct err *e)
{
	auto_handle HANDLE h = NULL;
	LARGE_INTEGER size, from;
	char *buf;
	size_t n;
	int r = open_file(path, &h);

	if (r == -EINVAL || (r == 0 && GetFileType(h) != FILE_TYPE_DISK))
		return err_set(e, -EINVAL, "'%s' is no regular file", path);
	if (r < 0 || !GetFileSizeEx(h, &size))
		return err_sys(e, r < 0 ? r : win_last(), "read '%s'", path);
	if ((uint64_t)size.QuadPart > max && !cut)
		return err_set(e, -EFBIG, "'%s' is over the limit of %zu bytes",
			path, max);
	n = (uint64_t)size.QuadPart > max ? max : (size_t)size.QuadPart;
	from.QuadPart = size.QuadPart - (LONGLONG)n;
	buf = malloc(n + 1);
	if (!buf)
		return err_sys(e, -ENOMEM, "read '%s'", path);
	r = SetFilePointerEx(h, from, NULL, FILE_BEGIN)
		    ? read_all(h, buf, n, ret_n)
		    : win_last();
	if (r < 0) {
		free(buf);
		return err_sys(e, r, "read '%s'", path);
	}
	buf[*ret_n] = '\0';
	*ret = buf;
	return 0;
}

int file_read(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	return read_end(path, max, false, ret, ret_n, e);
}

int file_read_tail(
	const char *path, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	return read_end(path, max, true, ret, ret_n, e);
}

int file_read_into(const char *path, char *buf, size_t n)
{
	auto_handle HANDLE h = NULL;
	size_t got = 0, rest = 0;
	char more;
	int r = open_file(path, &h);

	if (r == 0)
		r = read_all(h, buf, n - 1, &got);
	if (r < 0)
		return r;
	buf[got] = '\0';
	if (got == n - 1 && !strchr(buf, '\n') &&
		read_all(h, &more, 1, &rest) == 0 && rest > 0)
		return -EFBIG;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int write_all(HANDLE h, const char *data, size_t n)
{
	while (n > 0) {
		DWORD want = n > INT_MAX ? INT_MAX : (DWORD)n, w;

		if (!WriteFile(h, data, want, &w, NULL))
			return win_last();
		data += w;
		n -= w;
	}
	return 0;
}

static int replace(const wchar_t *from, const wchar_t *to)
{
	unsigned tries = 0;

	while (!MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING))
		if (!win_again(&tries))
			return win_last();
	return 0;
}

static int remove_file(const wchar_t *path)
{
	unsigned tries = 0;

	while (!DeleteFileW(path))
		if (!win_again(&tries))
			return win_last();
	return 0;
}

int file_write(const char *path, const void *data, size_t n)
{
	wchar_t to[WIN_PATH_MAX], tmp[WIN_PATH_MAX];
	HANDLE h;
	int r = win_path(path, to);

	if (r < 0)
		return r;
	if (wcslen(to) + 5 > WIN_PATH_MAX)
		return -ENAMETOOLONG;
	wcscat(wcscpy(tmp, to), L".new");
	remove_file(tmp); /* left by one who died */
	h = CreateFileW(tmp, GENERIC_WRITE, FILE_SHARE_DELETE, NULL, CREATE_NEW,
		FILE_ATTRIBUTE_NORMAL, NULL);
	if (h == INVALID_HANDLE_VALUE)
		return win_last();
	r = write_all(h, data, n);
	CloseHandle(h);
	if (r == 0)
		r = replace(tmp, to);
	if (r < 0)
		remove_file(tmp);
	return r;
}

int file_check(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	return GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES ? win_last()
								   : 0;
}

int file_remove(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(path, wide);

	if (r == 0)
		r = remove_file(wide);
	return r == -ENOENT ? 0 : r;
}

int file_rename(const char *from, const char *to)
{
	wchar_t a[WIN_PATH_MAX], b[WIN_PATH_MAX];
	int r = win_path(from, a);

	if (r == 0)
		r = win_path(to, b);
	return r < 0 ? r : replace(a, b);
}

int file_read_pid(const char *path, int64_t *ret)
{
	char buf[32], *end;
	long long pid;
	int r = file_read_into(path, buf, sizeof(buf));

	if (r < 0)
		return r == -EFBIG ? -EINVAL : r;
	errno = 0;
	pid = strtoll(buf, &end, 10);
	/* a process id is a DWORD */
	if (errno || end == buf || *end || pid <= 0 || pid > UINT32_MAX)
		return -EINVAL;
	*ret = pid;
	return 0;
}
