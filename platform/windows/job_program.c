/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/auto.h"
#include "platform/windows/command_line.h"
#include "platform/windows/job_link.h"
#include "platform/windows/job_user.h"

#define MOUNT_POINT "CONTAINER_SANDBOX_MOUNT_POINT"
#define EXTRA_PATHS                                          \
	";C:\\WINDOWS\\System32\\WindowsPowerShell\\v1.0\\;" \
	"C:\\WINDOWS\\System32\\Wbem"

/* Fresh memory. */
static char *concat(const char *a, const char *b, const char *c)
{
	char *ret = malloc(strlen(a) + strlen(b) + strlen(c) + 1);

	if (ret)
		sprintf(ret, "%s%s%s", a, b, c);
	return ret;
}

/* UTF-16 as UTF-8 in fresh memory. */
static char *narrow(const wchar_t *text)
{
	size_t room = 4 * wcslen(text) + 1;
	char *ret = malloc(room);

	if (ret && win_narrow(text, ret, room) < 0)
		*ret = '\0';
	return ret;
}

/* ---- the working folder ---- */

static bool is_below(const char *path, const char *root)
{
	size_t i, n = strlen(root);

	for (i = 0; i < n; i++) {
		char a = path[i] == '/' ? '\\' : path[i];
		char b = root[i] == '/' ? '\\' : root[i];

		if (!a || strncasecmp(&a, &b, 1) != 0)
			return false;
	}
	return !path[n] || path[n] == '\\' || path[n] == '/';
}

static char *place(const char *cwd, const struct job_root *root)
{
	if (!*root->path)
		return strdup(cwd ? cwd : "C:\\");
	if (!cwd || !*cwd)
		return concat(root->path, "\\", "");
	if (root->bound || is_below(cwd, root->path))
		return strdup(cwd);
	if (*cwd && cwd[1] == ':')
		cwd += 2;
	while (*cwd == '\\' || *cwd == '/')
		cwd++;
	return concat(root->path, "\\", cwd);
}

static int find_cwd(const char *cwd, const struct job_root *root,
	struct job_program *ret, struct err *e)
{
	int r;

	ret->cwd = place(cwd, root);
	if (!ret->cwd)
		return err_set(e, -ENOMEM, "no memory for a folder");
	r = link_make_folders(ret->cwd, NULL);
	return r < 0 ? err_set(e, r == -ENOENT ? -EINVAL : r,
			       "cannot run in folder '%s': %s", ret->cwd,
			       strerror(-r))
		     : 0;
}

/* ---- the environment ---- */

static bool is_path(const char *text)
{
	return strncasecmp(text, "PATH=", 5) == 0;
}

static char *extend_path(const char *text, const char *root)
{
	auto_free char *start = NULL;
	size_t n = strlen(text);

	start = concat(text, *root && text[n - 1] != ';' ? ";" : "", root);
	return start ? concat(start, EXTRA_PATHS, "") : NULL;
}

/* What comes last holds (environment_block()). */
static int find_environment(const char *const *more, HANDLE token,
	const char *root, struct job_program *ret, struct err *e)
{
	char **users, **env;
	size_t n = 0, n_more = 0, i;
	int r = user_environment(token, &users, e);

	if (r < 0)
		return r;
	while (users[n])
		n++;
	while (more && more[n_more])
		n_more++;
	env = realloc(users, (n + n_more + 2) * sizeof(*env));
	if (!env) {
		user_free_environment(users);
		return err_set(e, -ENOMEM, "no memory for the environment");
	}
	ret->env = env;
	memset(env + n, 0, (n_more + 2) * sizeof(*env));
	for (i = 0; i < n_more; i++) {
		env[n] = strdup(more[i]);
		if (!env[n++])
			goto no_memory;
	}
	if (*root && !(env[n++] = concat(MOUNT_POINT "=", root, "")))
		goto no_memory;
	for (i = 0; i < n; i++) {
		char *longer =
			is_path(env[i]) ? extend_path(env[i], root) : NULL;

		if (!longer && is_path(env[i]))
			goto no_memory;
		if (longer) {
			free(env[i]);
			env[i] = longer;
		}
	}
	return 0;
no_memory:
	return err_set(e, -ENOMEM, "no memory for the environment");
}

static const char *path_of(char *const *env)
{
	const char *found = "";

	for (; *env; env++)
		if (is_path(*env))
			found = *env + 5;
	return found;
}

/* ---- the executable ---- */

static bool is_file(const wchar_t *path)
{
	DWORD a = GetFileAttributesW(path);

	return a != INVALID_FILE_ATTRIBUTES && !(a & FILE_ATTRIBUTE_DIRECTORY);
}

static bool search(
	const wchar_t *name, const wchar_t *paths, wchar_t found[WIN_PATH_MAX])
{
	static const wchar_t *const extensions[] = {L".exe", NULL};
	unsigned i;

	for (i = 0; *name && i < 2; i++) {
		DWORD n = SearchPathW(
			paths, name, extensions[i], WIN_PATH_MAX, found, NULL);

		if (n > 0 && n < WIN_PATH_MAX && is_file(found))
			return true;
	}
	return false;
}

/* cwd;PATH;system32;System;Windows: fresh memory. */
static wchar_t *search_paths(const struct job_program *p)
{
	wchar_t system[MAX_PATH], windows[MAX_PATH], *wide = NULL;
	const char *path = path_of(p->env);
	auto_free char *rest = NULL, *all = NULL, *folders = NULL;
	char s[4 * MAX_PATH], w[4 * MAX_PATH];

	if (!GetSystemDirectoryW(system, MAX_PATH) ||
		!GetWindowsDirectoryW(windows, MAX_PATH) ||
		win_narrow(system, s, sizeof(s)) < 0 ||
		win_narrow(windows, w, sizeof(w)) < 0)
		return NULL;
	rest = concat(w, "\\System;", w);
	folders = rest ? concat(s, ";", rest) : NULL;
	free(rest);
	rest = folders ? concat(path, *path ? ";" : "", folders) : NULL;
	all = rest ? concat(p->cwd, ";", rest) : NULL;
	return all && win_wide(all, &wide) == 0 ? wide : NULL;
}

/* The end of the word that begins at p: blanks in quotes are part of it. */
static wchar_t *word_end(wchar_t *p)
{
	bool quoted = false;

	for (; *p && (quoted || (*p != L' ' && *p != L'\t')); p++)
		quoted ^= *p == L'"';
	return p;
}

/* *ret_end: how much of the line the name is. */
static bool find_unquoted(wchar_t *line, const wchar_t *paths,
	wchar_t found[WIN_PATH_MAX], size_t *ret_end)
{
	wchar_t *end = line;

	do {
		wchar_t was;
		bool there;

		while (*end == L' ' || *end == L'\t')
			end++;
		end = word_end(end);
		was = *end;
		*end = L'\0';
		there = search(line, paths, found);
		*end = was;
		if (there) {
			*ret_end = (size_t)(end - line);
			return true;
		}
	} while (*end && end - line < WIN_PATH_MAX);
	return false;
}

static char *quote(const wchar_t *line, size_t end)
{
	wchar_t *quoted = malloc((wcslen(line) + 3) * sizeof(*quoted));
	char *ret;

	if (!quoted)
		return NULL;
	quoted[0] = L'"';
	wmemcpy(quoted + 1, line, end);
	quoted[end + 1] = L'"';
	wcscpy(quoted + end + 2, line + end);
	ret = narrow(quoted);
	free(quoted);
	return ret;
}

static bool find_quoted(
	wchar_t *line, const wchar_t *paths, wchar_t found[WIN_PATH_MAX])
{
	wchar_t *end = wcschr(line + 1, L'"');
	bool there;

	if (!end)
		return false;
	*end = L'\0';
	there = search(line + 1, paths, found);
	*end = L'"';
	return there;
}

static int find_executable(wchar_t *line, struct job_program *p, struct err *e)
{
	auto_free wchar_t *paths = search_paths(p);
	auto_free wchar_t *found = malloc(WIN_PATH_MAX * sizeof(*found));
	size_t end = 0, i;
	bool blank = false;

	if (!paths || !found)
		return err_set(e, -ENOMEM, "no memory for a search path");
	while (*line == L' ' || *line == L'\t')
		line++;
	if (*line == L'"' ? !find_quoted(line, paths, found)
			  : !find_unquoted(line, paths, found, &end))
		return err_set(e, -ENOENT,
			"cannot run '%ls': no such program in '%s' or PATH",
			line, p->cwd);
	for (i = 0; i < end; i++)
		blank |= line[i] == L' ' || line[i] == L'\t';
	p->path = narrow(found);
	p->line = blank ? quote(line, end) : narrow(line);
	return p->path && p->line ? 0 : err_set(e, -ENOMEM, "no memory");
}

static int find_line(const struct container_program *p, bool bound,
	wchar_t **ret, struct err *e)
{
	auto_free wchar_t *line = NULL;
	int r = p->command_line ? command_line_verbatim(p->command_line, &line)
				: command_line(p->process.argv, &line);

	if (r < 0)
		return err_sys(e, r, "command line of '%s'",
			p->command_line ? p->command_line : p->process.argv[0]);
	*ret = malloc((wcslen(line) + 8) * sizeof(**ret));
	if (!*ret)
		return err_set(e, -ENOMEM, "no memory for a command line");
	wcscpy(*ret, bound ? L"cmd /c " : L"");
	wcscat(*ret, line);
	return 0;
}

int job_program_find(const struct container_program *p,
	const struct job_root *root, HANDLE token, struct job_program *ret,
	struct err *e)
{
	auto_free wchar_t *line = NULL;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = find_cwd(p->process.cwd, root, ret, e);
	if (r == 0)
		r = find_environment(
			p->process.envp, token, root->path, ret, e);
	if (r == 0)
		r = find_line(p, root->bound, &line, e);
	return r < 0 ? r : find_executable(line, ret, e);
}

void job_program_clear(struct job_program *p)
{
	free(p->path);
	free(p->line);
	free(p->cwd);
	user_free_environment(p->env);
	memset(p, 0, sizeof(*p));
}
