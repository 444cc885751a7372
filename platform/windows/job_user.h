/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_user.h - who the processes of a host-process container are.
 *
 * As hcsshim has it (internal/jobcontainers/logon.go), by
 * process.user.username:
 *
 *   a local group: a local account is made for the container, with a password
 *      that nobody is told, and put into the group; it goes with the container;
 *   NT AUTHORITY\SYSTEM, \LOCAL SERVICE, \NETWORK SERVICE: that account;
 *   anything else is refused: there is no password to log on with.
 *
 * Without a name, and with the annotation that says so, they are who this
 * process is. (The reference refuses a missing name without the annotation.)
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_USER_H
#define WISP_PLATFORM_WINDOWS_JOB_USER_H

#include "platform/windows/job_undo.h"
#include "platform/windows/win.h"

/* advapi32's, netapi32's and userenv's, which are loaded when they are needed.
 * A test may put others in the place of these. */
struct user_api {
	BOOL(WINAPI *log_on)
	(const wchar_t *name, const wchar_t *domain, const wchar_t *password,
		DWORD type, DWORD provider, HANDLE *ret);
	BOOL(WINAPI *look_up)
	(const wchar_t *system, const wchar_t *name, void *sid, DWORD *n_sid,
		wchar_t *domain, DWORD *n_domain, SID_NAME_USE *use);
	BOOL(WINAPI *environment)(void **ret, HANDLE token, BOOL inherit);
	BOOL(WINAPI *environment_free)(void *block);
	DWORD(WINAPI *group_info)
	(const wchar_t *server, const wchar_t *name, DWORD level, BYTE **ret);
	DWORD(WINAPI *group_add)
	(const wchar_t *server, const wchar_t *group, DWORD level,
		BYTE *members, DWORD n);
	DWORD(WINAPI *user_add)
	(const wchar_t *server, DWORD level, BYTE *info, DWORD *wrong);
	DWORD(WINAPI *user_remove)(const wchar_t *server, const wchar_t *name);
	DWORD(WINAPI *buffer_free)(void *buffer);
};
extern const struct user_api *user_double; /* NULL: the system's */

/* *ret is the caller's to close; NULL: no other than this process's. id names
 * the account that may have to be made. -EINVAL: no such group or account. */
int user_token(const char *id, const char *name, struct undo *undo, HANDLE *ret,
	struct err *e);

/* The variables that a user's processes begin with: "NAME=VALUE" texts with a
 * NULL at the end, to be freed with user_free_environment(). token may be NULL.
 */
int user_environment(HANDLE token, char ***ret, struct err *e);
void user_free_environment(char **env);

/* Removes such an account; one that is not there is fine. */
int user_remove(const char *name);

#endif
