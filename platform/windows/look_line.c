/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of another process is in its memory: its PEB leads to its
 * parameters, which have it (winternl.h; the offsets are those of 64-bit
 * programs and fixed since Windows XP). The call that would copy it out,
 * ProcessCommandLineInformation, is not there under Wine 8.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/look.h"
#include "platform/windows/win.h"

#include <winternl.h>

#define PARAMETERS_AT 0x20 /* in the PEB */
#define LINE_AT 0x70       /* in the parameters */

typedef LONG(NTAPI *query_process)(HANDLE, ULONG, PVOID, ULONG, PULONG);

static bool copy(HANDLE process, const void *from, void *to, size_t n)
{
	SIZE_T got = 0;

	return ReadProcessMemory(process, from, to, n, &got) && got == n;
}

static const char *peb_of(HANDLE process)
{
	HMODULE dll = GetModuleHandleW(L"ntdll.dll");
	query_process query = dll ? (query_process)(void *)GetProcAddress(
					    dll, "NtQueryInformationProcess")
				  : NULL;
	PROCESS_BASIC_INFORMATION basic = {0};
	ULONG got;

	if (!query || query(process, ProcessBasicInformation, &basic,
			      sizeof(basic), &got) != 0)
		return NULL;
	return (const char *)basic.PebBaseAddress;
}

/* In fresh memory, with a NUL; NULL if it can't be read. */
static wchar_t *line_of(HANDLE process)
{
	const char *peb = peb_of(process), *parameters = NULL;
	UNICODE_STRING text = {0};
	wchar_t *line;

	if (!peb ||
		!copy(process, peb + PARAMETERS_AT, &parameters,
			sizeof(parameters)) ||
		!parameters ||
		!copy(process, parameters + LINE_AT, &text, sizeof(text)) ||
		!text.Buffer)
		return NULL;
	line = calloc(text.Length / sizeof(*line) + 1, sizeof(*line));
	if (line && !copy(process, text.Buffer, line, text.Length)) {
		free(line);
		return NULL;
	}
	return line;
}

size_t look_command(int64_t pid, char *buf, size_t n)
{
	auto_handle HANDLE process = OpenProcess(
		PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, (DWORD)pid);
	auto_free wchar_t *line = process ? line_of(process) : NULL;
	size_t len = line ? wcslen(line) : 0;

	buf[0] = '\0';
	while (len > 0 && win_narrow(line, buf, n) < 0)
		line[len /= 2] = L'\0'; /* half of it says what it is, too */
	if (len == 0)
		buf[0] = '\0';
	return strlen(buf);
}
