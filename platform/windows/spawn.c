/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/windows/command_line.h"
#include "platform/windows/pipe.h"
#include "platform/windows/process_table.h"

#ifndef PROC_THREAD_ATTRIBUTE_JOB_LIST
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D
#endif
#ifndef PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE
#define PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE 0x00020016
#endif

/* ---- finding it ---- */

/* 0 or -errno; a folder is no file. */
static int check_file(const wchar_t *path)
{
	DWORD a = GetFileAttributesW(path);

	if (a == INVALID_FILE_ATTRIBUTES)
		return win_last();
	return a & FILE_ATTRIBUTE_DIRECTORY ? -ENOENT : 0;
}

static bool is_path(const char *name)
{
	return strpbrk(name, "\\/:") != NULL;
}

static int find_at(const char *name, wchar_t path[WIN_PATH_MAX])
{
	int r = win_path(name, path);

	if (r == 0)
		r = check_file(path);
	if (r != -ENOENT)
		return r;
	if (wcslen(path) + 5 > WIN_PATH_MAX)
		return -ENAMETOOLONG;
	wcscat(path, L".exe");
	return check_file(path);
}

/* Neither the working directory nor the folder of this program comes before
 * PATH, as they would if it was left to CreateProcess. */
static int find_program(const char *name, wchar_t path[WIN_PATH_MAX])
{
	wchar_t wide[MAX_PATH], *env;
	DWORD n, got = 0;

	if (is_path(name))
		return find_at(name, path);
	if (!MultiByteToWideChar(
		    CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, MAX_PATH))
		return -ENOENT;
	n = GetEnvironmentVariableW(L"PATH", NULL, 0);
	env = n > 0 ? malloc(n * sizeof(*env)) : NULL;
	if (!env)
		return n > 0 ? -ENOMEM : -ENOENT;
	if (GetEnvironmentVariableW(L"PATH", env, n) < n)
		got = SearchPathW(env, wide, L".exe", WIN_PATH_MAX, path, NULL);
	free(env);
	return got > 0 && got < WIN_PATH_MAX ? check_file(path) : -ENOENT;
}

bool process_find(const char *name)
{
	wchar_t path[WIN_PATH_MAX];

	return find_program(name, path) == 0;
}

int process_find_beside(const char *name, char *buf, size_t n)
{
	wchar_t path[WIN_PATH_MAX], *end;
	char folder[FILE_PATH_MAX];
	DWORD got = GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	int r;

	if (got == 0 || got >= WIN_PATH_MAX)
		return got ? -ENAMETOOLONG : win_last();
	end = wcsrchr(path, L'\\');
	if (end)
		*end = L'\0';
	r = win_narrow(path, folder, sizeof(folder));
	if (r < 0)
		return r;
	if ((size_t)snprintf(buf, n, "%s\\%s.exe", folder, name) >= n)
		return -ENAMETOOLONG;
	if (process_find(buf))
		return 0;
	if ((size_t)snprintf(buf, n, "%s", name) >= n)
		return -ENAMETOOLONG;
	return process_find(name) ? 0 : -ENOENT;
}

/* ---- starting it ---- */

struct launch {
	const struct spawn *how;
	wchar_t path[WIN_PATH_MAX], cwd[WIN_PATH_MAX];
	wchar_t *line, *env;
	STARTUPINFOEXW si;
	struct endpoint *null;
	HANDLE inherited[3], job;
	void *console;
};

/* A set of handles has none twice. */
static size_t put_handle(HANDLE *set, size_t n, HANDLE h)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (set[i] == h)
			return n;
	set[n] = h;
	return n + 1;
}

static int collect_handles(struct launch *l, size_t *ret_n)
{
	struct endpoint *const *ep = l->how->spec->endpoints;
	STARTUPINFOW *si = &l->si.StartupInfo;
	HANDLE std[3];
	int i, r;

	for (i = 3; i < PROCESS_ENDPOINTS_MAX; i++)
		if (ep[i] && endpoint_handle(ep[i]))
			return -ENOSYS; /* only those three have a number */
	if (!ep[0] || !ep[1] || !ep[2]) {
		r = endpoint_null(&l->null);
		if (r < 0)
			return r;
	}
	for (i = 0; i < 3; i++) {
		std[i] = endpoint_handle(ep[i] ? ep[i] : l->null);
		*ret_n = put_handle(l->inherited, *ret_n, std[i]);
	}
	si->dwFlags = STARTF_USESTDHANDLES;
	si->hStdInput = std[0];
	si->hStdOutput = std[1];
	si->hStdError = std[2];
	return 0;
}

static bool put_attribute(
	struct launch *l, DWORD_PTR which, void *value, size_t n)
{
	return UpdateProcThreadAttribute(
		l->si.lpAttributeList, 0, which, value, n, NULL, NULL);
}

int attributes_new(DWORD n, LPPROC_THREAD_ATTRIBUTE_LIST *ret)
{
	LPPROC_THREAD_ATTRIBUTE_LIST list;
	SIZE_T room = 0;

	/* asked without room it says how much it wants */
	if (InitializeProcThreadAttributeList(NULL, n, 0, &room) ||
		GetLastError() != ERROR_INSUFFICIENT_BUFFER)
		return win_last();
	list = malloc(room);
	if (!list)
		return -ENOMEM;
	if (!InitializeProcThreadAttributeList(list, n, 0, &room)) {
		int r = win_last();

		free(list);
		return r;
	}
	*ret = list;
	return 0;
}

void attributes_free(LPPROC_THREAD_ATTRIBUTE_LIST list)
{
	if (list)
		DeleteProcThreadAttributeList(list);
	free(list);
}

static int set_attributes(struct launch *l, size_t n_handles)
{
	int r = attributes_new(3, &l->si.lpAttributeList);
	bool fine;

	if (r < 0)
		return r;
	fine = n_handles == 0 ||
	       put_attribute(l, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, l->inherited,
		       n_handles * sizeof(HANDLE));
	if (fine && l->job)
		fine = put_attribute(l, PROC_THREAD_ATTRIBUTE_JOB_LIST, &l->job,
			sizeof(l->job));
	if (fine && l->console)
		fine = put_attribute(l, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE,
			l->console, sizeof(l->console));
	return fine ? 0 : win_last();
}

static void launch_clear(struct launch *l)
{
	attributes_free(l->si.lpAttributeList);
	endpoint_close(l->null);
	free(l->line);
	free(l->env);
}

static int launch_prepare(struct launch *l, struct err *e)
{
	const struct process_spec *spec = l->how->spec;
	size_t n = 0;
	int r;

	r = l->how->program ? find_at(l->how->program, l->path)
			    : find_program(spec->argv[0], l->path);
	if (r < 0)
		return err_sys(e, r, "cannot run '%s'", spec->argv[0]);
	r = l->how->line ? command_line_verbatim(l->how->line, &l->line)
			 : command_line(spec->argv, &l->line);
	if (r < 0)
		return err_sys(e, r, "command line of '%s'", spec->argv[0]);
	r = spec->envp ? environment_block(spec->envp, &l->env) : 0;
	if (r < 0)
		return err_sys(e, r, "environment of '%s'", spec->argv[0]);
	r = spec->cwd ? win_folder(spec->cwd, l->cwd) : 0;
	if (r < 0)
		return err_sys(e, r, "cannot run '%s' in folder '%s'",
			spec->argv[0], spec->cwd);
	/* with a console: no handles, but said to be them, or the system gives
	 * the child copies of ours instead of the console's (Windows Terminal's
	 * ConptyConnection.cpp and hcsshim's internal/exec do the same) */
	if (l->how->console)
		l->si.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
	else
		r = collect_handles(l, &n);
	if (r == 0)
		r = set_attributes(l, n);
	return r < 0 ? err_sys(e, r, "stdio of '%s'", spec->argv[0]) : 0;
}

/* Those that must not outlive us are in a job that ends with us. */
static HANDLE our_job(void)
{
	static HANDLE job;
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
		.BasicLimitInformation.LimitFlags =
			JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

	if (job)
		return job;
	job = CreateJobObjectW(NULL, NULL);
	if (job &&
		!SetInformationJobObject(job, JobObjectExtendedLimitInformation,
			&limits, sizeof(limits)))
		handle_close(&job);
	return job;
}

static bool create(struct launch *l, DWORD flags, PROCESS_INFORMATION *ret)
{
	const wchar_t *cwd = *l->cwd ? l->cwd : NULL;
	STARTUPINFOW *si = &l->si.StartupInfo;

	return l->how->token
		       ? CreateProcessAsUserW(l->how->token, l->path, l->line,
				 NULL, NULL, !l->console, flags, l->env, cwd,
				 si, ret)
		       : CreateProcessW(l->path, l->line, NULL, NULL,
				 !l->console, flags, l->env, cwd, si, ret);
}

static int launch(struct launch *l, struct child *c, struct err *e)
{
	const struct process_spec *spec = l->how->spec;
	DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED |
		      CREATE_UNICODE_ENVIRONMENT;
	PROCESS_INFORMATION pi;

	if (!l->console)
		flags |= CREATE_NO_WINDOW;
	if (spec->own_group)
		flags |= CREATE_NEW_PROCESS_GROUP;
	l->si.StartupInfo.cb = sizeof(l->si);
	if (!create(l, flags, &pi)) {
		int r = win_last();

		return *l->cwd && GetLastError() == ERROR_DIRECTORY
			       ? err_sys(e, r, "cannot run '%s' in folder '%s'",
					 spec->argv[0], spec->cwd)
			       : err_sys(e, r, "cannot run '%s'",
					 spec->argv[0]);
	}
	c->pid = pi.dwProcessId;
	c->process = pi.hProcess;
	c->thread = pi.hThread;
	return 0;
}

/* It is registered before its first instruction. */
static int set_going(struct child *c, bool suspended)
{
	int r = child_add(c);

	if (r == 0 && !suspended) {
		r = process_resume(c->pid);
		if (r < 0)
			child_remove(c);
	}
	return r;
}

/* It is suspended. Nobody has heard of it, so its end is nobody's news. */
static int give_up(struct child *c, int r, const char *name, struct err *e)
{
	TerminateProcess(c->process, 1);
	child_free(c);
	return err_sys(e, r, "cannot run '%s'", name);
}

int process_spawn_with(const struct spawn *how, int64_t *ret_pid, struct err *e)
{
	const char *name = how->spec->argv[0];
	struct launch *l = calloc(1, sizeof(*l));
	struct child *c = calloc(1, sizeof(*c));
	int r;

	if (!l || !c) {
		free(l);
		free(c);
		return err_set(e, -ENOMEM, "no memory to run '%s'", name);
	}
	l->how = how;
	l->job = how->job;
	l->console = how->console;
	if (!l->job && how->spec->dies_with_us)
		l->job = our_job();
	r = launch_prepare(l, e);
	if (r == 0)
		r = launch(l, c, e);
	launch_clear(l);
	free(l);
	if (r < 0) {
		free(c);
		return r;
	}
	r = set_going(c, how->suspended);
	if (r < 0)
		return give_up(c, r, name, e);
	*ret_pid = c->pid;
	return 0;
}

int process_spawn(
	const struct process_spec *spec, int64_t *ret_pid, struct err *e)
{
	struct spawn how = {.spec = spec};

	return process_spawn_with(&how, ret_pid, e);
}
