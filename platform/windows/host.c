/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/host.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/windows/access.h"
#include "platform/windows/split.h"
#include "platform/windows/win.h"

/* Only handles that are named in a list are inherited, by those that we start
 * (spawn.c); what slipped in here without a number can't be found.
 *
 * What else comes first: no box that waits for somebody to press a button, and
 * no library that is looked for beside the program or in PATH, by us or by
 * those that the system loads for us (SetDefaultDllDirectories()). */
void host_close_inherited(void)
{
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX |
		     SEM_NOOPENFILEERRORBOX);
	SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
}

int host_become_shim(struct err *e)
{
	(void)e;
	/* Ctrl-C: who was started in a process group of its own ignores it, and
	 * so would all that is started here */
	SetConsoleCtrlHandler(NULL, FALSE);
	return 0;
}

int host_schedule_core(void)
{
	return -EINVAL;
}

bool host_is_root(void)
{
	TOKEN_ELEVATION elevation = {0};
	auto_handle HANDLE token = NULL;
	DWORD n;

	return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
	       GetTokenInformation(token, TokenElevation, &elevation,
		       sizeof(elevation), &n) &&
	       elevation.TokenIsElevated;
}

/* There is no such score. */
int host_set_oom_score(void)
{
	return -ENOSYS;
}

void host_trim_memory(void)
{
	_heapmin();
	SetProcessWorkingSetSize(GetCurrentProcess(), (SIZE_T)-1, (SIZE_T)-1);
}

struct input {
	HANDLE from;
	uint8_t *data;
	size_t n, room, max;
	int r;
};

/* A read of a pipe can't be told to wait for so long only, so a thread has it
 * until it ends or is canceled. */
static DWORD WINAPI read_input(void *arg)
{
	struct input *in = arg;
	DWORD got;

	for (;;) {
		if (in->n == in->room) {
			size_t room = in->room ? 2 * in->room : 4096;
			uint8_t *more = realloc(in->data, room);

			if (!more) {
				in->r = -ENOMEM;
				return 0;
			}
			in->data = more;
			in->room = room;
		}
		if (!ReadFile(in->from, in->data + in->n,
			    (DWORD)(in->room - in->n), &got, NULL)) {
			in->r = win_is_hangup(GetLastError()) ||
						GetLastError() ==
							ERROR_HANDLE_EOF
					? 0
					: win_last();
			return 0;
		}
		if (got == 0)
			return 0;
		in->n += got;
		if (in->n > in->max) {
			in->r = -EFBIG;
			return 0;
		}
	}
}

static int read_in_time(struct input *in, int timeout_ms)
{
	HANDLE thread = CreateThread(NULL, 0, read_input, in, 0, NULL);

	if (!thread)
		return win_last();
	if (WaitForSingleObject(thread, (DWORD)timeout_ms) != WAIT_OBJECT_0) {
		/* again and again: it may be between two reads */
		do {
			CancelSynchronousIo(thread);
		} while (WaitForSingleObject(thread, 10) != WAIT_OBJECT_0);
		in->r = -ETIMEDOUT;
	}
	CloseHandle(thread);
	return in->r;
}

int host_read_stdin(
	size_t max, int timeout_ms, uint8_t **ret, size_t *ret_n, struct err *e)
{
	struct input in = {.from = GetStdHandle(STD_INPUT_HANDLE), .max = max};
	int r = 0;

	if (handle_is(in.from) && GetFileType(in.from) != FILE_TYPE_CHAR)
		r = read_in_time(&in, timeout_ms);
	if (r == 0)
		r = split_keep_stdin(in.data, in.n);
	if (r < 0) {
		free(in.data);
		return err_sys(e, r, "read stdin");
	}
	*ret = in.data;
	*ret_n = in.n;
	return 0;
}

int host_write_stdout(const void *data, size_t n)
{
	HANDLE h = GetStdHandle(STD_OUTPUT_HANDLE);
	const char *p = data;

	if (!handle_is(h))
		return -EBADF;
	while (n > 0) {
		DWORD w;

		if (!WriteFile(h, p, (DWORD)n, &w, NULL))
			return win_last();
		p += w;
		n -= w;
	}
	return 0;
}

/* Below ProgramData anybody may make a folder that is not there: one that is
 * has to be ours, or he could put things in the place of what we have in it. */
static int make_own(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	BY_HANDLE_FILE_INFORMATION info;
	SECURITY_ATTRIBUTES sa;
	auto_handle HANDLE h = NULL;
	int r = win_path(path, wide);

	if (r == 0)
		r = access_open(ACCESS_FOLDER, &sa);
	if (r < 0)
		return r;
	if (!CreateDirectoryW(wide, &sa))
		r = win_last();
	access_close(&sa);
	if (r != -EEXIST)
		return r;
	h = CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
		FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
		OPEN_EXISTING,
		FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
		NULL);
	if (!handle_is(h))
		return win_last();
	if (!access_is_ours(h, SE_FILE_OBJECT))
		return -EPERM;
	if (!GetFileInformationByHandle(h, &info))
		return win_last();
	return (info.dwFileAttributes &
		       (FILE_ATTRIBUTE_DIRECTORY |
			       FILE_ATTRIBUTE_REPARSE_POINT)) ==
			       FILE_ATTRIBUTE_DIRECTORY
		       ? 0
		       : -ENOTDIR;
}

/* name below a folder that an environment variable names. */
static int own_dir(
	const wchar_t *variable, const char *name, char *buf, size_t n)
{
	char root[FILE_PATH_MAX];
	int r;

	if (!win_env(variable, root, sizeof(root)))
		return -ENOENT;
	if ((size_t)snprintf(buf, n, "%s\\containerd", root) >= n)
		return -ENAMETOOLONG;
	r = make_own(buf);
	if (r == 0 &&
		(size_t)snprintf(buf, n, "%s\\containerd\\%s", root, name) >= n)
		r = -ENAMETOOLONG;
	return r < 0 ? r : make_own(buf);
}

int host_own_dir(
	const char *name, size_t longest, char *buf, size_t n, struct err *e)
{
	int r = host_is_root() ? own_dir(L"ProgramData", name, buf, n)
			       : -EACCES;

	if (r == 0 && strlen(buf) <= longest)
		return 0;
	r = own_dir(L"LOCALAPPDATA", name, buf, n);
	return r < 0 ? err_sys(e, r,
			       "folder containerd\\%s in neither ProgramData "
			       "nor LOCALAPPDATA",
			       name)
		     : 0;
}
