/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"

#define CONFIG_MAX (16u << 20)

/* Where in config.json a value is, for those that change. */
enum place {
	ELSEWHERE,
	AT_TOP,
	IN_PROCESS,
	IN_ROOT,
	IN_MOUNTS,
	IN_MOUNT,
};

struct copy {
	yajl_gen g;
	const char *dir; /* absolute */
	const struct ctl_bundle_changes *changes;
	int error;
};

static void copy_value(struct copy *c, yajl_val v, enum place place);

static void copy_path(struct copy *c, const char *path)
{
	char full[4096];

	if (path[0] == '/') {
		ctl_json_text(c->g, path);
		return;
	}
	if (snprintf(full, sizeof(full), "%s/%s", c->dir, path) >=
		(int)sizeof(full))
		c->error = -ENAMETOOLONG;
	ctl_json_text(c->g, full);
}

static enum place place_below(enum place place, const char *key)
{
	if (place == AT_TOP && strcmp(key, "process") == 0)
		return IN_PROCESS;
	if (place == AT_TOP && strcmp(key, "root") == 0)
		return IN_ROOT;
	if (place == AT_TOP && strcmp(key, "mounts") == 0)
		return IN_MOUNTS;
	return ELSEWHERE;
}

static bool is_bind(yajl_val mount)
{
	static const char *options_path[] = {"options", NULL};
	yajl_val v = yajl_tree_get(mount, options_path, yajl_t_array);
	const char *type = ctl_json_get(mount, "type"), *option;
	size_t i;

	if (type && strcmp(type, "bind") == 0)
		return true;
	for (i = 0; v && i < v->u.array.len; i++) {
		option = YAJL_GET_STRING(v->u.array.values[i]);
		if (option && (strcmp(option, "bind") == 0 ||
				      strcmp(option, "rbind") == 0))
			return true;
	}
	return false;
}

static bool is_changed_path(
	yajl_val map, enum place place, const char *key, yajl_val v)
{
	if (!YAJL_IS_STRING(v))
		return false;
	if (place == IN_ROOT)
		return strcmp(key, "path") == 0;
	return place == IN_MOUNT && strcmp(key, "source") == 0 && is_bind(map);
}

static bool is_changed_process(
	const struct copy *c, enum place place, const char *key)
{
	return place == IN_PROCESS &&
	       (strcmp(key, "terminal") == 0 ||
		       (c->changes->args && strcmp(key, "args") == 0));
}

static void copy_map(struct copy *c, yajl_val v, enum place place)
{
	size_t i;

	yajl_gen_map_open(c->g);
	for (i = 0; i < v->u.object.len; i++) {
		const char *key = v->u.object.keys[i];
		yajl_val value = v->u.object.values[i];

		if (is_changed_process(c, place, key))
			continue;
		ctl_json_key(c->g, key);
		if (is_changed_path(v, place, key, value))
			copy_path(c, value->u.string);
		else
			copy_value(c, value, place_below(place, key));
	}
	if (place == IN_PROCESS) {
		ctl_json_put_bool(c->g, "terminal", c->changes->terminal);
		if (c->changes->args) {
			ctl_json_key(c->g, "args");
			ctl_json_texts(c->g, c->changes->args);
		}
	}
	yajl_gen_map_close(c->g);
}

static void copy_array(struct copy *c, yajl_val v, enum place place)
{
	size_t i;

	yajl_gen_array_open(c->g);
	for (i = 0; i < v->u.array.len; i++)
		copy_value(c, v->u.array.values[i],
			place == IN_MOUNTS ? IN_MOUNT : ELSEWHERE);
	yajl_gen_array_close(c->g);
}

static void copy_value(struct copy *c, yajl_val v, enum place place)
{
	int r;

	if (place != ELSEWHERE && (YAJL_IS_OBJECT(v) || YAJL_IS_ARRAY(v))) {
		if (YAJL_IS_OBJECT(v))
			copy_map(c, v, place);
		else
			copy_array(c, v, place);
		return;
	}
	r = ctl_json_copy(c->g, v);
	if (r < 0)
		c->error = r;
}

static int copy_tree(struct copy *c, yajl_val root, char **ret)
{
	c->g = yajl_gen_alloc(NULL);
	if (!c->g)
		return -ENOMEM;
	yajl_gen_config(c->g, yajl_gen_beautify, 1);
	copy_value(c, root, AT_TOP);
	if (c->error) {
		yajl_gen_free(c->g);
		return c->error;
	}
	return ctl_json_take(c->g, ret);
}

int ctl_bundle_copy(const char *dir, const struct ctl_bundle_changes *changes,
	char **ret, struct err *e)
{
	struct copy c = {.changes = changes};
	char *real = realpath(dir, NULL), path[4096];
	yajl_val root = NULL;
	int r;

	if (!real)
		return err_sys(e, -errno, "--bundle '%s'", dir);
	c.dir = real;
	if (snprintf(path, sizeof(path), "%s/config.json", real) >=
		(int)sizeof(path))
		r = err_set(e, -ENAMETOOLONG, "the path is too long");
	else
		r = ctl_json_read(path, CONFIG_MAX, &root, e);
	if (root) {
		r = copy_tree(&c, root, ret);
		yajl_tree_free(root);
		if (r < 0)
			err_sys(e, r, "copy '%s'", path);
	}
	free(real);
	if (r < 0)
		err_prefix(e, "--bundle");
	return r;
}
