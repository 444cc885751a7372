/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_handles.h"

#include <stdlib.h>
#include <windows.h>

/* NtQuerySystemInformation, class 64: SystemExtendedHandleInformation. */
struct entry {
	PVOID object;
	ULONG_PTR pid, handle;
	ULONG access;
	USHORT trace, type;
	ULONG attributes, reserved;
};

struct entries {
	ULONG_PTR n, reserved;
	struct entry at[];
};

typedef LONG(NTAPI *query_fn)(ULONG, PVOID, ULONG, PULONG);

unsigned count_handles_of(int64_t pid)
{
	query_fn query = (query_fn)(void *)GetProcAddress(
		GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation");
	ULONG room = 1 << 16, got;
	struct entries *all = NULL;
	unsigned n = 0;
	ULONG_PTR i;
	LONG r;

	do {
		room *= 2;
		all = realloc(all, room);
		if (!all)
			abort();
		r = query(64, all, room, &got);
	} while (r == (LONG)0xc0000004); /* STATUS_INFO_LENGTH_MISMATCH */
	if (r != 0)
		abort();
	for (i = 0; i < all->n; i++)
		n += all->at[i].pid == (ULONG_PTR)pid;
	free(all);
	return n;
}

unsigned count_handles(void)
{
	return count_handles_of(GetCurrentProcessId());
}
