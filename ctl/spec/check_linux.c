/* SPDX-License-Identifier: Apache-2.0 */
/* linux: devices, paths, sysctls, the cgroup's path. */
#include <stdio.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"
#include "platform/file.h"

#define LIST_MAX 1000 /* that are compared with each other */

static const struct doc_node *in_linux(
	const struct check *c, const char *key, enum doc_type type)
{
	return doc_get_type(doc_get(c->doc.top, "linux"), key, type);
}

static void check_device(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const struct doc_node *path = doc_get_type(v, "path", DOC_STRING);
	const struct doc_node *type = doc_get_type(v, "type", DOC_STRING);
	const struct doc_node *i, *mode = doc_get(v, "fileMode");
	long long n;

	if (path && path->text[0] != '/') {
		check_warn(c, path, "'%.80s' should be an absolute path",
			path->text);
		check_hint(c, "write \"/dev/%.80s\"", path->text);
	}
	if (type && (strlen(type->text) != 1 || !strchr("cbup", *type->text))) {
		check_error(
			c, type, "'%.20s' is no kind of device", type->text);
		check_hint(c, "use c (or u), b or p");
	} else if (type && *type->text != 'p' &&
		   (!doc_get(v, "major") || !doc_get(v, "minor"))) {
		check_missing(c, v, doc_get(v, "major") ? "minor" : "major",
			"is missing");
	}
	if (mode && doc_int(mode, &n) && n > 07777) {
		check_warn(c, mode, "%lld is no mode", n);
		check_hint(c, "JSON has no octal numbers: 0666 is 438");
	}
	if (!path || v->index >= LIST_MAX)
		return;
	for (i = all->first; i != v; i = i->next) {
		const char *other = doc_get_text(i, "path");

		if (other && strcmp(other, path->text) == 0) {
			check_warn(c, path, "'%.80s' is made a second time",
				path->text);
			return;
		}
	}
}

static void check_absolute(struct check *c, const char *key)
{
	const struct doc_node *i = in_linux(c, key, DOC_ARRAY);

	for (i = i ? i->first : NULL; i; i = i->next) {
		if (i->type != DOC_STRING || i->text[0] == '/')
			continue;
		check_error(c, i, "'%.80s' must be an absolute path", i->text);
		check_hint(c, "write \"/%.80s\"", i->text);
	}
}

/* "a/b.c" is "a.b/c": sysctl.d(5). */
static void dotted(const char *name, char *buf, size_t n)
{
	bool slashes;
	size_t i;

	snprintf(buf, n, "%s", name);
	slashes = buf[strcspn(buf, "./")] == '/';
	for (i = 0; slashes && buf[i]; i++)
		buf[i] = buf[i] == '/' ? '.' : buf[i] == '.' ? '/' : buf[i];
}

/* The namespace that a sysctl belongs to; NULL: none, it is the host's. */
static const char *sysctl_namespace(const char *name)
{
	static const char *const ipc[] = {"kernel.msgmax", "kernel.msgmnb",
		"kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced", NULL};

	if (names_has(ipc, name) || strncmp(name, "fs.mqueue.", 10) == 0)
		return "ipc";
	if (strncmp(name, "net.", 4) == 0)
		return "network";
	if (strcmp(name, "kernel.domainname") == 0)
		return "uts";
	if (strncmp(name, "user.", 5) == 0)
		return "user";
	return NULL;
}

static void check_sysctl(struct check *c, const struct doc_node *v)
{
	char name[256];
	const char *type;

	dotted(v->key, name, sizeof(name));
	type = sysctl_namespace(name);
	if (strcmp(name, "kernel.hostname") == 0) {
		check_error(c, v, "is what hostname is for");
		check_hint(c, "set hostname instead");
	} else if (!type) {
		check_error(c, v, "is the whole host's, not a container's");
		check_hint(c,
			"runtimes take sysctls of namespaces only: net.*, "
			"fs.mqueue.*, kernel.shm*, kernel.msg*, "
			"kernel.sem, kernel.domainname, user.*");
	} else if (!check_has_namespace(c, type, NULL)) {
		check_error(c, v,
			"would change the host's: there is no %s "
			"namespace",
			type);
		check_hint(
			c, "add {\"type\": \"%s\"} to linux.namespaces", type);
	}
}

/* runc and crun with --systemd-cgroup: "slice:prefix:name". */
static void check_systemd_path(
	struct check *c, const struct doc_node *v, size_t slice)
{
	const char *text = v->text, *name = strrchr(text, ':') + 1;

	if (slice > 0 &&
		(slice < 7 || strncmp(text + slice - 6, ".slice", 6) != 0 ||
			memchr(text, '/', slice))) {
		check_warn(c, v,
			"begins with '%.*s', which is no slice: "
			"refused where systemd makes the cgroups",
			(int)(slice < 80 ? slice : 80), text);
		check_hint(c,
			"write \"system.slice:%.100s\", or a path that "
			"begins with '/'",
			text + slice + 1);
	} else if (!*name) {
		check_warn(c, v, "has no name after the second ':'");
		check_hint(c, "the form is \"slice:prefix:name\"");
	} else if (strchr(name, '/')) {
		check_warn(c, v, "has a '/' in the unit's name, '%.80s'", name);
	}
}

static void check_cgroups_path(struct check *c)
{
	const struct doc_node *v = in_linux(c, "cgroupsPath", DOC_STRING);
	const char *first, *last;

	if (!v || !*v->text)
		return;
	first = strchr(v->text, ':');
	last = strrchr(v->text, ':');
	if (v->text[0] == '/' || !first) {
		if (file_goes_up(v->text))
			check_warn(c, v, "'%.80s' has '..' in it", v->text);
		return;
	}
	if (strchr(first + 1, ':') == last && last != first) {
		check_systemd_path(c, v, (size_t)(first - v->text));
		return;
	}
	check_warn(c, v, "'%.80s' is neither a path nor \"slice:prefix:name\"",
		v->text);
	check_hint(c, "begin a path with '/'");
}

static void check_propagation(struct check *c)
{
	const struct doc_node *v = in_linux(c, "rootfsPropagation", DOC_STRING);

	if (v && !check_has_namespace(c, "mount", NULL))
		check_warn(c, v, "means nothing without a mount namespace");
}

static void check_rdt(struct check *c)
{
	const struct doc_node *rdt = in_linux(c, "intelRdt", DOC_OBJECT);
	const struct doc_node *v = doc_get_type(rdt, "closID", DOC_STRING);

	if (v && (strcmp(v->text, ".") == 0 || strcmp(v->text, "..") == 0 ||
			 (strlen(v->text) > 1 && strchr(v->text, '/'))))
		check_error(c, v, "'%.60s' is no name of a folder", v->text);
	v = doc_get_type(rdt, "memBwSchema", DOC_STRING);
	if (v && (strncmp(v->text, "MB:", 3) != 0 || strchr(v->text, '\n')))
		check_error(c, v, "must be one line that begins with 'MB:'");
}

void check_linux(struct check *c)
{
	const struct doc_node *section = doc_get(c->doc.top, "linux"), *i, *all;

	if (c->os == CHECK_WINDOWS)
		return;
	if (!section) {
		check_missing(c, c->doc.top, "linux",
			"is missing: crun refuses that");
		check_hint(c, "without namespaces nothing would be contained");
		return;
	}
	all = in_linux(c, "devices", DOC_ARRAY);
	for (i = all ? all->first : NULL; i; i = i->next)
		if (i->type == DOC_OBJECT)
			check_device(c, all, i);
	check_absolute(c, "maskedPaths");
	check_absolute(c, "readonlyPaths");
	all = in_linux(c, "sysctl", DOC_OBJECT);
	for (i = all ? all->first : NULL; i; i = i->next)
		check_sysctl(c, i);
	check_cgroups_path(c);
	check_propagation(c);
	check_rdt(c);
}
