/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/win.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A folder's must leave room for a name of 8.3 within MAX_PATH, 260. */
#define LONG_PATH 240

void handle_close(HANDLE *h)
{
	DWORD saved = GetLastError();

	if (handle_is(*h))
		CloseHandle(*h);
	*h = NULL;
	SetLastError(saved);
}

static const struct {
	DWORD code;
	int error;
} errors[] = {
	{ERROR_FILE_NOT_FOUND, ENOENT},
	{ERROR_PATH_NOT_FOUND, ENOENT},
	{ERROR_BAD_NETPATH, ENOENT},
	{ERROR_BAD_PATHNAME, ENOENT},
	{ERROR_INVALID_NAME, ENOENT},
	{ERROR_INVALID_DRIVE, ENOENT},
	{ERROR_MOD_NOT_FOUND, ENOENT},
	{ERROR_PROC_NOT_FOUND, ENOSYS},
	{ERROR_TOO_MANY_OPEN_FILES, EMFILE},
	{ERROR_NO_SYSTEM_RESOURCES, ENOMEM},
	{ERROR_ACCESS_DENIED, EACCES},
	{ERROR_SHARING_VIOLATION, EBUSY},
	{ERROR_LOCK_VIOLATION, EBUSY},
	{ERROR_PRIVILEGE_NOT_HELD, EPERM},
	{ERROR_INVALID_HANDLE, EBADF},
	{ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
	{ERROR_OUTOFMEMORY, ENOMEM},
	{ERROR_COMMITMENT_LIMIT, ENOMEM},
	{ERROR_NOT_ENOUGH_QUOTA, ENOMEM},
	{ERROR_FILE_EXISTS, EEXIST},
	{ERROR_ALREADY_EXISTS, EEXIST},
	{ERROR_INVALID_PARAMETER, EINVAL},
	{ERROR_NO_UNICODE_TRANSLATION, EINVAL},
	{ERROR_DIRECTORY, ENOTDIR},
	{ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
	{ERROR_DISK_FULL, ENOSPC},
	{ERROR_HANDLE_DISK_FULL, ENOSPC},
	{1295 /* ERROR_DISK_QUOTA_EXCEEDED */, EDQUOT},
	{ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
	{ERROR_BUFFER_OVERFLOW, ENAMETOOLONG},
	{ERROR_BROKEN_PIPE, EPIPE},
	{ERROR_NO_DATA, EPIPE},
	{ERROR_PIPE_NOT_CONNECTED, EPIPE},
	{ERROR_PIPE_BUSY, EAGAIN},
	{ERROR_SEM_TIMEOUT, ETIMEDOUT},
	{WAIT_TIMEOUT, ETIMEDOUT},
	{ERROR_OPERATION_ABORTED, ECANCELED},
	{ERROR_BAD_EXE_FORMAT, ENOEXEC},
	{ERROR_EXE_MACHINE_TYPE_MISMATCH, ENOEXEC},
	{ERROR_NOT_SUPPORTED, EOPNOTSUPP},
	{ERROR_INVALID_FUNCTION, EOPNOTSUPP},
	{ERROR_CALL_NOT_IMPLEMENTED, ENOSYS},
	{ERROR_NOT_FOUND, ENOENT},
	{ERROR_WRITE_PROTECT, EROFS},
	{ERROR_NONPAGED_SYSTEM_RESOURCES, ENOMEM},
	{ERROR_PAGED_SYSTEM_RESOURCES, ENOMEM},
	{ERROR_DELETE_PENDING, EBUSY},
	{ERROR_USER_MAPPED_FILE, EBUSY},
	{ERROR_NOT_SAME_DEVICE, EXDEV},
	{ERROR_CANT_RESOLVE_FILENAME, ELOOP},
	{ERROR_INVALID_EXE_SIGNATURE, ENOEXEC},
	{ERROR_EXE_MARKED_INVALID, ENOEXEC},
	/* a scanner, a policy, or a program that asks for an elevated token */
	{225 /* ERROR_VIRUS_INFECTED */, EACCES},
	{ERROR_ACCESS_DISABLED_BY_POLICY, EACCES},
	{740 /* ERROR_ELEVATION_REQUIRED */, EPERM},
};

int win_error(DWORD code)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return -errors[i].error;
	return -EIO;
}

bool win_is_hangup(DWORD code)
{
	return code == ERROR_BROKEN_PIPE || code == ERROR_NO_DATA ||
	       code == ERROR_PIPE_NOT_CONNECTED;
}

int win_wide(const char *text, wchar_t **ret)
{
	int n = MultiByteToWideChar(
		CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
	wchar_t *wide;

	if (n <= 0)
		return -EINVAL;
	wide = malloc((size_t)n * sizeof(*wide));
	if (!wide)
		return -ENOMEM;
	MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n);
	*ret = wide;
	return 0;
}

int win_narrow(const wchar_t *text, char *buf, size_t n)
{
	int got = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1,
		buf, (int)n, NULL, NULL);

	if (got > 0)
		return 0;
	return GetLastError() == ERROR_NO_UNICODE_TRANSLATION ? -EINVAL
							      : -ENAMETOOLONG;
}

static int read_path(const char *path, wchar_t buf[WIN_PATH_MAX])
{
	int got = MultiByteToWideChar(
		CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, buf, WIN_PATH_MAX);
	wchar_t *p;

	if (got <= 0)
		return GetLastError() == ERROR_INSUFFICIENT_BUFFER
			       ? -ENAMETOOLONG
			       : -EINVAL;
	if (got == 1)
		return -ENOENT;
	for (p = buf; *p; p++)
		if (*p == L'/')
			*p = L'\\';
	return 0;
}

static bool is_absolute(const wchar_t *path)
{
	return (path[0] == L'\\' && path[1] == L'\\') ||
	       (path[0] && path[1] == L':' && path[2] == L'\\');
}

/* With "\\?\" in front nobody resolves "." and ".." any more, or asks for the
 * working directory, so that is done here; a server's name needs "UNC" in the
 * place of its first two backslashes ("Maximum Path Length Limitation"). */
static int lengthen(wchar_t buf[WIN_PATH_MAX])
{
	wchar_t full[WIN_PATH_MAX];
	DWORD n = GetFullPathNameW(buf, WIN_PATH_MAX, full, NULL);

	if (n == 0)
		return win_last();
	if (n + 8 > WIN_PATH_MAX)
		return -ENAMETOOLONG;
	if (n < LONG_PATH && wcslen(buf) >= LONG_PATH)
		wcscpy(buf, full);
	else if (n >= LONG_PATH && wcsncmp(full, L"\\\\", 2) != 0)
		wcscat(wcscpy(buf, L"\\\\?\\"), full);
	else if (n >= LONG_PATH && full[2] != L'?' && full[2] != L'.')
		wcscat(wcscpy(buf, L"\\\\?\\UNC"), full + 1);
	return 0;
}

int win_path(const char *path, wchar_t buf[WIN_PATH_MAX])
{
	int r = read_path(path, buf);

	if (r == 0 && (!is_absolute(buf) || wcslen(buf) >= LONG_PATH))
		r = lengthen(buf);
	return r;
}

int win_folder(const char *path, wchar_t buf[WIN_PATH_MAX])
{
	int r = read_path(path, buf);

	if (r == 0 && GetFullPathNameW(buf, 0, NULL, NULL) > MAX_PATH - 1)
		r = -ENAMETOOLONG;
	return r;
}

bool win_again(unsigned *tries)
{
	DWORD code = GetLastError();

	if (*tries >= 8 || (code != ERROR_SHARING_VIOLATION &&
				   code != ERROR_LOCK_VIOLATION &&
				   code != ERROR_ACCESS_DENIED &&
				   code != ERROR_USER_MAPPED_FILE))
		return false;
	Sleep(1U << (*tries)++);
	SetLastError(code);
	return true;
}

bool win_env(const wchar_t *name, char *buf, size_t n)
{
	wchar_t wide[WIN_PATH_MAX];
	DWORD got = GetEnvironmentVariableW(name, wide, WIN_PATH_MAX);

	return got > 0 && got < WIN_PATH_MAX && win_narrow(wide, buf, n) == 0;
}
