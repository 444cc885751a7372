/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_link.h - folders and files of the host that show up elsewhere: by links,
 * for all who look (the way where a job can't have a view of its own).
 *
 * Paths are UTF-8, either slash will do. What is made is noted first.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_LINK_H
#define WISP_PLATFORM_WINDOWS_JOB_LINK_H

#include "platform/windows/job_undo.h"
#include "platform/windows/win.h"

/* kernel32's; a test may put others in the place of these. */
struct link_api {
	BOOLEAN(WINAPI *symlink)
	(const wchar_t *at, const wchar_t *to, DWORD flags);
	BOOL(WINAPI *mount)(const wchar_t *at, const wchar_t *volume);
	BOOL(WINAPI *unmount)(const wchar_t *at);
	/* FSCTL_SET_REPARSE_POINT on an open folder */
	BOOL(WINAPI *control)
	(HANDLE h, DWORD code, void *in, DWORD n_in, void *out, DWORD n_out,
		DWORD *ret_n, OVERLAPPED *ov);
	DWORD(WINAPI *attributes)(const wchar_t *path);
};
extern const struct link_api *link_double; /* NULL: the system's */

/* Makes a folder and those above it. Noted are those that are made, unless undo
 * is NULL. */
int link_make_folders(const char *path, struct undo *undo);

/* A symbolic link to a folder or file that is there, in a folder that is made
 * if need be. -ENOSYS: the system has none. */
int link_make(const char *to, const char *at, struct undo *undo, struct err *e);

/* A folder (by a junction) or a volume (\\?\Volume{...}\) at the folder at,
 * which is made, and must be empty. -EOPNOTSUPP: the file system has no
 * junctions. -EBUSY: there is a link, of somebody who has not cleared up. */
int link_mount(
	const char *what, const char *at, struct undo *undo, struct err *e);

bool link_is_volume(const char *path);

/* What undo_all() does. What is not there is fine. */
int link_remove_folder(const char *path); /* unless something is in it */
int link_remove(const char *path);        /* if it is a link */
int link_unmount(const char *path);

#endif
