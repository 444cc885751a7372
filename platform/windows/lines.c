/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/lines.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

#define LOCK_TRIES 20
#define LOCK_PAUSE_MS 5
#define LOOK_AGAIN_MS 1000 /* what is cached may be told late */

/* One writer at a time: nobody else can open it to write. */
static HANDLE open_alone(const wchar_t *path)
{
	int tries;

	for (tries = 0;; tries++) {
		HANDLE h = CreateFileW(path,
			FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
			FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS,
			FILE_ATTRIBUTE_NORMAL, NULL);

		if (handle_is(h) || tries == LOCK_TRIES ||
			GetLastError() != ERROR_SHARING_VIOLATION)
			return h;
		Sleep(LOCK_PAUSE_MS);
	}
}

/* In one piece: who reads may be there in the middle. */
static int write_line(HANDLE h, const char *line)
{
	size_t n = strlen(line);
	char *text = malloc(n + 2);
	DWORD wrote;
	int r = 0;

	if (!text)
		return -ENOMEM;
	memcpy(text, line, n + 1);
	text[n] = '\n';
	if (!WriteFile(h, text, (DWORD)n + 1, &wrote, NULL))
		r = win_last();
	free(text);
	return r;
}

/* PATH.1 stays as long as somebody reads it; then it is done the next time. It
 * is closed first: what is open for writing can't be moved everywhere. */
int lines_add(const char *path, const char *line, size_t max)
{
	wchar_t wide[WIN_PATH_MAX], old[WIN_PATH_MAX + 2];
	int r = win_path(path, wide);
	auto_handle HANDLE h = NULL;
	LARGE_INTEGER size;

	if (r < 0)
		return r;
	h = open_alone(wide);
	if (!handle_is(h))
		return win_last();
	r = write_line(h, line);
	if (r < 0 || !GetFileSizeEx(h, &size) || size.QuadPart <= (LONGLONG)max)
		return r;
	wcscat(wcscpy(old, wide), L".1");
	return MoveFileExW(wide, old, MOVEFILE_REPLACE_EXISTING) ? 0
								 : win_last();
}

FILE *lines_open(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int fd, r = win_path(path, wide);
	FILE *f;
	HANDLE h;

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	h = CreateFileW(wide, GENERIC_READ,
		FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
		OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
	if (!handle_is(h)) {
		errno = -win_last();
		return NULL;
	}
	fd = _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
	if (fd < 0) {
		CloseHandle(h);
		errno = EMFILE;
		return NULL;
	}
	f = _fdopen(fd, "rb");
	if (!f)
		_close(fd);
	return f;
}

ssize_t lines_get(char **line, size_t *room, FILE *f)
{
	size_t n = 0;
	int c;

	while ((c = getc(f)) != EOF) {
		if (n + 2 > *room) {
			size_t size = *room ? 2 * *room : 256;
			char *more = realloc(*line, size);

			if (!more)
				return -1;
			*line = more;
			*room = size;
		}
		(*line)[n++] = (char)c;
		if (c == '\n')
			break;
	}
	if (n == 0)
		return -1;
	(*line)[n] = '\0';
	return (ssize_t)n;
}

bool lines_are_same(FILE *a, FILE *b)
{
	BY_HANDLE_FILE_INFORMATION x, y;

	return GetFileInformationByHandle(
		       (HANDLE)_get_osfhandle(_fileno(a)), &x) &&
	       GetFileInformationByHandle(
		       (HANDLE)_get_osfhandle(_fileno(b)), &y) &&
	       x.dwVolumeSerialNumber == y.dwVolumeSerialNumber &&
	       x.nFileIndexHigh == y.nFileIndexHigh &&
	       x.nFileIndexLow == y.nFileIndexLow;
}

struct lines_watch {
	HANDLE h;
};

int lines_watch_new(const char *folder, struct lines_watch **ret)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(folder, wide);
	struct lines_watch *w;

	if (r < 0)
		return r;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->h = FindFirstChangeNotificationW(wide, FALSE,
		FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE |
			FILE_NOTIFY_CHANGE_LAST_WRITE);
	if (!handle_is(w->h)) {
		r = win_last();
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

int lines_watch_wait(struct lines_watch *w)
{
	if (WaitForSingleObject(w->h, LOOK_AGAIN_MS) == WAIT_OBJECT_0 &&
		!FindNextChangeNotification(w->h))
		return win_last();
	return 0;
}

void lines_watch_free(struct lines_watch *w)
{
	if (w)
		FindCloseChangeNotification(w->h);
	free(w);
}
