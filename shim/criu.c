/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/criu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/json.h"
#include "platform/json_write.h"

#define OPTIONS_NAME "criu-options.json"
#define OPTIONS_MAX 4096

/* Enough for the errors at its end, however much it has to say. */
#define LOG_TAIL (64 * 1024)
#define ERRORS_QUOTED 3

static const char *const namespaces[CRIU_NAMESPACES] = {
	"network", "ipc", "uts", "pid", "mount", "user", "cgroup"};

static const char *const modes[] = {"soft", "full", "strict", "ignore"};

const char *criu_namespace(size_t i)
{
	return i < CRIU_NAMESPACES ? namespaces[i] : "";
}

int criu_set_empty(struct criu *c, const char *ns, struct err *e)
{
	size_t i;

	for (i = 0; i < CRIU_NAMESPACES; i++) {
		if (strcmp(ns, namespaces[i]) != 0)
			continue;
		c->empty[i] = true;
		return 0;
	}
	return err_set(e, -EINVAL,
		"empty_namespaces: there is no namespace '%.64s'", ns);
}

int criu_set_cgroups_mode(struct criu *c, const char *mode, struct err *e)
{
	size_t i;

	if (!*mode) {
		c->cgroups_mode = NULL;
		return 0;
	}
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i]) != 0)
			continue;
		c->cgroups_mode = modes[i];
		return 0;
	}
	return err_set(e, -EINVAL,
		"cgroups_mode '%.64s' is none of soft, full, strict, ignore",
		mode);
}

int criu_relative(const char *image, const char *parent, char *buf, size_t n,
	struct err *e)
{
	char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
	size_t used = 0;
	const char *p;
	int len;

	if (file_real_folder(image, from) < 0)
		return err_sys(e, -EINVAL, "image '%s'", image);
	if (*parent == '/')
		len = snprintf(to, sizeof(to), "%s", parent);
	else
		len = snprintf(to, sizeof(to), "%s/%s", from, parent);
	if (len >= (int)sizeof(to) || file_real_folder(to, to) < 0)
		return err_set(e, -EINVAL,
			"parent image '%s': there is no such folder (seen from "
			"'%s')",
			parent, image);
	for (p = from; p && used < n; p = strchr(p + 1, '/'))
		used += (size_t)snprintf(buf + used, n - used, "../");
	if (used < n)
		used += (size_t)snprintf(buf + used, n - used, "%s", to + 1);
	return used < n ? 0
			: err_set(e, -ENAMETOOLONG,
				  "the name of parent image '%s' is too long",
				  parent);
}

int criu_save(const struct criu *c, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	struct json_out o = {0};
	auto_free char *text = NULL;
	size_t i;
	int r;

	json_open(&o, NULL, '{');
	json_bool(&o, "open_tcp", c->open_tcp);
	json_bool(&o, "external_unix_sockets", c->external_unix_sockets);
	json_bool(&o, "file_locks", c->file_locks);
	json_bool(&o, "terminal", c->terminal);
	json_text(&o, "cgroups_mode", c->cgroups_mode ? c->cgroups_mode : "");
	json_open(&o, "empty_namespaces", '[');
	for (i = 0; i < CRIU_NAMESPACES; i++)
		if (c->empty[i])
			json_text(&o, NULL, namespaces[i]);
	json_close(&o);
	json_close(&o);
	text = o.data;
	r = json_ok(&o) ? bundle_path(c->image, OPTIONS_NAME, path) : -ENOMEM;
	if (r == 0)
		r = file_write(path, text, o.n);
	return r < 0 ? err_sys(e, r, "write '%s/" OPTIONS_NAME "'", c->image)
		     : 0;
}

struct loading {
	struct criu *c;
	struct err *e;
	int r;
};

static bool *flag_of(struct criu *c, const char *name)
{
	if (strcmp(name, "open_tcp") == 0)
		return &c->open_tcp;
	if (strcmp(name, "external_unix_sockets") == 0)
		return &c->external_unix_sockets;
	if (strcmp(name, "file_locks") == 0)
		return &c->file_locks;
	return strcmp(name, "terminal") == 0 ? &c->terminal : NULL;
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct loading *l = arg;
	char word[65];
	bool *flag;

	if (l->r < 0)
		return;
	if (type == JSON_BOOL) {
		flag = flag_of(l->c, path);
		if (flag)
			*flag = n == 4;
	}
	if (type != JSON_STRING)
		return;
	snprintf(word, sizeof(word), "%.*s", (int)(n < 64 ? n : 64), text);
	if (strcmp(path, "cgroups_mode") == 0)
		l->r = criu_set_cgroups_mode(l->c, word, l->e);
	else if (strcmp(path, "empty_namespaces[]") == 0)
		l->r = criu_set_empty(l->c, word, l->e);
}

int criu_load(struct criu *c, struct err *e)
{
	struct loading l = {.c = c, .e = e};
	char path[BUNDLE_PATH_MAX];
	auto_free char *text = NULL;
	size_t n;
	int r = bundle_path(c->image, OPTIONS_NAME, path);

	if (r < 0)
		return err_sys(e, r, "image '%s'", c->image);
	r = file_read(path, OPTIONS_MAX, &text, &n, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = json_scan(text, n, on_value, &l, e);
	if (r == 0)
		r = l.r;
	if (r < 0)
		err_prefix(e, "%s", path);
	return r;
}

/* CRIU writes "(00.012345)      1: Error (criu/files.c:123): what". */
static const char *error_in(const char *line)
{
	return strstr(line, "Error (");
}

static void quote(char *log, size_t n, char *buf, size_t room)
{
	const char *last[ERRORS_QUOTED] = {NULL};
	char *p, *end;
	size_t i, used = 0;

	for (p = log; p < log + n; p = end + 1) {
		const char *found;

		end = memchr(p, '\n', (size_t)(log + n - p));
		if (!end)
			break; /* a NUL is there: end of the text */
		*end = '\0';
		found = error_in(p);
		if (!found)
			continue;
		memmove(last, last + 1, sizeof(last) - sizeof(last[0]));
		last[ERRORS_QUOTED - 1] = found;
	}
	*buf = '\0';
	for (i = 0; i < ERRORS_QUOTED && used < room; i++)
		if (last[i])
			used += (size_t)snprintf(buf + used, room - used,
				"%s%s", used > 0 ? "; " : "", last[i]);
}

int criu_work_make(struct criu_work *w, const char *bundle, const char *given,
	struct err *e)
{
	int r = 0;

	if (given && *given != '/')
		return err_set(
			e, -EINVAL, "work path '%s' must be absolute", given);
	w->ours = !given;
	if (!given)
		r = bundle_path(bundle, "criu-work", w->dir);
	else if (snprintf(w->dir, sizeof(w->dir), "%s", given) >=
		 (int)sizeof(w->dir))
		r = -ENAMETOOLONG;
	if (r == 0)
		r = file_make_folder(w->dir);
	/* never -ENOENT: to a client that is the container */
	return r < 0 ? err_set(e, -EINVAL,
			       "make CRIU's work folder in '%s': %s",
			       given ? given : bundle, strerror(-r))
		     : 0;
}

void criu_work_remove(const struct criu_work *w)
{
	if (w->ours)
		file_remove_folder(w->dir);
}

void criu_explain(const struct criu_work *w, const char *log,
	const char *bundle, struct err *e)
{
	char from[BUNDLE_PATH_MAX], to[BUNDLE_PATH_MAX], name[32];
	char errors[ERR_MSG_MAX / 2];
	auto_free char *text = NULL;
	size_t n;

	snprintf(name, sizeof(name), "criu-%s", log);
	if (bundle_path(w->dir, log, from) < 0 ||
		bundle_path(bundle, name, to) < 0 ||
		file_read_tail(from, LOG_TAIL, &text, &n, NULL) < 0)
		return;
	quote(text, n, errors, sizeof(errors));
	if (!w->ours)
		memcpy(to, from, sizeof(to));
	else if (file_rename(from, to) < 0)
		return;
	err_append(
		e, "%s%s; CRIU's log is '%s'", *errors ? ": " : "", errors, to);
}
