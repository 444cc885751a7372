/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/access.h"

#include <aclapi.h>
#include <sddl.h>

int access_open(const wchar_t *sddl, SECURITY_ATTRIBUTES *ret)
{
	*ret = (SECURITY_ATTRIBUTES){.nLength = sizeof(*ret)};
	return ConvertStringSecurityDescriptorToSecurityDescriptorW(
		       sddl, SDDL_REVISION_1, &ret->lpSecurityDescriptor, NULL)
		       ? 0
		       : win_last();
}

void access_close(SECURITY_ATTRIBUTES *sa)
{
	DWORD saved = GetLastError();

	LocalFree(sa->lpSecurityDescriptor);
	sa->lpSecurityDescriptor = NULL;
	SetLastError(saved);
}

static bool is_user(PSID sid)
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

bool access_is_ours(HANDLE h, SE_OBJECT_TYPE type)
{
	PSECURITY_DESCRIPTOR sd = NULL;
	PSID owner = NULL;
	bool ours;

	if (GetSecurityInfo(h, type, OWNER_SECURITY_INFORMATION, &owner, NULL,
		    NULL, NULL, &sd) != ERROR_SUCCESS)
		return false;
	ours = owner &&
	       (IsWellKnownSid(owner, WinLocalSystemSid) ||
		       IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
		       is_user(owner));
	LocalFree(sd);
	return ours;
}
