/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/stress/stress_look.h"
#include "platform/look.h"

const char *const stress_open_word = "fd";

static const struct {
	const char *key, *title;
} names[STRESS_N_CLASSES] = {
	[STRESS_FD_PIPE] = {"fdPipes", "fds: pipes"},
	[STRESS_FD_FIFO] = {"fdFifos", "fds: FIFOs"},
	[STRESS_FD_SOCKET] = {"fdSockets", "fds: sockets"},
	[STRESS_FD_EVENTFD] = {"fdEventfds", "fds: eventfds"},
	[STRESS_FD_INOTIFY] = {"fdInotify", "fds: inotify"},
	[STRESS_FD_FILE] = {"fdFiles", "fds: files"},
	[STRESS_FD_OTHER] = {"fdOthers", "fds: others"},
	[STRESS_WATCHES] = {"inotifyWatches", "inotify watches"},
	[STRESS_CHILDREN] = {"children", "children"},
	[STRESS_ZOMBIES] = {"zombies", "zombies"},
	[STRESS_PROCESSES] = {"processes", "processes on the host"},
	[STRESS_MOUNTS] = {"mounts", "mounts"},
	[STRESS_CGROUPS] = {"cgroups", "cgroups"},
	[STRESS_SOCKETS] = {"sockets", "socket files"},
	[STRESS_FILES] = {"files", "files"},
	[STRESS_LEAVINGS] = {"leavings", "files in deleted bundles"},
};

const char *stress_class_title(enum stress_class c)
{
	return names[c].title;
}

const char *stress_class_key(enum stress_class c)
{
	return names[c].key;
}

enum stress_class stress_class_of(int64_t pid, const struct look_open *o)
{
	const char *what = o->what;
	char path[64];
	struct stat st;

	if (strncmp(what, "pipe:", 5) == 0)
		return STRESS_FD_PIPE;
	if (strncmp(what, "socket:", 7) == 0)
		return STRESS_FD_SOCKET;
	if (strcmp(what, "anon_inode:[eventfd]") == 0)
		return STRESS_FD_EVENTFD;
	if (strcmp(what, "anon_inode:inotify") == 0)
		return STRESS_FD_INOTIFY;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd/%d", pid, o->number);
	if (*what != '/' || stat(path, &st) < 0)
		return STRESS_FD_OTHER;
	return S_ISFIFO(st.st_mode) ? STRESS_FD_FIFO : STRESS_FD_FILE;
}

void stress_look_into(
	struct stress_look *l, int64_t pid, int number, enum stress_class c)
{
	char path[64], line[256], item[320];
	FILE *f;

	if (c != STRESS_FD_INOTIFY)
		return;
	snprintf(
		path, sizeof(path), "/proc/%" PRId64 "/fdinfo/%d", pid, number);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "inotify ", 8) != 0)
			continue;
		snprintf(item, sizeof(item), "fd %d: %.*s", number,
			(int)strcspn(line, "\n"), line);
		stress_look_add(l, STRESS_WATCHES, item);
	}
	fclose(f);
}
