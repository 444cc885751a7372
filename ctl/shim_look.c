/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/shim_look.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/json.h"
#include "platform/listener.h"

#define CONFIG_MAX (16 << 20)
#define PREFIX "containerd-shim-"
#define UNIX_SCHEME "unix://"
#define START_MS 60000

static void find_kind(struct shim_look *l)
{
	const char *name = l->shim->words.program;

	if (l->shim->is_wisp)
		name = "wisp";
	else if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
		name += strlen(PREFIX);
	snprintf(l->kind, sizeof(l->kind), "%s", name);
}

/* The daemon's socket for events if it has one, which is what the shim uses. A
 * shim that sends no events by ttrpc has but that of its command line. */
static void find_daemon(struct shim_look *l)
{
	const char *path;
	struct look_process lp;
	char via[600];
	int r;

	if (look_environment(l->shim->pid, "TTRPC_ADDRESS", l->daemon,
		    sizeof(l->daemon)) < 0 ||
		!*l->daemon)
		snprintf(l->daemon, sizeof(l->daemon), "%s",
			l->shim->words.daemon);
	path = l->daemon;
	if (strncmp(path, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
		path += strlen(UNIX_SCHEME);
	if (*path != '/') {
		*l->daemon = '\0';
		return;
	}
	snprintf(via, sizeof(via), "/proc/%" PRId64 "/root%s", l->shim->pid,
		path);
	r = listener_owner(via, &l->daemon_pid);
	l->daemon_listens = r == 0;
	if (r == -ECONNREFUSED || r == -ENOENT)
		l->lost |= SHIM_LOST_DAEMON;
	if (l->daemon_pid > 0 && look_process(l->daemon_pid, &lp) == 0)
		snprintf(l->daemon_name, sizeof(l->daemon_name), "%s", lp.name);
}

/* Who shares a shim: containerd's documentation of shims, "grouping". */
static void find_group(struct shim_look *l)
{
	static const char *const keys[] = {
		"io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"};
	size_t i, j;

	for (i = 0; i < l->shim->n && !*l->group; i++) {
		const struct scan_container *c = &l->shim->containers[i];
		char path[600];
		yajl_val config;

		snprintf(path, sizeof(path), "%s/config.json", c->via);
		if (!*c->via ||
			ctl_json_read(path, CONFIG_MAX, &config, NULL) < 0)
			continue;
		for (j = 0; j < 2 && !*l->group; j++) {
			const char *at[] = {"annotations", keys[j], NULL};
			yajl_val v = yajl_tree_get(config, at, yajl_t_string);

			if (v)
				snprintf(l->group, sizeof(l->group), "%s",
					v->u.string);
		}
		yajl_tree_free(config);
		return; /* all containers of a shim are of one group */
	}
}

static bool is_replaced(int64_t pid)
{
	static const char deleted[] = " (deleted)";
	char link[64], path[1024];
	size_t m = strlen(deleted);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%" PRId64 "/exe", pid);
	n = readlink(link, path, sizeof(path));
	return n > (ssize_t)m && memcmp(path + n - m, deleted, m) == 0;
}

/* These leave an init.pid in the bundle of each task that was made. */
static bool leaves_pids(const struct shim_look *l)
{
	return l->shim->is_wisp || strcmp(l->kind, "runc-v2") == 0 ||
	       strcmp(l->kind, "runc-v1") == 0;
}

static void find_tasks(struct shim_look *l)
{
	size_t i, bundles = 0, made = 0;

	for (i = 0; i < l->shim->n; i++) {
		const struct scan_container *c = &l->shim->containers[i];

		l->tasks += c->pid > 0;
		made += c->made;
		bundles += *c->via != '\0';
	}
	if (l->shim->hidden)
		return;
	if (bundles == 0)
		l->lost |= SHIM_LOST_BUNDLE;
	else if (made == 0 && leaves_pids(l) && l->shim->age_ms > START_MS)
		l->lost |= SHIM_LOST_TASK;
	if (!leaves_pids(l) && made == 0)
		l->tasks = bundles;
}

void shim_look(const struct scan_shim *s, struct shim_look *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->shim = s;
	ret->fds = -1;
	find_kind(ret);
	find_tasks(ret);
	find_daemon(ret);
	find_group(ret);
	ret->replaced = is_replaced(s->pid);
	if (s->hidden)
		return;
	ret->fds = look_open_count(s->pid);
	if (ret->fds < 0)
		ret->fds = -1;
	look_memory(s->pid, &ret->memory);
}
