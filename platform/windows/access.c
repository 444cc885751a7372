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

/* This process's user, or who owns what it makes: which an administrator's
 * token may have say otherwise (TOKEN_OWNER). */
static bool is_own(PSID sid)
{
	auto_handle HANDLE token = NULL;
	union {
		TOKEN_USER user;
		TOKEN_OWNER owner;
		BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} u;
	DWORD n;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	if (GetTokenInformation(token, TokenUser, &u, sizeof(u), &n) &&
		EqualSid(sid, u.user.User.Sid))
		return true;
	return GetTokenInformation(token, TokenOwner, &u, sizeof(u), &n) &&
	       EqualSid(sid, u.owner.Owner);
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
		       is_own(owner));
	LocalFree(sd);
	return ours;
}
