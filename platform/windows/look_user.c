/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "platform/look.h"
#include "platform/windows/win.h"

#define NAME_MAX_ 128

/* As `tasklist /v` has it. */
static bool name_of(HANDLE token, wchar_t *ret, size_t n)
{
	wchar_t user[NAME_MAX_], domain[NAME_MAX_];
	DWORD n_user = NAME_MAX_, n_domain = NAME_MAX_, got;
	union {
		TOKEN_USER user;
		char room[256]; /* a SID has 68 bytes at most */
	} t;
	SID_NAME_USE use;

	return GetTokenInformation(token, TokenUser, &t, sizeof(t), &got) &&
	       LookupAccountSidW(NULL, t.user.User.Sid, user, &n_user, domain,
		       &n_domain, &use) &&
	       _snwprintf(ret, n, L"%ls%ls%ls", domain, *domain ? L"\\" : L"",
		       user) > 0;
}

void look_user(int64_t pid, char *name, size_t n, int64_t *ret_uid)
{
	auto_handle HANDLE process = OpenProcess(
		PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
	auto_handle HANDLE token = NULL;
	wchar_t wide[2 * NAME_MAX_ + 2] = L"";

	*ret_uid = -1;
	if (!process || !OpenProcessToken(process, TOKEN_QUERY, &token) ||
		!name_of(token, wide, 2 * NAME_MAX_ + 1) ||
		win_narrow(wide, name, n) < 0)
		snprintf(name, n, "-");
}

/* There are no other numbers. */
bool look_is_numbered_alike(int64_t pid)
{
	(void)pid;
	return true;
}
