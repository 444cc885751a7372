/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

struct fail_control *fail;
static HANDLE mapping;
static char usual[1024];

/* Beside the tests, which are in a folder below that of the programs. */
static bool use_failing_shim(void)
{
	char variable[1200], *end;
	const char *shim = getenv("WISP_SHIM");

	if (!shim || !strrchr(shim, '\\'))
		return false;
	snprintf(usual, sizeof(usual), "WISP_SHIM=%s", shim);
	end = strrchr(usual, '\\');
	snprintf(variable, sizeof(variable),
		"%.*s\\tests\\containerd-shim-wisp-fail.exe",
		(int)(end - usual), usual);
	return _putenv(variable) == 0;
}

/* What is in it is copied, word by word, for each process of a container. */
static void empty_environment(void)
{
	static const wchar_t *const keep[] = {
		L"SystemRoot", L"PATH", L"TEMP", L"CK_RUN_CASE"};
	wchar_t *all = GetEnvironmentStringsW(), *p, name[256];
	unsigned i, n = sizeof(keep) / sizeof(keep[0]);

	for (p = all; *p; p += wcslen(p) + 1) {
		size_t len = wcscspn(p + 1, L"=") + 1;

		if (len >= 256)
			continue;
		memcpy(name, p, len * sizeof(*name));
		name[len] = 0;
		for (i = 0; i < n && _wcsicmp(keep[i], name) != 0; i++)
			;
		if (i == n && wcsncmp(name, L"WINE", 4) != 0 &&
			wcsncmp(name, L"WISP_", 5) != 0)
			SetEnvironmentVariableW(name, NULL);
	}
	FreeEnvironmentStringsW(all);
}

bool fail_open(void)
{
	char name[64];

	snprintf(name, sizeof(name), "WISP_FAIL=Local\\wisp-fail-%lu",
		GetCurrentProcessId());
	mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
		0, sizeof(*fail), strchr(name, '=') + 1);
	fail = mapping ? MapViewOfFile(
				 mapping, FILE_MAP_WRITE, 0, 0, sizeof(*fail))
		       : NULL;
	empty_environment();
	return fail && _putenv(name) == 0 && use_failing_shim();
}

void fail_close(void)
{
	UnmapViewOfFile(fail);
	handle_close(&mapping);
	_putenv("WISP_FAIL=");
	_putenv(usual);
}

void fail_at(
	const char *only, unsigned n, unsigned times, enum fail_process process)
{
	snprintf(fail->only, sizeof(fail->only), "%s", only);
	fail->what[0] = '\0';
	fail->where = 0;
	fail->count = fail->failed = 0;
	fail->times = (long)times;
	fail->process = process;
	InterlockedExchange(&fail->nth, (long)n);
}

bool fail_off(void)
{
	InterlockedExchange(&fail->nth, 0);
	return fail->failed > 0;
}

unsigned fail_number(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}
