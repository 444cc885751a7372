/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process was told, as UTF-8. main()'s arguments and getenv() of the
 * C library are in the system's code page, in which not every name can be said;
 * a path with one that can't would lead to another file, or to none.
 */
#include <stdlib.h>

#include "platform/host.h"
#include "platform/windows/win.h"

#undef getenv

/* The C library's own, which <stdlib.h> does not have: like
 * CommandLineToArgvW() but without shell32 and all that comes with it. do_glob:
 * '*' stands for files. */
int __cdecl __wgetmainargs(
	int *argc, wchar_t ***argv, wchar_t ***env, int do_glob, int *new_mode);

static int narrow(const wchar_t *wide, char **ret)
{
	size_t room = 4 * wcslen(wide) + 1;
	char *text = malloc(room);
	int r = text ? win_narrow(wide, text, room) : -ENOMEM;

	if (r < 0)
		free(text);
	else
		*ret = text;
	return r;
}

static int arguments(int *argc, char ***argv, struct err *e)
{
	wchar_t **wide = NULL, **env;
	int n = 0, mode = 0, i, r = 0;
	char **list;

	if (__wgetmainargs(&n, &wide, &env, 0, &mode) != 0 || !wide)
		return err_set(e, -ENOMEM, "no memory for arguments");
	list = calloc((size_t)n + 1, sizeof(*list));
	if (!list)
		return err_set(e, -ENOMEM, "no memory for arguments");
	for (i = 0; i < n && r == 0; i++)
		r = narrow(wide[i], &list[i]);
	if (r < 0) {
		while (i-- > 0)
			free(list[i]);
		free(list);
		return err_sys(e, r, "argument %d", i + 1);
	}
	*argc = n;
	*argv = list;
	return 0;
}

/* Where `start` waits for this process, it hears why there will be no shim. */
int host_arguments(int *argc, char ***argv, struct err *e)
{
	int r = arguments(argc, argv, e);

	if (r < 0)
		host_ready(e);
	return r;
}

/* What was asked for: getenv() gives no memory to free. */
static struct word {
	struct word *next;
	char *name, *value;
} * words;

static struct word *word_of(const char *name)
{
	struct word *w = words;

	while (w && strcmp(w->name, name) != 0)
		w = w->next;
	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (w)
		w->name = _strdup(name);
	if (!w || !w->name) {
		free(w);
		return NULL;
	}
	w->next = words;
	words = w;
	return w;
}

char *libc_getenv(const char *name)
{
	wchar_t *wide_name, *wide = NULL;
	char *text = NULL;
	struct word *w;
	DWORD room;

	if (win_wide(name, &wide_name) < 0)
		return NULL;
	room = GetEnvironmentVariableW(wide_name, NULL, 0);
	if (room > 0)
		wide = malloc(room * sizeof(*wide));
	if (!wide || GetEnvironmentVariableW(wide_name, wide, room) >= room ||
		narrow(wide, &text) < 0)
		text = NULL;
	free(wide);
	free(wide_name);
	if (!text)
		return NULL;
	w = word_of(name);
	if (w && w->value && strcmp(w->value, text) == 0) {
		free(text);
		return w->value;
	}
	if (!w) {
		free(text);
		return NULL;
	}
	free(w->value);
	w->value = text;
	return text;
}
