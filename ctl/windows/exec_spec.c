/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/windows/exec.h"
#include "platform/standard.h"

#define CONFIG_MAX (16u << 20)

/* As Windows compares them. */
static bool is_replaced(const struct exec_options *o, const char *env)
{
	size_t i, n = strcspn(env, "=");

	for (i = 0; i < o->n_env; i++)
		if (strncasecmp(o->env[i], env, n) == 0 && o->env[i][n] == '=')
			return true;
	return false;
}

/* The container's own, and ours. */
static void put_env(yajl_gen g, const struct exec_options *o, yajl_val process)
{
	static const char *path[] = {"env", NULL};
	yajl_val all =
		process ? yajl_tree_get(process, path, yajl_t_array) : NULL;
	size_t i;

	ctl_json_put_array(g, "env");
	for (i = 0; all && i < all->u.array.len; i++) {
		const char *text = YAJL_GET_STRING(all->u.array.values[i]);

		if (text && !is_replaced(o, text))
			ctl_json_text(g, text);
	}
	for (i = 0; i < o->n_env; i++)
		ctl_json_text(g, o->env[i]);
	yajl_gen_array_close(g);
}

static bool is_changed(const struct exec_options *o, const char *key)
{
	static const char *const written[] = {
		"args", "commandLine", "terminal", "consoleSize", "env"};
	size_t i;

	for (i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		if (strcmp(key, written[i]) == 0)
			return true;
	return o->cwd && strcmp(key, "cwd") == 0;
}

static void put_size(yajl_gen g)
{
	uint32_t width, height;

	if (!terminal_size(&width, &height))
		return;
	ctl_json_put_map(g, "consoleSize");
	ctl_json_put_number(g, "height", height);
	ctl_json_put_number(g, "width", width);
	yajl_gen_map_close(g);
}

static void put_process(
	yajl_gen g, const struct exec_options *o, yajl_val process)
{
	size_t i;

	yajl_gen_map_open(g);
	for (i = 0; process && i < process->u.object.len; i++) {
		if (is_changed(o, process->u.object.keys[i]))
			continue;
		ctl_json_key(g, process->u.object.keys[i]);
		ctl_json_copy(g, process->u.object.values[i]);
	}
	ctl_json_key(g, "args");
	ctl_json_texts(g, (const char *const *)o->command);
	ctl_json_put_bool(g, "terminal", o->terminal);
	if (o->terminal)
		put_size(g);
	put_env(g, o, process);
	if (o->cwd)
		ctl_json_put(g, "cwd", o->cwd);
	yajl_gen_map_close(g);
}

int exec_spec(const char *config, const struct exec_options *o, char **ret,
	struct err *e)
{
	static const char *path[] = {"process", NULL};
	yajl_val all = NULL, process = NULL;
	yajl_gen g;
	int r = config ? ctl_json_read(config, CONFIG_MAX, &all, e) : 0;

	if (r < 0)
		return r;
	if (all)
		process = yajl_tree_get(all, path, yajl_t_object);
	g = yajl_gen_alloc(NULL);
	if (g) {
		put_process(g, o, process);
		r = ctl_json_take(g, ret);
	}
	yajl_tree_free(all);
	if (!g)
		r = -ENOMEM;
	return r < 0 ? err_sys(e, r, "the process's spec") : 0;
}
