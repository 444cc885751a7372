/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress_look.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/look.h"

#define ITEMS_MAX 4096

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

void stress_items_add(struct stress_items *x, const char *item)
{
	char **more, *copy;

	if (x->n >= ITEMS_MAX)
		return;
	if (x->n == x->size) {
		size_t size = x->size ? 2 * x->size : 16;

		more = realloc(x->items, size * sizeof(*more));
		if (!more)
			return;
		x->items = more;
		x->size = size;
	}
	copy = strdup(item);
	if (copy)
		x->items[x->n++] = copy;
}

bool stress_items_have(const struct stress_items *x, const char *item)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (strcmp(x->items[i], item) == 0)
			return true;
	return false;
}

void stress_items_clear(struct stress_items *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		free(x->items[i]);
	free(x->items);
	*x = (struct stress_items){0};
}

void stress_look_clear(struct stress_look *l)
{
	size_t i;

	for (i = 0; i < STRESS_N_CLASSES; i++)
		stress_items_clear(&l->items[i]);
	*l = (struct stress_look){0};
}

void stress_look_add(
	struct stress_look *l, enum stress_class c, const char *item)
{
	l->count[c]++;
	stress_items_add(&l->items[c], item);
}

struct looking {
	struct stress_look *look;
	int64_t pid;
};

static enum stress_class class_of(int64_t pid, int number, const char *what)
{
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
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd/%d", pid, number);
	if (*what != '/' || stat(path, &st) < 0)
		return STRESS_FD_OTHER;
	return S_ISFIFO(st.st_mode) ? STRESS_FD_FIFO : STRESS_FD_FILE;
}

static void look_watches(struct stress_look *l, int64_t pid, int number)
{
	char path[64], line[256], item[320];
	FILE *f;

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

static void on_open(const struct look_open *o, void *arg)
{
	struct looking *x = arg;
	enum stress_class c = class_of(x->pid, o->number, o->what);
	char item[320];

	snprintf(item, sizeof(item), "fd %d -> %s", o->number, o->what);
	stress_look_add(x->look, c, item);
	x->look->fds++;
	if (c == STRESS_FD_INOTIFY)
		look_watches(x->look, x->pid, o->number);
}

static void on_child(int64_t child, void *arg)
{
	struct looking *x = arg;
	struct look_process p;
	char item[640];
	bool dead;

	if (look_process(child, &p) < 0)
		return;
	dead = p.state == 'Z';
	snprintf(item, sizeof(item), "process %" PRId64 ": %s", child,
		*p.command ? p.command : p.name);
	stress_look_add(x->look, dead ? STRESS_ZOMBIES : STRESS_CHILDREN, item);
}

static unsigned count_threads(int64_t pid)
{
	char path[64];
	struct dirent *d;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

void stress_look_shim(struct stress_look *l, const struct stress_where *w)
{
	struct looking x = {.look = l, .pid = w->shim};
	struct look_memory m;

	look_open(w->shim, on_open, &x);
	look_children(w->shim, on_child, &x);
	l->threads = count_threads(w->shim);
	look_memory(w->shim, &m);
	l->pss = (double)m.proportional;
	l->own = (double)m.own;
	l->rss = (double)m.resident;
	l->gone = l->rss <= 0;
}
