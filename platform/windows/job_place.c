/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_place.h"

#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/windows/job_link.h"
#include "platform/windows/win.h"

#include <aclapi.h>
#include <sddl.h>

/* NT SERVICE\TrustedInstaller */
#define INSTALLER \
	L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
#define OURS L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"

static bool is_this_user(PSID sid)
{
	auto_handle HANDLE token = NULL;
	union {
		TOKEN_USER user;
		BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} u;
	DWORD n;

	return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
	       GetTokenInformation(token, TokenUser, &u, sizeof(u), &n) &&
	       EqualSid(sid, u.user.User.Sid);
}

static bool is_installer(PSID sid)
{
	bool same;
	PSID his;

	if (!ConvertStringSidToSidW(INSTALLER, &his))
		return false;
	same = EqualSid(sid, his);
	LocalFree(his);
	return same;
}

static int check_owner(wchar_t *path, const char *name, struct err *e)
{
	PSECURITY_DESCRIPTOR sd;
	PSID owner;
	DWORD code = GetNamedSecurityInfoW(path, SE_FILE_OBJECT,
		OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &sd);
	bool fine;

	if (code != ERROR_SUCCESS)
		return err_sys(e, win_error(code), "owner of '%s'", name);
	fine = owner &&
	       (IsWellKnownSid(owner, WinLocalSystemSid) ||
		       IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
		       is_installer(owner) || is_this_user(owner));
	LocalFree(sd);
	return fine ? 0
		    : err_set(e, -EPERM,
			      "folder '%s' belongs to somebody who is no "
			      "administrator: remove it, or name another one "
			      "(annotation "
			      "microsoft.com/hostprocess-rootfs-location)",
			      name);
}

static int make(const wchar_t *path)
{
	SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
	int r = 0;

	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
		    OURS, SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL))
		return win_last();
	if (!CreateDirectoryW(path, &sa))
		r = win_last();
	LocalFree(sa.lpSecurityDescriptor);
	return r;
}

/* What is above it: the path is absolute, with '\' only. */
static int make_above(const char *path)
{
	auto_free char *above = strdup(path);
	char *end = above ? strrchr(above, '\\') : NULL;

	if (!end)
		return above ? -EINVAL : -ENOMEM;
	if (end - above < 3)
		return 0;
	*end = '\0';
	return link_make_folders(above, NULL);
}

int place_make(const char *path, struct err *e)
{
	auto_free wchar_t *wide = malloc(WIN_PATH_MAX * sizeof(*wide));
	int r = wide ? win_path(path, wide) : -ENOMEM;

	if (strlen(path) <= strlen("C:\\"))
		return 0;
	if (r == 0)
		r = make_above(path);
	if (r == 0)
		r = make(wide);
	if (r == -EEXIST)
		return check_owner(wide, path, e);
	return r < 0 ? err_sys(e, r, "folder '%s'", path) : 0;
}
