/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/command_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

static bool must_quote(const char *arg)
{
	return !*arg || strpbrk(arg, " \t\n\v\"");
}

/* With to NULL it only counts. */
static size_t put(char *to, size_t n, char c)
{
	if (to)
		to[n] = c;
	return n + 1;
}

static size_t escape(const char *arg, char *to, size_t n)
{
	bool quote = must_quote(arg);
	size_t slashes = 0;

	if (quote)
		n = put(to, n, '"');
	for (; *arg; arg++) {
		if (*arg == '"')
			for (slashes++; slashes > 0; slashes--)
				n = put(to, n, '\\');
		slashes = *arg == '\\' ? slashes + 1 : 0;
		n = put(to, n, *arg);
	}
	if (quote) {
		for (; slashes > 0; slashes--)
			n = put(to, n, '\\');
		n = put(to, n, '"');
	}
	return n;
}

static size_t escape_all(const char *const *argv, char *to)
{
	size_t n = 0, i;

	for (i = 0; argv[i]; i++) {
		if (i > 0)
			n = put(to, n, ' ');
		n = escape(argv[i], to, n);
	}
	return put(to, n, '\0');
}

int command_line_verbatim(const char *text, wchar_t **ret)
{
	wchar_t *wide;
	int r = win_wide(text, &wide);

	if (r < 0)
		return r;
	if (wcslen(wide) >= COMMAND_LINE_MAX) {
		free(wide);
		return -E2BIG;
	}
	*ret = wide;
	return 0;
}

int command_line(const char *const *argv, wchar_t **ret)
{
	char *text = malloc(escape_all(argv, NULL));
	int r;

	if (!text)
		return -ENOMEM;
	escape_all(argv, text);
	r = command_line_verbatim(text, ret);
	free(text);
	return r;
}

struct variable {
	wchar_t *text;
	size_t name, place;
};

static int by_name(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	int r = CompareStringOrdinal(
			x->text, (int)x->name, y->text, (int)y->name, TRUE) -
		CSTR_EQUAL;

	if (r != 0)
		return r;
	return x->place < y->place ? -1 : 1;
}

static bool same_name(const struct variable *x, const struct variable *y)
{
	return CompareStringOrdinal(x->text, (int)x->name, y->text,
		       (int)y->name, TRUE) == CSTR_EQUAL;
}

static wchar_t *join(const struct variable *v, size_t n)
{
	size_t room = 2, at = 0, i;
	wchar_t *block;

	for (i = 0; i < n; i++)
		room += wcslen(v[i].text) + 1;
	block = malloc(room * sizeof(*block));
	if (!block)
		return NULL;
	for (i = 0; i < n; i++) {
		size_t len = wcslen(v[i].text) + 1;

		if (i + 1 < n && same_name(&v[i], &v[i + 1]))
			continue;
		memcpy(block + at, v[i].text, len * sizeof(*block));
		at += len;
	}
	block[at] = L'\0';
	block[at + 1] = L'\0'; /* an empty one has two, too */
	return block;
}

static int read_variable(const char *text, size_t place, struct variable *v)
{
	/* the system has names that begin with '=' */
	const char *end = *text ? strchr(text + 1, '=') : NULL;
	int r = end ? win_wide(text, &v->text) : -EINVAL;

	if (r < 0)
		return r;
	v->place = place;
	v->name = (size_t)(wcschr(v->text + 1, L'=') - v->text);
	return 0;
}

/* Before theirs, which hold then. */
static int read_system_root(struct variable *v)
{
	char root[MAX_PATH], text[MAX_PATH + 16];

	if (!win_env(L"SystemRoot", root, sizeof(root)))
		return -ENOENT;
	snprintf(text, sizeof(text), "SystemRoot=%s", root);
	return read_variable(text, 0, v);
}

int environment_block(const char *const *envp, wchar_t **ret)
{
	struct variable *v;
	size_t n = 0, i;
	int r = 0;

	while (envp[n])
		n++;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = read_system_root(&v[0]) == 0;
	for (i = 0; envp[i] && r == 0; i++) {
		r = read_variable(envp[i], i + 1, &v[n]);
		n += r == 0;
	}
	if (r == 0) {
		qsort(v, n, sizeof(*v), by_name);
		*ret = join(v, n);
		r = *ret ? 0 : -ENOMEM;
	}
	for (i = 0; i < n; i++)
		free(v[i].text);
	free(v);
	return r;
}
