/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"
#include "platform/file.h"

#define RECORD_MAX (64u << 10)

static void put_if(yajl_gen g, const char *key, const char *text)
{
	if (text && *text)
		ctl_json_put(g, key, text);
}

int ctl_record_write(
	const struct ctl_place *p, const struct ctl_record *r, struct err *e)
{
	const struct client_container *k = &r->container;
	yajl_gen g = yajl_gen_alloc(NULL);
	char *text;
	int rc;

	if (!g)
		return err_sys(e, -ENOMEM, "write '%s'", p->record);
	yajl_gen_map_open(g);
	ctl_json_put(g, "namespace", k->ns);
	ctl_json_put(g, "id", k->id);
	ctl_json_put(g, "bundle", k->bundle);
	ctl_json_put(g, "shim", k->shim);
	put_if(g, "events", k->events);
	put_if(g, "publisher", k->publisher);
	put_if(g, "runtime", k->runtime);
	put_if(g, "runtimeRoot", k->runtime_root);
	put_if(g, "address", r->address);
	ctl_json_put_number(g, "version", r->version);
	put_if(g, "rootfs", r->rootfs);
	put_if(g, "cgroup", r->cgroup);
	ctl_json_put_bool(g, "keep", r->keep);
	put_if(g, "checkpoint", k->checkpoint);
	ctl_json_put_bool(g, "detached", r->detached);
	ctl_json_put_bool(g, "remove", r->remove);
	ctl_json_put_bool(g, "terminal", r->terminal);
	ctl_json_put_bool(g, "interactive", r->interactive);
	ctl_json_put_bool(g, "debug", k->debug);
	ctl_json_put_number(g, "dialect", k->dialect);
	yajl_gen_map_close(g);
	rc = ctl_json_take(g, &text);
	if (rc == 0) {
		rc = file_write(p->record, text, strlen(text));
		free(text);
	}
	return rc < 0 ? err_sys(e, rc, "write '%s'", p->record) : 0;
}

static bool get_bool(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, yajl_t_true) != NULL;
}

static void record_fill(struct ctl_record *r, yajl_val v)
{
	static const char *version_path[] = {"version", NULL};
	static const char *dialect_path[] = {"dialect", NULL};
	yajl_val version = yajl_tree_get(v, version_path, yajl_t_number);
	yajl_val dialect = yajl_tree_get(v, dialect_path, yajl_t_number);
	struct client_container *k = &r->container;
	const char *address = ctl_json_get(v, "address");

	k->ns = ctl_json_get(v, "namespace");
	k->id = ctl_json_get(v, "id");
	k->bundle = ctl_json_get(v, "bundle");
	k->shim = ctl_json_get(v, "shim");
	k->events = ctl_json_get(v, "events");
	k->publisher = ctl_json_get(v, "publisher");
	k->runtime = ctl_json_get(v, "runtime");
	k->runtime_root = ctl_json_get(v, "runtimeRoot");
	r->rootfs = ctl_json_get(v, "rootfs");
	r->cgroup = ctl_json_get(v, "cgroup");
	r->creating = true;
	r->keep = get_bool(v, "keep");
	r->detached = get_bool(v, "detached");
	r->remove = get_bool(v, "remove");
	r->terminal = get_bool(v, "terminal");
	r->interactive = get_bool(v, "interactive");
	k->checkpoint = ctl_json_get(v, "checkpoint");
	k->debug = get_bool(v, "debug");
	if (dialect && YAJL_IS_INTEGER(dialect) &&
		YAJL_GET_INTEGER(dialect) >= 0 &&
		YAJL_GET_INTEGER(dialect) <= CLIENT_DIALECT_BOOTSTRAP)
		k->dialect = (enum client_dialect)YAJL_GET_INTEGER(dialect);
	if (version && YAJL_IS_INTEGER(version))
		r->version = (unsigned)YAJL_GET_INTEGER(version);
	if (address)
		snprintf(r->address, sizeof(r->address), "%s", address);
}

int ctl_record_read(
	const struct ctl_place *p, struct ctl_record *ret, struct err *e)
{
	struct client_container *k = &ret->container;
	yajl_val v;
	int r;

	*ret = (struct ctl_record){0};
	r = ctl_json_read(p->record, RECORD_MAX, &v, e);
	if (r < 0)
		return r;
	ret->text = v;
	record_fill(ret, v);
	if (k->ns && k->id && k->bundle && k->shim)
		return 0;
	ctl_record_clear(ret);
	return err_set(e, -EINVAL, "'%s' is not complete", p->record);
}

void ctl_record_clear(struct ctl_record *r)
{
	yajl_tree_free(r->text);
	*r = (struct ctl_record){0};
}
