/* SPDX-License-Identifier: Apache-2.0 */
/* linux: namespaces, id maps, and what needs a namespace of its own. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/spec/check.h"

#define LIST_MAX 1000 /* that are compared with each other */

static const struct doc_node *in_linux(
	const struct check *c, const char *key, enum doc_type type)
{
	return doc_get_type(doc_get(c->doc.top, "linux"), key, type);
}

static const struct doc_node *find_namespace(
	const struct check *c, const char *type)
{
	const struct doc_node *i = in_linux(c, "namespaces", DOC_ARRAY);
	const char *got;

	for (i = i ? i->first : NULL; i; i = i->next) {
		got = doc_get_text(i, "type");
		if (got && strcmp(got, type) == 0)
			return i;
	}
	return NULL;
}

bool check_has_namespace(
	const struct check *c, const char *type, const char **path)
{
	const struct doc_node *v = find_namespace(c, type);
	const char *text = doc_get_text(v, "path");

	if (path)
		*path = text && *text ? text : NULL;
	return v != NULL;
}

static void check_namespace(struct check *c, const struct doc_node *v)
{
	const struct doc_node *path = doc_get_type(v, "path", DOC_STRING);
	const char *type = doc_get_text(v, "type");

	if (type && v->index < LIST_MAX && find_namespace(c, type) != v) {
		check_error(c, v, "asks for a '%.40s' namespace again", type);
		check_hint(c, "keep one of them");
	}
	if (!path || !*path->text)
		return;
	if (path->text[0] != '/') {
		check_error(c, path, "'%.80s' must be an absolute path",
			path->text);
		check_hint(c, "such as \"/proc/1234/ns/%s\"",
			!type                          ? "net"
			: strcmp(type, "network") == 0 ? "net"
			: strcmp(type, "mount") == 0   ? "mnt"
						       : type);
	} else if (c->bundle && access(path->text, F_OK) < 0) {
		check_error(
			c, path, "'%.200s': %s", path->text, strerror(errno));
	}
}

struct id_range {
	unsigned long long inside, outside, size;
};

static bool read_range(const struct doc_node *v, struct id_range *ret)
{
	long long inside, outside, size;

	if (!doc_int(doc_get(v, "containerID"), &inside) ||
		!doc_int(doc_get(v, "hostID"), &outside) ||
		!doc_int(doc_get(v, "size"), &size))
		return false;
	*ret = (struct id_range){(unsigned long long)inside,
		(unsigned long long)outside, (unsigned long long)size};
	return true;
}

static bool overlap(unsigned long long a, unsigned long long n,
	unsigned long long b, unsigned long long m)
{
	return a < b + m && b < a + n;
}

/* user_namespaces(7), "Defining user and group ID mappings". */
static void check_range(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	struct id_range r, other;
	const struct doc_node *i;

	if (!read_range(v, &r))
		return;
	if (r.size == 0) {
		check_error(c, doc_get(v, "size"), "is 0: nothing is mapped");
		return;
	}
	if (r.inside + r.size - 1 > 0xfffffffeull ||
		r.outside + r.size - 1 > 0xfffffffeull)
		check_error(c, v, "goes beyond the last id, 4294967294");
	for (i = all->first; i != v && v->index < LIST_MAX; i = i->next) {
		if (!read_range(i, &other))
			continue;
		if (overlap(r.inside, r.size, other.inside, other.size))
			check_error(c, v,
				"maps ids of the container that "
				"[%zu] maps, too",
				i->index);
		else if (overlap(r.outside, r.size, other.outside, other.size))
			check_error(c, v,
				"maps ids of the host that [%zu] "
				"maps, too",
				i->index);
		else
			continue;
		return;
	}
}

static bool is_mapped(const struct doc_node *all, unsigned long long id)
{
	struct id_range r;
	const struct doc_node *i;

	for (i = all->first; i; i = i->next)
		if (read_range(i, &r) && id >= r.inside &&
			id - r.inside < r.size)
			return true;
	return false;
}

static void check_id_maps(struct check *c, const char *key, const char *id_key)
{
	const struct doc_node *all = in_linux(c, key, DOC_ARRAY), *i;
	const struct doc_node *user =
		doc_get(doc_get(c->doc.top, "process"), "user");
	const struct doc_node *id = doc_get(user, id_key);
	long long n;

	for (i = all ? all->first : NULL; i; i = i->next)
		check_range(c, all, i);
	if (!all || all->n == 0 || !find_namespace(c, "user"))
		return;
	if (id && doc_int(id, &n) && !is_mapped(all, (unsigned long long)n)) {
		check_error(c, id, "%lld is not mapped by linux.%s", n, key);
		check_hint(c, "in the user namespace there is no such id");
	}
}

static void check_user_namespace(struct check *c)
{
	const struct doc_node *u = in_linux(c, "uidMappings", DOC_ARRAY);
	const struct doc_node *g = in_linux(c, "gidMappings", DOC_ARRAY);
	const char *path;
	bool has = check_has_namespace(c, "user", &path);
	bool maps = (u && u->n > 0) || (g && g->n > 0);

	if (has && !path && !maps) {
		check_error(c, find_namespace(c, "user"),
			"makes a user namespace, but nothing is mapped into "
			"it");
		check_hint(c, "add linux.uidMappings and linux.gidMappings; "
			      "crun alone makes up its own");
	} else if (has && !path && (!u || !g || u->n == 0 || g->n == 0)) {
		check_error(c, find_namespace(c, "user"),
			"makes a user namespace, but linux.%s is missing",
			u && u->n > 0 ? "gidMappings" : "uidMappings");
	} else if (!has && maps) {
		check_error(c, u && u->n > 0 ? u : g,
			"maps ids, but there is no user namespace");
		check_hint(c, "add {\"type\": \"user\"} to linux.namespaces");
	} else if (has && path && maps) {
		check_warn(c, u && u->n > 0 ? u : g,
			"maps ids, but the user namespace is another's");
	}
}

static void need(struct check *c, const struct doc_node *v, const char *type,
	const char *what)
{
	if (!v || v->type == DOC_NULL || check_has_namespace(c, type, NULL))
		return;
	check_error(c, v, "%s, but there is no %s namespace", what, type);
	check_hint(c, "add {\"type\": \"%s\"} to linux.namespaces", type);
}

void check_namespaces(struct check *c)
{
	const struct doc_node *i = in_linux(c, "namespaces", DOC_ARRAY), *v;

	if (c->os == CHECK_WINDOWS)
		return;
	for (i = i ? i->first : NULL; i; i = i->next)
		if (i->type == DOC_OBJECT)
			check_namespace(c, i);
	check_user_namespace(c);
	check_id_maps(c, "uidMappings", "uid");
	check_id_maps(c, "gidMappings", "gid");
	v = doc_get_type(c->doc.top, "hostname", DOC_STRING);
	if (v && *v->text)
		need(c, v, "uts", "is set");
	v = doc_get_type(c->doc.top, "domainname", DOC_STRING);
	if (v && *v->text)
		need(c, v, "uts", "is set");
	v = in_linux(c, "maskedPaths", DOC_ARRAY);
	if (v && v->n > 0)
		need(c, v, "mount", "masks paths");
	v = in_linux(c, "readonlyPaths", DOC_ARRAY);
	if (v && v->n > 0)
		need(c, v, "mount", "protects paths");
	need(c, in_linux(c, "timeOffsets", DOC_OBJECT), "time", "is set");
	need(c, in_linux(c, "netDevices", DOC_OBJECT), "network",
		"moves devices");
}
