/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/spec/escape.h"
#include "ctl/spec/spec_windows.h"
#include "ctl/windows/run.h"
#include "platform/auto.h"
#include "platform/standard.h"

#define CONFIG_MAX (16u << 20)

/* As `cmd` is, what is not there is told by the shim. */
static int make(const struct run_options *o, char **ret, struct err *e)
{
	static const char *const shell[] = {"cmd", NULL};
	auto_free char *line = NULL;
	struct ctl_spec_windows s = {.cwd = o->cwd,
		.user = o->user,
		.env = (const char *const *)o->env,
		.annotations = o->annotations,
		.memory = o->memory,
		.cpu.count = o->cpu_count,
		.terminal = o->terminal,
		.host_process = true,
		.inherit_user = !o->user};
	uint32_t width, height;
	int r = 0;

	s.command_line = o->command_line;
	if (!s.command_line) {
		r = escape_args(
			*o->command ? (const char *const *)o->command : shell,
			&line, e);
		s.command_line = line;
	}
	if (o->terminal && terminal_size(&width, &height)) {
		s.width = width;
		s.height = height;
	}
	return r < 0 ? r : ctl_spec_make_windows(&s, ret, e);
}

static void copy_process(
	yajl_gen g, const struct run_options *o, yajl_val process)
{
	bool other = *o->command != NULL;
	size_t i;

	yajl_gen_map_open(g);
	for (i = 0; i < process->u.object.len; i++) {
		const char *key = process->u.object.keys[i];

		if (strcmp(key, "terminal") == 0 ||
			(other && (strcmp(key, "args") == 0 ||
					  strcmp(key, "commandLine") == 0)))
			continue;
		ctl_json_key(g, key);
		ctl_json_copy(g, process->u.object.values[i]);
	}
	ctl_json_put_bool(g, "terminal", o->terminal);
	if (other) {
		ctl_json_key(g, "args");
		ctl_json_texts(g, (const char *const *)o->command);
	}
	yajl_gen_map_close(g);
}

static int copy(const struct run_options *o, yajl_val v, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	size_t i;

	if (!g)
		return -ENOMEM;
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	for (i = 0; i < v->u.object.len; i++) {
		yajl_val w = v->u.object.values[i];

		ctl_json_key(g, v->u.object.keys[i]);
		if (strcmp(v->u.object.keys[i], "process") == 0 &&
			YAJL_IS_OBJECT(w))
			copy_process(g, o, w);
		else
			ctl_json_copy(g, w);
	}
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

int run_config(const struct run_options *o, char **ret, struct err *e)
{
	char path[1024];
	yajl_val v;
	int r;

	if (!o->bundle)
		return make(o, ret, e);
	if ((size_t)snprintf(path, sizeof(path), "%s\\config.json",
		    o->bundle) >= sizeof(path))
		return err_sys(e, -ENAMETOOLONG, "--bundle '%s'", o->bundle);
	r = ctl_json_read(path, CONFIG_MAX, &v, e);
	if (r < 0)
		return err_prefix(e, "--bundle");
	r = copy(o, v, ret);
	yajl_tree_free(v);
	return r < 0 ? err_sys(e, r, "copy '%s'", path) : 0;
}
