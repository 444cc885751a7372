/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system_processes.h - what details.h gets its figures from.
 */
#ifndef WISP_PLATFORM_WINDOWS_SYSTEM_PROCESSES_H
#define WISP_PLATFORM_WINDOWS_SYSTEM_PROCESSES_H

#include "platform/windows/win.h"

/* SYSTEM_PROCESS_INFORMATION as it has been on 64 bits since Windows Vista;
 * winternl.h has it with most of its names left out. */
struct system_process {
	ULONG next; /* bytes to the next one; 0: it is the last */
	ULONG threads;
	LONGLONG private_bytes; /* of the working set */
	ULONG unused1[2];
	ULONGLONG unused2;
	LONGLONG born, user, kernel; /* FILETIME; 100 ns */
	USHORT image_n, image_room;  /* bytes */
	const wchar_t *image;
	LONG priority;
	HANDLE pid, parent;
	ULONG handles, session;
	ULONG_PTR unused3;
	SIZE_T virtual_peak, virtual_bytes;
	ULONG faults;
	SIZE_T working_peak, working_bytes;
	SIZE_T unused4[4];
	SIZE_T pagefile, pagefile_peak;
	SIZE_T commit; /* PrivatePageCount, in bytes */
};
_Static_assert(offsetof(struct system_process, pid) == 80 &&
		       offsetof(struct system_process, commit) == 200,
	"SYSTEM_PROCESS_INFORMATION");

#define SYSTEM_PROCESSES 5
#define SYSTEM_MORE ((LONG)0xC0000004) /* STATUS_INFO_LENGTH_MISMATCH */

/* ntdll's NtQuerySystemInformation; a test may put another in its place. */
typedef LONG(WINAPI *system_query)(int which, void *buf, ULONG n, ULONG *ret_n);
extern system_query system_double; /* NULL: the system's */

#endif
