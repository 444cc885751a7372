/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/look.h"

#include <string.h>

#include "platform/windows/win.h"

#include <psapi.h>
#include <tlhelp32.h>

/* What was started after a process died may have its pid: no child is older
 * than its parent. */
static uint64_t born_at(DWORD pid)
{
	auto_handle HANDLE h =
		OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
	FILETIME born, died, kernel, user;

	if (!h || !GetProcessTimes(h, &born, &died, &kernel, &user))
		return 0;
	return (uint64_t)born.dwHighDateTime << 32 | born.dwLowDateTime;
}

static uint64_t age_of(DWORD pid)
{
	uint64_t born = born_at(pid), now;
	FILETIME ft;

	GetSystemTimeAsFileTime(&ft);
	now = (uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime;
	return born && now > born ? (now - born) / 10000 : 0;
}

typedef bool (*entry_cb)(const PROCESSENTRY32W *entry, void *arg);

/* 0 when all have been told, or one said false. */
static int each_entry(entry_cb each, void *arg)
{
	auto_handle HANDLE all =
		CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
	BOOL more;

	if (!handle_is(all))
		return win_last();
	for (more = Process32FirstW(all, &entry); more;
		more = Process32NextW(all, &entry))
		if (!each(&entry, arg))
			break;
	return 0;
}

struct everyone {
	void (*each)(int64_t pid, void *arg);
	void *arg;
};

static bool is_one(const PROCESSENTRY32W *entry, void *arg)
{
	struct everyone *x = arg;

	if (entry->th32ProcessID)
		x->each(entry->th32ProcessID, x->arg);
	return true;
}

int look_all(void (*each)(int64_t pid, void *arg), void *arg)
{
	struct everyone x = {.each = each, .arg = arg};

	return each_entry(is_one, &x);
}

struct wanted {
	DWORD pid;
	bool found;
	struct look_process *ret;
};

static bool is_wanted(const PROCESSENTRY32W *entry, void *arg)
{
	struct wanted *w = arg;

	if (entry->th32ProcessID != w->pid)
		return true;
	w->found = true;
	w->ret->parent = entry->th32ParentProcessID;
	w->ret->threads = entry->cntThreads;
	if (win_narrow(entry->szExeFile, w->ret->name, sizeof(w->ret->name)) <
		0)
		w->ret->name[sizeof(w->ret->name) - 1] = '\0';
	return false;
}

int look_process(int64_t pid, struct look_process *ret)
{
	struct look_process p = {.pid = pid, .state = 'R', .syscall = -1};
	struct wanted w = {.pid = (DWORD)pid, .ret = &p};
	int r = each_entry(is_wanted, &w);

	if (r < 0 || !w.found)
		return r < 0 ? r : -ESRCH;
	p.age_ms = age_of((DWORD)pid);
	look_command(pid, p.command, sizeof(p.command));
	*ret = p;
	return 0;
}

struct family {
	DWORD pid;
	uint64_t born;
	void (*each)(int64_t child, void *arg);
	void *arg;
	bool found;
};

static bool is_child(const PROCESSENTRY32W *entry, void *arg)
{
	struct family *f = arg;

	f->found |= entry->th32ProcessID == f->pid;
	if (entry->th32ParentProcessID == f->pid &&
		entry->th32ProcessID != f->pid &&
		born_at(entry->th32ProcessID) >= f->born)
		f->each(entry->th32ProcessID, f->arg);
	return true;
}

int look_children(
	int64_t pid, void (*each)(int64_t child, void *arg), void *arg)
{
	struct family f = {.pid = (DWORD)pid,
		.born = born_at((DWORD)pid),
		.each = each,
		.arg = arg};
	int r = each_entry(is_child, &f);

	if (r < 0)
		return r;
	return f.found ? 0 : -ESRCH;
}

/* Windows has one line, and no two programs split it alike. */
ssize_t look_words(int64_t pid, char *buf, size_t n)
{
	(void)pid;
	(void)buf;
	(void)n;
	return -ENOSYS;
}

/* In the process's own memory; it is not read. */
int look_environment(int64_t pid, const char *name, char *buf, size_t n)
{
	(void)pid;
	(void)name;
	(void)buf;
	(void)n;
	return -ENOSYS;
}

void look_memory(int64_t pid, struct look_memory *ret)
{
	auto_handle HANDLE h = OpenProcess(
		PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
	PROCESS_MEMORY_COUNTERS_EX m = {.cb = sizeof(m)};

	memset(ret, 0, sizeof(*ret));
	if (!h || !K32GetProcessMemoryInfo(
			  h, (PROCESS_MEMORY_COUNTERS *)&m, sizeof(m)))
		return;
	ret->resident = m.WorkingSetSize / 1024;
	/* the same, but for Wine, where the first one is 0 */
	ret->own = (m.PrivateUsage ? m.PrivateUsage : m.PagefileUsage) / 1024;
}
