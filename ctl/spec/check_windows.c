/* SPDX-License-Identifier: Apache-2.0 */
/* windows, and mounts and root there: config-windows.md and what hcsshim,
 * the shim of Windows, refuses. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"
#include "ctl/spec/winpath.h"

#define LIST_MAX 1000 /* that are compared with each other */
#define HOST_PROCESS "microsoft.com/hostprocess-container"

static const struct doc_node *in_windows(
	const struct check *c, const char *key, enum doc_type type)
{
	return doc_get_type(doc_get(c->doc.top, "windows"), key, type);
}

static void check_layers(struct check *c)
{
	const struct doc_node *all = in_windows(c, "layerFolders", DOC_ARRAY);
	const struct doc_node *i, *j;

	if (!all)
		return;
	if (all->n == 0)
		check_error(c, all,
			"is empty: at least the scratch must be "
			"there, as the last");
	else if (all->n == 1)
		check_warn(c, all,
			"has one folder, which is the scratch: there "
			"is no layer of an image");
	for (i = all->first; i; i = i->next) {
		if (i->type != DOC_STRING)
			continue;
		if (!winpath_is_absolute(i->text))
			check_error(c, i, "'%.80s' must be an absolute path",
				i->text);
		for (j = all->first; j != i && i->index < LIST_MAX; j = j->next)
			if (j->type == DOC_STRING &&
				strcasecmp(i->text, j->text) == 0) {
				check_error(c, i, "'%.80s' is listed twice",
					i->text);
				break;
			}
	}
}

/* A value, or the annotation that hcsshim prefers to it; NULL: not set. */
static const struct doc_node *limit_of(
	const struct check *c, const char *field, const char *annotation)
{
	const struct doc_node *cpu =
		doc_get(in_windows(c, "resources", DOC_OBJECT), "cpu");
	const struct doc_node *v =
		doc_get(doc_get(c->doc.top, "annotations"), annotation);
	long long n;

	if (doc_text(v) && *v->text && strcmp(v->text, "0") != 0)
		return v;
	v = doc_get(cpu, field);
	return v && doc_int(v, &n) && n != 0 ? v : NULL;
}

static void check_cpu(struct check *c)
{
	const struct doc_node *set[] = {
		limit_of(c, "count", "io.microsoft.container.processor.count"),
		limit_of(
			c, "shares", "io.microsoft.container.processor.weight"),
		limit_of(c, "maximum",
			"io.microsoft.container.processor.limit")};
	static const char *const names[] = {"count", "shares", "maximum"};
	int i, first = -1;
	long long n;

	for (i = 0; i < 3; i++) {
		if (!set[i])
			continue;
		if (first >= 0) {
			check_error(c, set[i],
				"is set, and so is %s: only one "
				"of count, shares and maximum "
				"may be",
				names[first]);
			check_hint(c, "Windows would take count before shares "
				      "before maximum");
		} else {
			first = i;
		}
		if (i > 0 && doc_int(set[i], &n) && n > 10000) {
			check_error(c, set[i], "%lld must be at most 10000", n);
			if (i == 2)
				check_hint(c, "it is a percentage times 100 of "
					      "all CPUs");
		}
	}
}

static void check_limits(struct check *c)
{
	const struct doc_node *resources =
		in_windows(c, "resources", DOC_OBJECT);
	const struct doc_node *v =
		doc_get(doc_get(resources, "memory"), "limit");
	long long n;

	check_cpu(c);
	if (v && doc_int(v, &n) && n > 0 && n < 1 << 20) {
		check_warn(c, v,
			"%lld bytes are less than a megabyte, the "
			"unit of Windows",
			n);
		check_hint(c, "the unit here is bytes: 512 MiB is 536870912");
	}
}

static void check_credentials(struct check *c)
{
	const struct doc_node *v =
		doc_get(doc_get(c->doc.top, "windows"), "credentialSpec");
	struct doc inner = {0};
	struct err e = {0};

	if (!v || v->type == DOC_NULL)
		return;
	if (v->type == DOC_OBJECT) {
		check_warn(c, v,
			"is an object, as the specification says, but "
			"hcsshim and dockerd have a string here");
		check_hint(c, "write the object as a string: \"{\\\"...\"");
		return;
	}
	if (v->type != DOC_STRING) {
		check_error(c, v, "must be a string that holds a JSON object");
		return;
	}
	if (doc_parse(&inner, v->text, v->text_n, &e) < 0)
		check_error(c, v, "does not hold a JSON object: %s", e.msg);
	else if (inner.top->type != DOC_OBJECT)
		check_error(c, v, "does not hold a JSON object");
	c->no_memory |= e.code == -ENOMEM;
	doc_free(&inner);
}

static void check_network(struct check *c)
{
	static const char *const others[] = {"endpointList",
		"allowUnqualifiedDNSQuery", "DNSSearchList",
		"networkSharedContainerName"};
	const struct doc_node *net = in_windows(c, "network", DOC_OBJECT);
	const char *ns = doc_get_text(net, "networkNamespace");
	const struct doc_node *v;
	size_t i;

	for (i = 0; ns && *ns && i < 4; i++) {
		v = doc_get(net, others[i]);
		if (!v || v->type == DOC_NULL ||
			(v->type == DOC_ARRAY && !v->n))
			continue;
		if (v->type == DOC_BOOL && !doc_is_true(v))
			continue;
		if (v->type == DOC_STRING && !*v->text)
			continue;
		check_error(c, v,
			"is set, and so is networkNamespace, which "
			"must be alone");
		check_hint(c, "endpoints are the namespace's");
	}
	v = doc_get_type(net, "endpointList", DOC_ARRAY);
	for (v = v ? v->first : NULL; v; v = v->next)
		if (v->type == DOC_STRING && !winpath_is_guid(v->text))
			check_warn(c, v, "'%.60s' is no GUID of an endpoint",
				v->text);
}

static void check_device(struct check *c, const struct doc_node *v)
{
	const struct doc_node *id = doc_get_type(v, "id", DOC_STRING);
	const struct doc_node *type = doc_get_type(v, "idType", DOC_STRING);
	const char *near;

	if (!id || !type)
		return;
	if (!names_has(names_windows_devices, type->text)) {
		check_warn(
			c, type, "'%.40s' is not known to hcsshim", type->text);
		near = check_nearest(c, names_windows_devices, type->text);
		check_hint(c,
			near ? "did you mean '%s'?"
			     : "'%s' is what the specification has",
			near ? near : "class");
	} else if (strstr(type->text, "class") && !winpath_is_guid(id->text)) {
		check_error(c, id,
			"'%.60s' is no GUID of a device interface "
			"class",
			id->text);
	} else if (!*id->text) {
		check_error(c, id, "is empty");
	}
}

static bool is_host_process(const struct check *c)
{
	const char *v =
		doc_get_text(doc_get(c->doc.top, "annotations"), HOST_PROCESS);

	return v && strcasecmp(v, "true") == 0;
}

/* config.md, "Root". Without a root the layers are mounted by the shim. */
static void check_windows_root(struct check *c)
{
	const struct doc_node *root =
		doc_get_type(c->doc.top, "root", DOC_OBJECT);
	const struct doc_node *path = doc_get_type(root, "path", DOC_STRING);
	bool hyperv = doc_get(doc_get(c->doc.top, "windows"), "hyperv");

	if (doc_is_true(doc_get(root, "readonly"))) {
		check_error(c, doc_get(root, "readonly"),
			"is true: Windows has no read-only root");
		check_hint(c, "leave it out");
	}
	if (!path || !*path->text)
		return;
	if (hyperv) {
		check_error(c, path,
			"is set: with Hyper-V isolation it must "
			"not be");
		check_hint(c, "leave root out; the layers are enough");
	} else if (!winpath_is_volume(path->text)) {
		check_error(c, path, "'%.80s' is no volume", path->text);
		check_hint(c, "write it as \"\\\\\\\\?\\\\Volume{GUID}\\\\\"");
	}
}

static bool is_nested(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 0 && strchr("\\/", folder[n - 1]))
		n--;
	return n > 0 && strncasecmp(path, folder, n) == 0 &&
	       (!path[n] || strchr("\\/", path[n]));
}

static void check_mount_nested(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const struct doc_node *at = doc_get_type(v, "destination", DOC_STRING);
	const struct doc_node *i;
	const char *other;

	if (!at || v->index >= LIST_MAX || winpath_is_pipe(at->text))
		return;
	for (i = all->first; i != v; i = i->next) {
		other = doc_get_text(i, "destination");
		if (!other || (!is_nested(at->text, other) &&
				      !is_nested(other, at->text)))
			continue;
		check_error(c, at,
			"'%.80s' and mounts[%zu], '%.80s', are in "
			"each other",
			at->text, i->index, other);
		return;
	}
}

static void check_mount(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const struct doc_node *at = doc_get_type(v, "destination", DOC_STRING);
	const struct doc_node *from = doc_get_type(v, "source", DOC_STRING);
	const struct doc_node *i = doc_get_type(v, "options", DOC_ARRAY);

	if (at && !winpath_is_absolute(at->text)) {
		check_error(
			c, at, "'%.80s' must be an absolute path", at->text);
		check_hint(c, "such as \"C:\\\\data\"");
	}
	if (!from || !*from->text)
		check_missing(c, v, "source", "is missing");
	else if (!winpath_is_pipe(from->text) &&
		 (!isalpha((unsigned char)from->text[0]) ||
			 !winpath_is_absolute(from->text)))
		check_error(c, from,
			"'%.80s' must be a folder on a drive of the "
			"host, or a pipe",
			from->text);
	for (i = i ? i->first : NULL; i; i = i->next)
		if (i->type == DOC_STRING && strcasecmp(i->text, "ro") != 0 &&
			strcasecmp(i->text, "rw") != 0)
			check_warn(c, i, "'%.40s' means nothing on Windows",
				i->text);
	check_mount_nested(c, all, v);
}

static void check_windows_mounts(struct check *c)
{
	const struct doc_node *all =
		doc_get_type(c->doc.top, "mounts", DOC_ARRAY);
	const struct doc_node *i;

	for (i = all ? all->first : NULL; i; i = i->next)
		if (i->type == DOC_OBJECT)
			check_mount(c, all, i);
}

void check_windows(struct check *c)
{
	const struct doc_node *section = doc_get(c->doc.top, "windows"), *v;
	const struct doc_node *other = doc_get(c->doc.top, "linux");

	if (c->os == CHECK_WINDOWS && !section)
		check_missing(c, c->doc.top, "windows", "is missing");
	if (section && other) {
		check_warn_key(c, section, "is there, and so is linux");
		check_hint(c, "that is for Linux containers on a Windows host; "
			      "otherwise keep the one you mean");
	}
	if (!section || section->type != DOC_OBJECT)
		return;
	check_layers(c);
	check_limits(c);
	check_credentials(c);
	check_network(c);
	v = in_windows(c, "devices", DOC_ARRAY);
	for (v = v ? v->first : NULL; v; v = v->next)
		check_device(c, v);
	if (is_host_process(c) && doc_get(section, "hyperv"))
		check_error(c, doc_get(section, "hyperv"),
			"is set: a host process container is not isolated");
	if (c->os != CHECK_WINDOWS)
		return;
	check_windows_root(c);
	check_windows_mounts(c);
}
