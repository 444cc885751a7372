/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_link.h"

#include <stdlib.h>
#include <string.h>
#include <winioctl.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/windows/job_place.h"

const struct link_api *link_double;

static const struct link_api own = {
	.symlink = CreateSymbolicLinkW,
	.mount = SetVolumeMountPointW,
	.unmount = DeleteVolumeMountPointW,
	.control = DeviceIoControl,
	.attributes = GetFileAttributesW,
};

static const struct link_api *api(void)
{
	return link_double ? link_double : &own;
}

static bool is_gone(DWORD code)
{
	return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND;
}

bool link_is_volume(const char *path)
{
	return strncmp(path, "\\\\?\\Volume{", 11) == 0;
}

/* ---- folders ---- */

static int make_one(const char *path, const wchar_t *wide, struct undo *undo)
{
	struct err e;
	int r;

	if (api()->attributes(wide) != INVALID_FILE_ATTRIBUTES)
		return 0;
	r = undo ? undo_add(undo, UNDO_FOLDER, path, &e) : 0;
	if (r < 0)
		return r;
	if (CreateDirectoryW(wide, NULL))
		return 0;
	r = GetLastError() == ERROR_ALREADY_EXISTS ? 0 : win_last();
	if (undo)
		undo_take_back(undo);
	return r;
}

/* The part that is no folder's name: "C:\", "\\?\Volume{...}\",
 * "\\server\share\". */
static size_t root_length(const char *path)
{
	const char *p = path + 2;
	unsigned i;

	if (path[0] != '\\' || path[1] != '\\')
		return path[0] && path[1] == ':' && path[2] == '\\' ? 3 : 0;
	for (i = 0; i < 2; i++) {
		p = strchr(p, '\\');
		if (!p)
			return strlen(path);
		p++;
	}
	return (size_t)(p - path);
}

/* With '\' only, and none at the end: fresh memory. */
static char *tidy(const char *path)
{
	size_t n = strlen(path), root, i;
	char *ret = strdup(path);

	if (!ret)
		return NULL;
	for (i = 0; i < n; i++)
		if (ret[i] == '/')
			ret[i] = '\\';
	root = root_length(ret);
	while (n > root && n > 1 && ret[n - 1] == '\\')
		ret[--n] = '\0';
	return ret;
}

int link_make_folders(const char *path, struct undo *undo)
{
	auto_free char *text = tidy(path);
	auto_free wchar_t *wide = malloc(WIN_PATH_MAX * sizeof(*wide));
	size_t at, n;
	int r = 0;

	if (!text || !wide)
		return -ENOMEM;
	n = strlen(text);
	at = root_length(text);
	at += strspn(text + at, "\\");
	while (r == 0 && at < n) {
		char *end = strchr(text + at, '\\');

		at = end ? (size_t)(end - text) : n;
		text[at] = '\0';
		r = win_path(text, wide);
		if (r == 0)
			r = make_one(text, wide, undo);
		if (at < n)
			text[at++] = '\\';
	}
	if (r == 0) {
		DWORD a = (win_path(text, wide), api()->attributes(wide));

		if (a == INVALID_FILE_ATTRIBUTES)
			return win_last();
		if (!(a & FILE_ATTRIBUTE_DIRECTORY))
			return -ENOTDIR;
	}
	return r;
}

/* ---- links ---- */

/* The one that it is in: fresh memory. */
static char *folder_of(const char *path)
{
	char *folder = tidy(path), *end;

	end = folder ? strrchr(folder, '\\') : NULL;
	if (end)
		end[(size_t)(end - folder) < root_length(folder)] = '\0';
	return folder;
}

static int make_folder_of(const char *path, struct undo *undo)
{
	auto_free char *folder = folder_of(path);

	return folder ? link_make_folders(folder, undo) : -ENOMEM;
}

static int make_link(const wchar_t *to, const wchar_t *at, DWORD attributes)
{
	DWORD folder = attributes & FILE_ATTRIBUTE_DIRECTORY
			       ? SYMBOLIC_LINK_FLAG_DIRECTORY
			       : 0;

	if (api()->attributes(at) != INVALID_FILE_ATTRIBUTES)
		return -EBUSY;
	if (!api()->symlink(at, to, folder))
		return win_last();
	/* Wine says yes and makes none */
	return api()->attributes(at) == INVALID_FILE_ATTRIBUTES ? -ENOSYS : 0;
}

int link_make(const char *to, const char *at, struct undo *undo, struct err *e)
{
	auto_free wchar_t *wide_to = malloc(WIN_PATH_MAX * sizeof(*wide_to));
	auto_free wchar_t *wide_at = malloc(WIN_PATH_MAX * sizeof(*wide_at));
	DWORD attributes;
	int r = wide_to && wide_at ? 0 : -ENOMEM;

	if (r == 0)
		r = win_path(to, wide_to);
	if (r == 0)
		r = win_path(at, wide_at);
	if (r < 0)
		return err_sys(e, r, "'%s'", to);
	attributes = api()->attributes(wide_to);
	if (attributes == INVALID_FILE_ATTRIBUTES)
		return err_set(e, -EINVAL, "'%s' is not there", to);
	r = make_folder_of(at, undo);
	if (r < 0)
		return err_sys(e, r, "folder of '%s'", at);
	r = undo_add(undo,
		attributes & FILE_ATTRIBUTE_DIRECTORY ? UNDO_FOLDER_LINK
						      : UNDO_FILE_LINK,
		at, e);
	if (r < 0)
		return r;
	r = make_link(wide_to, wide_at, attributes);
	if (r == 0)
		return 0;
	undo_take_back(undo);
	if (r == -EBUSY)
		return err_set(e, r,
			"'%s' can't be made a link to '%s': there is something",
			at, to);
	return r == -ENOSYS ? err_set(e, r,
				      "'%s' can't be made a link to '%s': this "
				      "system makes no symbolic links",
				      at, to)
			    : err_sys(e, r, "link '%s' to '%s'", at, to);
}

/* ---- mount points ---- */

/* REPARSE_DATA_BUFFER of a junction (ntifs.h). */
struct junction {
	ULONG tag;
	USHORT n, reserved;
	USHORT to_at, to_n, shown_at, shown_n;
	wchar_t text[WIN_PATH_MAX + 8];
};

static int make_junction(const wchar_t *to, const wchar_t *at)
{
	auto_free struct junction *j = calloc(1, sizeof(*j));
	size_t n = wcslen(to);
	auto_handle HANDLE h = NULL;
	DWORD got;

	if (!j)
		return -ENOMEM;
	if (n >= WIN_PATH_MAX || 2 * (n + 8) > 8000)
		return -ENAMETOOLONG;
	if (wcsncmp(to, L"\\\\?\\", 4) == 0)
		to += 4;
	wcscpy(j->text, L"\\??\\");
	wcscat(j->text, to);
	n = 2 * wcslen(j->text);
	j->tag = IO_REPARSE_TAG_MOUNT_POINT;
	j->to_n = (USHORT)n;
	j->shown_at = (USHORT)(n + 2); /* which is empty */
	j->n = (USHORT)(8 + n + 4);
	h = CreateFileW(at, GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
		FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
		NULL);
	if (!handle_is(h))
		return win_last();
	return api()->control(h, FSCTL_SET_REPARSE_POINT, j, 8u + j->n, NULL, 0,
		       &got, NULL)
		       ? 0
		       : win_last();
}

/* The names of both end with a '\'. */
static int mount_volume(const wchar_t *volume, const wchar_t *at)
{
	wchar_t to[64], folder[MAX_PATH];

	if (wcslen(volume) + 2 > 64 || wcslen(at) + 2 > MAX_PATH)
		return -ENAMETOOLONG;
	wcscpy(to, volume);
	wcscpy(folder, at);
	if (to[wcslen(to) - 1] != L'\\')
		wcscat(to, L"\\");
	if (folder[wcslen(folder) - 1] != L'\\')
		wcscat(folder, L"\\");
	return api()->mount(folder, to) ? 0 : win_last();
}

static int make_mount(
	const char *what, const char *at, struct undo *undo, struct err *e)
{
	auto_free wchar_t *wide_to = malloc(WIN_PATH_MAX * sizeof(*wide_to));
	auto_free wchar_t *wide_at = malloc(WIN_PATH_MAX * sizeof(*wide_at));
	bool volume = link_is_volume(what);
	DWORD attributes;
	int r = wide_to && wide_at ? 0 : -ENOMEM;

	if (r == 0)
		r = win_path(what, wide_to);
	if (r == 0)
		r = win_path(at, wide_at);
	if (r < 0)
		return err_sys(e, r, "'%s'", at);
	attributes = api()->attributes(wide_at);
	if (attributes != INVALID_FILE_ATTRIBUTES &&
		attributes & FILE_ATTRIBUTE_REPARSE_POINT)
		return err_set(e, -EBUSY,
			"'%s' is a link already: remove it, if no container "
			"has it",
			at);
	r = undo_add(undo, volume ? UNDO_VOLUME : UNDO_FOLDER_LINK, at, e);
	if (r < 0)
		return r;
	r = volume ? mount_volume(wide_to, wide_at)
		   : make_junction(wide_to, wide_at);
	if (r == 0)
		return 0;
	undo_take_back(undo);
	return err_sys(e, r, "show '%s' at '%s'", what, at);
}

int link_mount(
	const char *what, const char *at, struct undo *undo, struct err *e)
{
	auto_free char *folder = folder_of(at);
	int r = folder ? place_make(folder, e)
		       : err_set(e, -ENOMEM, "no memory for '%s'", at);

	if (r < 0)
		return r;
	r = link_make_folders(at, undo);
	return r < 0 ? err_sys(e, r, "folder '%s'", at)
		     : make_mount(what, at, undo, e);
}

/* ---- undoing ---- */

static int removed(BOOL done)
{
	return done || is_gone(GetLastError()) ? 0 : win_last();
}

int link_remove_folder(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	r = removed(RemoveDirectoryW(wide));
	return r == -ENOTEMPTY ? 0 : r;
}

int link_remove(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	DWORD attributes;
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	attributes = api()->attributes(wide);
	if (attributes == INVALID_FILE_ATTRIBUTES)
		return removed(FALSE);
	if (!(attributes & FILE_ATTRIBUTE_REPARSE_POINT))
		return 0;
	return removed(attributes & FILE_ATTRIBUTE_DIRECTORY
			       ? RemoveDirectoryW(wide)
			       : DeleteFileW(wide));
}

int link_unmount(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(path, wide);
	size_t n;

	if (r < 0)
		return r;
	n = wcslen(wide);
	if (wide[n - 1] != L'\\')
		wcscpy(wide + n, L"\\");
	if (api()->unmount(wide))
		return 0;
	/* it was noted, but never made */
	return is_gone(GetLastError()) ||
			       GetLastError() == ERROR_NOT_A_REPARSE_POINT ||
			       GetLastError() == ERROR_INVALID_PARAMETER
		       ? 0
		       : win_last();
}
