/* SPDX-License-Identifier: Apache-2.0 */
/* mounts, on Linux. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"
#include "platform/file.h"

#define MOUNTS_MAX 1000 /* that are compared with each other */

static const char *const tmpfs_options[] = {"size", "mode", "uid", "gid",
	"nr_inodes", "nr_blocks", "huge", "mpol", "inode32", "inode64",
	"noswap", "quota", "usrquota", "grpquota", NULL};
static const char *const devpts_options[] = {
	"newinstance", "ptmxmode", "mode", "uid", "gid", "max", NULL};
static const char *const proc_options[] = {"hidepid", "gid", "subset", NULL};
static const char *const no_options[] = {NULL};

/* Options of file systems that refuse any other. */
static const struct known_type {
	const char *name;
	const char *const *options;
} known_types[] = {
	{"tmpfs", tmpfs_options},
	{"devpts", devpts_options},
	{"proc", proc_options},
	{"sysfs", no_options},
	{"mqueue", no_options},
};

/* runc lets these be put over files of /proc. */
static const char *const below_proc[] = {"/proc/cpuinfo", "/proc/diskstats",
	"/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
	"/proc/loadavg", "/proc/slabinfo", "/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled", NULL};

static bool has_option(const struct doc_node *mount, const char *name)
{
	const struct doc_node *i = doc_get_type(mount, "options", DOC_ARRAY);

	for (i = i ? i->first : NULL; i; i = i->next)
		if (i->type == DOC_STRING && strcmp(i->text, name) == 0)
			return true;
	return false;
}

static bool is_bind(const struct doc_node *mount)
{
	return has_option(mount, "bind") || has_option(mount, "rbind");
}

static const char *const *options_of(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++)
		if (strcmp(type, known_types[i].name) == 0)
			return known_types[i].options;
	return NULL;
}

/* An option that no mount has; own: those of its file system, NULL: whoever
 * knows. */
static void check_option(struct check *c, const struct doc_node *v,
	const char *const *own, bool bind, const char *type)
{
	const char *text = v->text, *near;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
	if (names_has(names_mount_options, text) ||
		strncmp(text, "idmap=", 6) == 0 ||
		strncmp(text, "ridmap=", 7) == 0 ||
		(own && !bind && names_has(own, name)))
		return;
	near = check_nearest(c, names_mount_options, name);
	if (!near && own)
		near = check_nearest(c, own, name);
	if (bind) {
		check_warn(c, v,
			"'%.60s' is no option of a bind mount: it is "
			"ignored, or refused by runc from 1.2 on",
			text);
	} else if (own) {
		check_error(c, v, "'%.60s' is no option of %.20s", text, type);
	} else if (near && !strchr(text, '=') &&
		   names_distance(near, name, 1) == 1) {
		check_warn(c, v, "'%.60s' is left to the file system", text);
	} else {
		return;
	}
	if (near)
		check_hint(c, "did you mean '%s'?", near);
}

static void check_options(
	struct check *c, const struct doc_node *mount, const char *type)
{
	const struct doc_node *v = doc_get_type(mount, "options", DOC_ARRAY);
	bool bind = is_bind(mount);
	const char *const *own = options_of(type);

	if (!v)
		return;
	if (has_option(mount, "ro") && has_option(mount, "rw"))
		check_warn(c, v, "has both 'ro' and 'rw'");
	for (v = v->first; v; v = v->next)
		if (doc_text(v))
			check_option(c, v, own, bind, type);
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static void check_destination(
	struct check *c, const struct doc_node *mount, const char *type)
{
	const struct doc_node *v =
		doc_get_type(mount, "destination", DOC_STRING);

	if (!v)
		return;
	if (!*v->text) {
		check_error(c, v, "is empty");
	} else if (v->text[0] != '/') {
		check_warn(c, v, "'%.80s' should be an absolute path", v->text);
		check_hint(c, "write \"/%.80s\"", v->text);
	} else if (file_goes_up(v->text)) {
		check_warn(c, v, "'%.80s' has '..' in it", v->text);
	} else if (is_below(v->text, "/proc") && strcmp(type, "tmpfs") != 0 &&
		   !names_has(below_proc, v->text) &&
		   !is_below(v->text, "/proc/sys/net")) {
		check_error(c, v,
			"'%.80s' is in /proc, where runc mounts "
			"nothing",
			v->text);
	} else if (strcmp(v->text, "/proc") == 0 && !is_bind(mount) &&
		   strcmp(type, "proc") != 0) {
		check_error(c, v,
			"is /proc, where runc mounts nothing but "
			"proc");
	}
}

static void check_source(struct check *c, const struct doc_node *mount)
{
	const struct doc_node *v = doc_get_type(mount, "source", DOC_STRING);
	char path[FILE_PATH_MAX];

	if (!v || !*v->text) {
		check_missing(
			c, mount, "source", "is missing: what is bound there?");
		return;
	}
	if (!c->bundle)
		return;
	snprintf(path, sizeof(path), "%s%s%s",
		v->text[0] == '/' ? "" : c->bundle,
		v->text[0] == '/' ? "" : "/", v->text);
	if (access(path, F_OK) == 0)
		return;
	check_error(c, v, "'%.200s' does not exist on this host", v->text);
	if (v->text[0] != '/')
		check_hint(c, "it is looked for in the bundle: %.300s", path);
}

/* Whether this kernel has it; a module may bring it. */
static bool kernel_has(const char *type)
{
	char line[128], name[96];
	FILE *f = fopen("/proc/filesystems", "re");
	bool found = !f;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "nodev %95s", name) != 1 &&
			sscanf(line, " %95s", name) != 1)
			continue;
		found = strcmp(name, type) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static void check_type(
	struct check *c, const struct doc_node *mount, const char *type)
{
	const struct doc_node *v = doc_get(mount, "type");

	if (strcmp(type, "bind") == 0) {
		check_error(c, v,
			"is 'bind', but the options have neither "
			"'bind' nor 'rbind'");
		check_hint(c, "add \"rbind\" to the options");
	} else if (!*type) {
		check_missing(c, mount, "type",
			"is missing, and this is no bind mount");
		check_hint(c, "name a file system, or add \"rbind\" to the "
			      "options");
	} else if (c->bundle && strncmp(type, "cgroup", 6) != 0 &&
		   strncmp(type, "fuse", 4) != 0 && !kernel_has(type)) {
		check_warn(c, v,
			"'%.40s' is no file system that this kernel "
			"has, unless a module brings it",
			type);
	}
}

static void check_id_maps(struct check *c, const struct doc_node *mount)
{
	const struct doc_node *u = doc_get(mount, "uidMappings");
	const struct doc_node *g = doc_get(mount, "gidMappings");

	if (!u != !g)
		check_missing(c, mount, u ? "gidMappings" : "uidMappings",
			"is missing: an id-mapped mount needs both");
	if ((u || g) && !is_bind(mount))
		check_error(c, u ? u : g, "is for bind mounts only");
}

/* What was mounted before and cannot be seen any more. */
static void check_hidden(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const char *path = doc_get_text(v, "destination"), *other;
	const struct doc_node *i;

	if (!path || v->index >= MOUNTS_MAX || strcmp(path, "/") == 0)
		return;
	for (i = all->first; i != v; i = i->next) {
		other = doc_get_text(i, "destination");
		if (!other)
			continue;
		if (strcmp(other, path) == 0)
			check_warn(c, doc_get(v, "destination"),
				"'%.80s' is mounted over mounts[%zu]", path,
				i->index);
		else if (is_below(other, path))
			check_warn(c, doc_get(v, "destination"),
				"'%.80s' hides mounts[%zu], '%.80s'", path,
				i->index, other);
		else
			continue;
		check_hint(c, "mounts are made in the order of the list");
		return;
	}
}

static void check_mount(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const char *type = doc_get_text(v, "type");

	if (!type)
		type = "";
	check_destination(c, v, type);
	if (is_bind(v))
		check_source(c, v);
	else
		check_type(c, v, type);
	check_options(c, v, type);
	check_id_maps(c, v);
	check_hidden(c, all, v);
}

void check_mounts(struct check *c)
{
	const struct doc_node *all =
		doc_get_type(c->doc.top, "mounts", DOC_ARRAY);
	const struct doc_node *v = all ? all->first : NULL;

	if (c->os == CHECK_WINDOWS)
		return; /* check_windows.c */
	for (; v; v = v->next)
		if (v->type == DOC_OBJECT)
			check_mount(c, all, v);
}
