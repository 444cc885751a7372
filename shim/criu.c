/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/criu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "shim/bundle.h"
#include "shim/json.h"

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

static const char *text_of(bool b)
{
	return b ? "true" : "false";
}

/* No value needs to be escaped. */
int criu_save(const struct criu *c, struct err *e)
{
	char path[BUNDLE_PATH_MAX], list[128] = "", text[512];
	size_t i, n = 0;
	int r;

	for (i = 0; i < CRIU_NAMESPACES; i++)
		if (c->empty[i])
			n += (size_t)snprintf(list + n, sizeof(list) - n,
				"%s\"%s\"", n > 0 ? ", " : "", namespaces[i]);
	snprintf(text, sizeof(text),
		"{\"open_tcp\": %s, \"external_unix_sockets\": %s, "
		"\"file_locks\": %s, \"terminal\": %s, "
		"\"cgroups_mode\": \"%s\", \"empty_namespaces\": [%s]}\n",
		text_of(c->open_tcp), text_of(c->external_unix_sockets),
		text_of(c->file_locks), text_of(c->terminal),
		c->cgroups_mode ? c->cgroups_mode : "", list);
	r = bundle_path(c->image, OPTIONS_NAME, path);
	if (r == 0)
		r = file_write(path, text, strlen(text));
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

void criu_explain(const char *work, const char *log, const char *bundle,
	bool work_is_ours, struct err *e)
{
	char from[BUNDLE_PATH_MAX], to[BUNDLE_PATH_MAX], name[32];
	char errors[ERR_MSG_MAX / 2];
	auto_free char *text = NULL;
	size_t n;

	snprintf(name, sizeof(name), "criu-%s", log);
	if (bundle_path(work, log, from) < 0 ||
		bundle_path(bundle, name, to) < 0 ||
		file_read_tail(from, LOG_TAIL, &text, &n, NULL) < 0)
		return;
	quote(text, n, errors, sizeof(errors));
	if (!work_is_ours)
		memcpy(to, from, sizeof(to));
	else if (rename(from, to) < 0)
		return;
	err_append(
		e, "%s%s; CRIU's log is '%s'", *errors ? ": " : "", errors, to);
}
