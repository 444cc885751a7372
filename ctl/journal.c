/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/when.h"

#define JOURNAL_MAX (1u << 20)
#define LOCK_TRIES 20
#define LOCK_PAUSE_US 5000

int ctl_journal_path(const struct ctl_place *p, char ret[CTL_PATH_MAX])
{
	int n = snprintf(ret, CTL_PATH_MAX, "%s/" CTL_JOURNAL, p->root);

	return n < 0 || n >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

static bool is_still(const char *path, int fd, struct stat *ret)
{
	struct stat st;

	return fstat(fd, ret) == 0 && stat(path, &st) == 0 &&
	       st.st_ino == ret->st_ino && st.st_dev == ret->st_dev;
}

/* Opened and locked, and not just moved away by another writer. Somebody who
 * was stopped with the lock must not stop us: then it goes without. */
static int open_locked(const char *path, struct stat *ret)
{
	int tries, fd;

	for (tries = 0;; tries++) {
		fd = open(
			path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (tries == LOCK_TRIES || (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
						   is_still(path, fd, ret)))
			return fd;
		close(fd);
		usleep(LOCK_PAUSE_US);
	}
}

static void add_line(const char *path, const char *line)
{
	struct iovec v[] = {{(char *)line, strlen(line)}, {(char *)"\n", 1}};
	char old[CTL_PATH_MAX + 8];
	struct stat st = {0};
	int fd = open_locked(path, &st);

	if (fd < 0)
		return;
	if (writev(fd, v, 2) > 0 && st.st_size > JOURNAL_MAX) {
		snprintf(old, sizeof(old), "%s.1", path);
		rename(path, old);
	}
	close(fd);
}

void ctl_journal_add(const struct ctl_place *p, const struct client_event *ev)
{
	char path[CTL_PATH_MAX], *line;

	if (ctl_journal_path(p, path) < 0 || ctl_event_json(ev, &line) < 0)
		return;
	add_line(path, line);
	free(line);
}

static uint32_t get_number(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val n = yajl_tree_get(v, path, yajl_t_number);

	return n && YAJL_IS_INTEGER(n) ? (uint32_t)YAJL_GET_INTEGER(n) : 0;
}

static const char *get_text(yajl_val v, const char *key)
{
	const char *text = ctl_json_get(v, key);

	return text ? text : "";
}

static bool get_bool(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, yajl_t_true) != NULL;
}

int ctl_journal_parse(
	const char *line, struct client_event *ret, void **ret_text)
{
	yajl_val v = yajl_tree_parse(line, NULL, 0);
	struct client_event ev = {0};

	if (!YAJL_IS_OBJECT(v) || !ctl_json_get(v, "topic") ||
		ctl_when_parse(get_text(v, "time"), &ev.at) < 0) {
		yajl_tree_free(v);
		return -EINVAL;
	}
	ev.ns = get_text(v, "namespace");
	ev.topic = get_text(v, "topic");
	ev.type = client_event_type_of(ev.topic);
	ev.container_id = get_text(v, "id");
	ev.exec_id = get_text(v, "exec");
	ev.bundle = get_text(v, "bundle");
	ev.checkpoint = get_text(v, "checkpoint");
	ev.in = get_text(v, "stdin");
	ev.out = get_text(v, "stdout");
	ev.err = get_text(v, "stderr");
	ev.pid = get_number(v, "pid");
	ev.exit_status = get_number(v, "status");
	ev.terminal = get_bool(v, "terminal");
	*ret = ev;
	*ret_text = v;
	return 0;
}
