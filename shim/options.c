/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <yajl/yajl_gen.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "runtime_options.pb-c.h"
#include "shim/json.h"

#define OPTIONS_FILE_MAX (64 * 1024)

typedef Containerd__Runc__V1__Options RuncOptions;
typedef Runtimeoptions__V1__Options RuntimeOptions;

static int copy(const char *from, char **to)
{
	if (!from || !*from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int unpack_runc(const Any *any, struct options *ret, struct err *e)
{
	RuncOptions *o = containerd__runc__v1__options__unpack(
		NULL, any->value.len, any->value.data);
	int r = 0;

	if (!o)
		return err_set(e, -EINVAL, "options are no valid %s",
			any->type_url);
	if (copy(o->binary_name, &ret->binary) < 0 ||
		copy(o->root, &ret->root) < 0)
		r = err_set(e, -ENOMEM, "no memory for options");
	else if (o->shim_cgroup && *o->shim_cgroup)
		r = err_set(e, -EINVAL,
			"option shim_cgroup '%s' is not supported",
			o->shim_cgroup);
	ret->systemd_cgroup = o->systemd_cgroup;
	ret->no_pivot_root = o->no_pivot_root;
	ret->no_new_keyring = o->no_new_keyring;
	ret->io_uid = o->io_uid;
	ret->io_gid = o->io_gid;
	containerd__runc__v1__options__free_unpacked(o, NULL);
	return r;
}

static int unpack_runtime(const Any *any, struct err *e)
{
	RuntimeOptions *o = runtimeoptions__v1__options__unpack(
		NULL, any->value.len, any->value.data);
	int r = 0;

	if (!o)
		return err_set(e, -EINVAL, "options are no valid %s",
			any->type_url);
	if ((o->config_path && *o->config_path) || o->config_body.len > 0)
		r = err_set(e, -EINVAL,
			"options of type %s with a configuration file or body "
			"are not supported: use containerd.runc.v1.Options",
			any->type_url);
	runtimeoptions__v1__options__free_unpacked(o, NULL);
	return r;
}

int options_unpack(const Any *any, struct options *ret, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	if (!any || !any->type_url || !*any->type_url)
		return 0;
	if (any_is(any, "containerd.runc.v1.Options"))
		return unpack_runc(any, ret, e);
	if (any_is(any, "runtimeoptions.v1.Options"))
		return unpack_runtime(any, e);
	return err_set(e, -EINVAL,
		"options of unknown type '%s': known are "
		"containerd.runc.v1.Options and runtimeoptions.v1.Options",
		any->type_url);
}

static void put_string(yajl_gen g, const char *key, const char *value)
{
	if (!value)
		return;
	yajl_gen_string(g, (const unsigned char *)key, strlen(key));
	yajl_gen_string(g, (const unsigned char *)value, strlen(value));
}

static void put_bool(yajl_gen g, const char *key, bool value)
{
	if (!value)
		return;
	yajl_gen_string(g, (const unsigned char *)key, strlen(key));
	yajl_gen_bool(g, value);
}

int options_save(const struct options *o, const char *path, struct err *e)
{
	const unsigned char *text;
	yajl_gen g = yajl_gen_alloc(NULL);
	size_t n;
	int r;

	if (!g)
		return err_set(e, -ENOMEM, "no memory for '%s'", path);
	yajl_gen_map_open(g);
	put_string(g, "binary_name", o->binary);
	put_string(g, "root", o->root);
	put_bool(g, "systemd_cgroup", o->systemd_cgroup);
	put_bool(g, "no_pivot_root", o->no_pivot_root);
	put_bool(g, "no_new_keyring", o->no_new_keyring);
	yajl_gen_map_close(g);
	r = yajl_gen_get_buf(g, &text, &n) == yajl_gen_status_ok
		? file_write(path, text, n)
		: -EINVAL;
	yajl_gen_free(g);
	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

struct loading {
	struct options *o;
	bool no_memory;
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct loading *l = arg;
	char **to = NULL;

	if (type == JSON_STRING && strcmp(path, "binary_name") == 0)
		to = &l->o->binary;
	else if (type == JSON_STRING && strcmp(path, "root") == 0)
		to = &l->o->root;
	else if (type == JSON_BOOL && strcmp(path, "systemd_cgroup") == 0)
		l->o->systemd_cgroup = n == 4;
	if (!to || n == 0)
		return;
	free(*to);
	*to = strndup(text, n);
	l->no_memory |= !*to;
}

int options_load(const char *path, struct options *ret, struct err *e)
{
	struct loading l = {.o = ret};
	auto_free char *text = NULL;
	size_t n;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = file_read(path, OPTIONS_FILE_MAX, &text, &n, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = json_scan(text, n, on_value, &l, e);
	if (r < 0)
		err_prefix(e, "%s", path);
	else if (l.no_memory)
		r = err_set(e, -ENOMEM, "no memory for '%s'", path);
	return r;
}

void options_clear(struct options *o)
{
	free(o->binary);
	free(o->root);
	memset(o, 0, sizeof(*o));
}
