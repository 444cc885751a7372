/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/pipe.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/access.h"

#ifndef PIPE_REJECT_REMOTE_CLIENTS
#define PIPE_REJECT_REMOTE_CLIENTS 0x8
#endif

static const wchar_t *const access_text[] = {
	[PIPE_FOR_ALL_OF_US] = ACCESS_US,
	[PIPE_FOR_ADMINISTRATORS] = ACCESS_ADMINISTRATORS,
};

bool pipe_exists(const wchar_t *name)
{
	if (WaitNamedPipeW(name, 1))
		return true;
	switch (GetLastError()) {
	case ERROR_SEM_TIMEOUT: /* all ends are taken: somebody is there */
	case ERROR_PIPE_BUSY:
		return true;
	default:
		return false;
	}
}

int pipe_listen(const wchar_t *name, DWORD open_mode, bool first,
	unsigned instances, enum pipe_access access, HANDLE *ret)
{
	SECURITY_ATTRIBUTES sa;
	HANDLE h;
	int r;

	/* its own check: FILE_FLAG_FIRST_PIPE_INSTANCE says ACCESS_DENIED,
	 * which may mean much else */
	if (first && pipe_exists(name))
		return -EADDRINUSE;
	r = access_open(access_text[access], &sa);
	if (r < 0)
		return r;
	h = CreateNamedPipeW(name,
		open_mode | FILE_FLAG_OVERLAPPED |
			(first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
		PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT |
			PIPE_REJECT_REMOTE_CLIENTS,
		instances ? instances : PIPE_UNLIMITED_INSTANCES, PIPE_QUOTA,
		PIPE_QUOTA, 0, &sa);
	if (h == INVALID_HANDLE_VALUE)
		r = win_last();
	access_close(&sa);
	if (r == 0)
		*ret = h;
	/* somebody was faster; or it is a name that is not for us, which is
	 * another matter: ProtectedPrefix\Administrators is theirs alone */
	if (first && (r == -EACCES || r == -EAGAIN) && pipe_exists(name))
		r = -EADDRINUSE;
	return r;
}

int pipe_dial(const wchar_t *name, DWORD access, HANDLE *ret)
{
	/* whoever made the pipe must not act in our name */
	HANDLE h = CreateFileW(name, access, 0, NULL, OPEN_EXISTING,
		FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
			SECURITY_IDENTIFICATION,
		NULL);

	if (h == INVALID_HANDLE_VALUE)
		return win_last();
	*ret = h;
	return 0;
}

int pipe_name(const char *text, wchar_t ret[PIPE_NAME_MAX])
{
	static const wchar_t prefix[] = L"\\\\.\\pipe\\";
	size_t n = sizeof(prefix) / sizeof(*prefix) - 1;
	wchar_t *p;

	if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, ret,
		    PIPE_NAME_MAX))
		return GetLastError() == ERROR_INSUFFICIENT_BUFFER
			       ? -ENAMETOOLONG
			       : -EINVAL;
	for (p = ret; *p && p < ret + n; p++)
		if (*p == L'/')
			*p = L'\\';
	if (_wcsnicmp(ret, prefix, n) != 0 || !ret[n])
		return -EINVAL;
	return wcslen(ret) > 256 ? -ENAMETOOLONG : 0;
}

void pipe_fresh_name(wchar_t ret[PIPE_NAME_MAX])
{
	static unsigned serial;
	LARGE_INTEGER now;

	QueryPerformanceCounter(&now);
	_snwprintf(ret, PIPE_NAME_MAX, L"\\\\.\\pipe\\wisp-%lu-%u-%llx",
		GetCurrentProcessId(), ++serial,
		(unsigned long long)now.QuadPart);
}
