/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect.c - `wispctl inspect`: one container, whoever runs it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/dump_text.h"
#include "ctl/dump_words.h"
#include "ctl/outside.h"
#include "ctl/runtime_look.h"
#include "ctl/view.h"
#include "platform/auto.h"

#define CONFIG_MAX (16 << 20)

static void inspect_help(void)
{
	fputs("Usage: wispctl inspect [-n NAMESPACE] [-o text|json] [-f] "
	      "ID\n\n"
	      "Shows a container: its shim, bundle and spec, state, processes, "
	      "what is open, its\nstreams and how full they are, and commands "
	      "of the OCI runtime that are under\nway, with their age and "
	      "where "
	      "they hang. Works with any shim, with the daemon\ndead and the "
	      "runtime hung; wisp tells more.\n\n"
	      "  -n, --namespace NAME  the daemon's namespace, if ID is in "
	      "several\n"
	      "  -o, --output FORM     text (default), or json, with the whole "
	      "spec\n"
	      "  -f, --fds             list what shim and init have open, not "
	      "only how much\n"
	      "\nID may be the beginning of one.\n"
	      "\nExamples:\n"
	      "  wispctl inspect web\n"
	      "  wispctl inspect -n moby -o json 3f2a | jq .container.init\n",
		stdout);
}

static yajl_val container(const struct view *v)
{
	yajl_val all = dump_get(v->doc, "containers");
	size_t i;

	for (i = 0; i < dump_count(all); i++) {
		yajl_val c = dump_at(all, i);
		const char *id = ctl_json_get(c, "id");

		if (id && strcmp(id, v->where.id) == 0)
			return c;
	}
	return NULL;
}

/* Commands under way, and what is below each. */
static void copy_commands(yajl_gen g, yajl_val all)
{
	size_t i, j;

	yajl_gen_array_open(g);
	for (i = 0; i < dump_count(all); i++) {
		yajl_val c = dump_at(all, i);

		yajl_gen_map_open(g);
		for (j = 0; YAJL_IS_OBJECT(c) && j < c->u.object.len; j++) {
			ctl_json_key(g, c->u.object.keys[j]);
			ctl_json_copy(g, c->u.object.values[j]);
		}
		ctl_json_key(g, "below");
		runtime_look_below(dump_num(c, "pid"), g);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void copy_shim(yajl_gen g, yajl_val doc)
{
	size_t i;

	ctl_json_put_map(g, "shim");
	for (i = 0; i < doc->u.object.len; i++) {
		if (strcmp(doc->u.object.keys[i], "containers") == 0)
			continue;
		ctl_json_key(g, doc->u.object.keys[i]);
		if (strcmp(doc->u.object.keys[i], "commands") == 0)
			copy_commands(g, doc->u.object.values[i]);
		else
			ctl_json_copy(g, doc->u.object.values[i]);
	}
	yajl_gen_map_close(g);
}

/* {"shim":, "container":, "processes":, "initOpen":, "spec":} */
static int join(struct view *v, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	yajl_val c = container(v), config = NULL;
	char path[600];
	bool answers;
	int64_t init;

	if (!g)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/config.json", v->where.via);
	yajl_gen_map_open(g);
	copy_shim(g, v->doc);
	if (c) {
		ctl_json_key(g, "container");
		ctl_json_copy(g, c);
	}
	init = dump_num(dump_get(c, "init"), "pid");
	if (!init)
		init = ctl_outside_init(&v->where);
	/* who does not answer one call is not asked again */
	answers = v->why.code != -ETIME && !dump_get(v->doc, "error");
	ctl_json_key(g, "processes");
	ctl_outside_processes(answers ? v->shim : NULL, &v->where, init, g);
	if (init) {
		ctl_json_key(g, "initOpen");
		ctl_outside_open(g, init);
	}
	if (*v->where.via &&
		ctl_json_read(path, CONFIG_MAX, &config, NULL) == 0) {
		ctl_json_key(g, "spec");
		ctl_json_copy(g, config);
		yajl_tree_free(config);
	}
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

static int show_inspect(const char *text, bool fds, struct err *e)
{
	yajl_val all = yajl_tree_parse(text, NULL, 0);
	yajl_val c, shim_open, init_open;

	if (!all)
		return err_set(e, -ENOMEM, "no memory to show it");
	c = dump_get(all, "container");
	shim_open = dump_get(dump_get(all, "shim"), "open");
	init_open = dump_get(all, "initOpen");
	if (c)
		ctl_dump_text_container(c, shim_open);
	if (dump_get(all, "spec"))
		ctl_dump_text_spec(dump_get(all, "spec"));
	ctl_dump_text_processes(dump_get(all, "processes"));
	ctl_dump_text_open("init has", init_open, fds);
	putchar('\n');
	ctl_dump_text_shim(dump_get(all, "shim"));
	ctl_dump_text_open("shim has", shim_open, fds);
	yajl_tree_free(all);
	return 0;
}

int ctl_inspect(int argc, char **argv)
{
	auto_free char *text = NULL;
	struct view v = {0};
	struct view_options o;
	struct err e = {0};
	int r = view_parse(argc, argv, "n:o:fh", &o);

	if (r > 0)
		inspect_help();
	if (r != 0)
		return r > 0 ? CTL_OK : CTL_FAILED;
	r = view_open(&v, &o, &e);
	if (r == 0)
		r = view_dump(&v, false, &e);
	if (r == 0) {
		r = join(&v, &text);
		if (r < 0)
			err_sys(&e, r, "inspect");
	}
	if (r == 0 && o.json)
		puts(text);
	else if (r == 0)
		r = show_inspect(text, o.fds, &e);
	view_close(&v);
	return view_finish(r, &e);
}
