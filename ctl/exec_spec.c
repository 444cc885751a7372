/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/exec.h"
#include "ctl/json.h"

#define CONFIG_MAX (16u << 20)
#define TERM_MAX 128

struct making {
	yajl_gen g;
	const struct ctl_exec_options *o;
	bool has_term;
};

static bool is_name_of(const char *env, const char *name)
{
	size_t n = strcspn(name, "=");

	return strncmp(env, name, n) == 0 && env[n] == '=';
}

static bool is_replaced(const struct making *m, const char *env)
{
	size_t i;

	for (i = 0; i < m->o->n_env; i++)
		if (is_name_of(env, m->o->env[i]))
			return true;
	return false;
}

static void note_term(struct making *m, const char *env)
{
	m->has_term |= is_name_of(env, "TERM");
}

/* The container's own, ours, and what a terminal is. */
static void put_env(struct making *m, yajl_val process)
{
	static const char *path[] = {"env", NULL};
	yajl_val all = yajl_tree_get(process, path, yajl_t_array);
	const char *term = getenv("TERM"), *text;
	char line[TERM_MAX];
	size_t i;

	ctl_json_put_array(m->g, "env");
	for (i = 0; all && i < all->u.array.len; i++) {
		text = YAJL_GET_STRING(all->u.array.values[i]);
		if (!text || is_replaced(m, text))
			continue;
		ctl_json_text(m->g, text);
		note_term(m, text);
	}
	for (i = 0; i < m->o->n_env; i++) {
		ctl_json_text(m->g, m->o->env[i]);
		note_term(m, m->o->env[i]);
	}
	if (m->o->terminal && !m->has_term) {
		snprintf(line, sizeof(line), "TERM=%s",
			term && *term ? term : "xterm");
		ctl_json_text(m->g, line);
	}
	yajl_gen_array_close(m->g);
}

static void put_user(struct making *m)
{
	ctl_json_put_map(m->g, "user");
	ctl_json_put_number(m->g, "uid", m->o->uid);
	ctl_json_put_number(m->g, "gid", m->o->gid);
	yajl_gen_map_close(m->g);
}

/* As execve(2) would have it for whoever is not root: capabilities(7). */
static void put_bounding(struct making *m, yajl_val capabilities)
{
	static const char *path[] = {"bounding", NULL};
	yajl_val bounding = yajl_tree_get(capabilities, path, yajl_t_array);

	ctl_json_put_map(m->g, "capabilities");
	if (bounding) {
		ctl_json_key(m->g, "bounding");
		ctl_json_copy(m->g, bounding);
	}
	yajl_gen_map_close(m->g);
}

/* False if it goes as it is. */
static bool put_changed(struct making *m, const char *key, yajl_val value)
{
	static const char *const written[] = {
		"args", "commandLine", "terminal", "consoleSize", "env"};
	size_t i;

	for (i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		if (strcmp(key, written[i]) == 0)
			return true;
	if (m->o->cwd && strcmp(key, "cwd") == 0)
		return true;
	if (!m->o->has_user)
		return false;
	if (strcmp(key, "capabilities") == 0 && m->o->uid != 0) {
		put_bounding(m, value);
		return true;
	}
	return strcmp(key, "user") == 0;
}

static void put_size(struct making *m)
{
	uint32_t width, height;

	if (!m->o->terminal || !ctl_terminal_size(&width, &height))
		return;
	ctl_json_put_map(m->g, "consoleSize");
	ctl_json_put_number(m->g, "height", height);
	ctl_json_put_number(m->g, "width", width);
	yajl_gen_map_close(m->g);
}

static void put_process(struct making *m, yajl_val process)
{
	const struct ctl_exec_options *o = m->o;
	size_t i;

	yajl_gen_map_open(m->g);
	for (i = 0; i < process->u.object.len; i++) {
		const char *key = process->u.object.keys[i];
		yajl_val value = process->u.object.values[i];

		if (put_changed(m, key, value))
			continue;
		ctl_json_key(m->g, key);
		ctl_json_copy(m->g, value);
	}
	ctl_json_key(m->g, "args");
	ctl_json_texts(m->g, (const char *const *)o->command);
	ctl_json_put_bool(m->g, "terminal", o->terminal);
	put_size(m);
	put_env(m, process);
	if (o->cwd)
		ctl_json_put(m->g, "cwd", o->cwd);
	if (o->has_user)
		put_user(m);
	yajl_gen_map_close(m->g);
}

int ctl_exec_spec(const char *config, const struct ctl_exec_options *o,
	char **ret, struct err *e)
{
	static const char *path[] = {"process", NULL};
	struct making m = {.o = o};
	yajl_val all, process;
	int r = ctl_json_read(config, CONFIG_MAX, &all, e);

	if (r < 0)
		return r;
	process = yajl_tree_get(all, path, yajl_t_object);
	if (!process)
		r = err_set(e, -EINVAL, "'%s' has no process", config);
	if (r == 0 && !(m.g = yajl_gen_alloc(NULL)))
		r = err_sys(e, -ENOMEM, "the process's spec");
	if (r == 0) {
		put_process(&m, process);
		r = ctl_json_take(m.g, ret);
		if (r < 0)
			err_sys(e, r, "the process's spec");
	}
	yajl_tree_free(all);
	return r;
}
