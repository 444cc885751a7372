/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_config.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/image/image.h"
#include "ctl/json.h"

static int read_list(
	yajl_val map, const char *key, const char ***ret, struct err *e)
{
	yajl_val v = image_get(map, key, yajl_t_array);
	const char **list;
	size_t i;

	if (!v || v->u.array.len == 0)
		return 0;
	list = calloc(v->u.array.len + 1, sizeof(*list));
	if (!list)
		return err_sys(e, -ENOMEM, "configuration");
	*ret = list;
	for (i = 0; i < v->u.array.len; i++) {
		list[i] = YAJL_GET_STRING(v->u.array.values[i]);
		if (!list[i])
			return err_set(e, -EINVAL,
				"the configuration's \"%s\" is no list of "
				"texts",
				key);
	}
	return 0;
}

static int read_diff_ids(
	yajl_val document, struct image_config *ret, struct err *e)
{
	yajl_val v = image_get(image_get(document, "rootfs", yajl_t_object),
		"diff_ids", yajl_t_array);
	size_t i;
	int r = 0;

	if (!v || v->u.array.len == 0)
		return 0;
	ret->diff_ids = calloc(v->u.array.len, sizeof(*ret->diff_ids));
	if (!ret->diff_ids)
		return err_sys(e, -ENOMEM, "configuration");
	ret->n_diff_ids = v->u.array.len;
	for (i = 0; r == 0 && i < ret->n_diff_ids; i++)
		r = image_digest_parse(YAJL_GET_STRING(v->u.array.values[i]),
			&ret->diff_ids[i], e);
	return r < 0 ? err_prefix(e, "the configuration's diff_ids") : 0;
}

static const char *read_text(yajl_val map, const char *key)
{
	const char *text = map ? ctl_json_get(map, key) : NULL;

	return text && *text ? text : NULL;
}

int image_config_take(
	struct image_config *ret, yajl_val document, struct err *e)
{
	yajl_val run = image_get(document, "config", yajl_t_object);
	int r;

	ret->document = document;
	if (!YAJL_IS_OBJECT(document))
		return err_set(e, -EINVAL, "the configuration is no object");
	image_platform_set(&ret->platform, ctl_json_get(document, "os"),
		ctl_json_get(document, "architecture"),
		ctl_json_get(document, "variant"));
	ret->cwd = read_text(run, "WorkingDir");
	ret->user = read_text(run, "User");
	ret->stop_signal = read_text(run, "StopSignal");
	r = read_diff_ids(document, ret, e);
	if (r == 0)
		r = read_list(run, "Entrypoint", &ret->entrypoint, e);
	if (r == 0)
		r = read_list(run, "Cmd", &ret->cmd, e);
	return r < 0 ? r : read_list(run, "Env", &ret->env, e);
}

void image_config_clear(struct image_config *c)
{
	free(c->diff_ids);
	free(c->entrypoint);
	free(c->cmd);
	free(c->env);
	yajl_tree_free(c->document);
	*c = (struct image_config){0};
}
