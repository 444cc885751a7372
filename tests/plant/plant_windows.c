/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_windows.c - plant.c for Windows: with each container that is deleted,
 * it leaks what WISP_PLANT names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"
#include "shim/task.h"

#define MEMORY (64u << 10)

void __real_events_delete(struct task *t);
void __wrap_events_delete(struct task *t);

static unsigned n_planted;

static void plant_handle(void)
{
	if (!CreateEventW(NULL, TRUE, FALSE, NULL))
		abort();
}

/* This program, of which not an instruction runs; by its command line it is
 * found, and ended, as one of the run's. */
static void plant_child(void)
{
	STARTUPINFOW si = {.cb = sizeof(si)};
	PROCESS_INFORMATION pi;
	wchar_t path[WIN_PATH_MAX], line[4096];

	if (wcslen(GetCommandLineW()) >= 4096)
		abort();
	wcscpy(line, GetCommandLineW());
	GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	if (!CreateProcessW(path, line, NULL, NULL, FALSE,
		    CREATE_SUSPENDED | DETACHED_PROCESS, NULL, NULL, &si, &pi))
		abort();
	CloseHandle(pi.hThread);
	CloseHandle(pi.hProcess);
}

/* In the bundle of the container that the shim was started for. */
static void plant_file(void)
{
	char name[32];
	FILE *f;

	snprintf(name, sizeof(name), "planted-%u", n_planted);
	f = fopen(name, "w");
	if (!f)
		abort();
	fclose(f);
}

static void plant_memory(void)
{
	static void *volatile last; /* or the compiler would do without */
	void *p = malloc(MEMORY);

	if (!p)
		abort();
	memset(p, 1, MEMORY);
	last = p;
	(void)last;
}

static const struct {
	const char *kind;
	void (*plant)(void);
} kinds[] = {
	{"handle", plant_handle},
	{"child", plant_child},
	{"file", plant_file},
	{"memory", plant_memory},
};

void __wrap_events_delete(struct task *t)
{
	const char *wanted = getenv("WISP_PLANT");
	size_t i;

	for (i = 0; wanted && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(wanted, kinds[i].kind) == 0)
			kinds[i].plant();
	n_planted++;
	__real_events_delete(t);
}
