/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps.c - `wispctl ps`: our own containers, or the processes of any.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/own.h"
#include "ctl/ps.h"
#include "ctl/say.h"
#include "ctl/units.h"
#include "platform/look.h"

#define ANSWER_MS 3000
#define CONFIG_MAX (16u << 20)

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	CTL_TASK_LONG_OPTIONS,
};

static const struct table_column container_columns[] = {
	{.heading = "ID"},
	{.heading = "STATUS"},
	{.heading = "PID", .right = true},
	{.heading = "AGE", .right = true},
	{.heading = "COMMAND", .keep = 12},
};

static void help(void)
{
	fputs("Usage: wispctl ps [OPTIONS] [ID]\n\n"
	      "Lists our own containers, those below the root folder: how they "
	      "are, their\nfirst process, its age, and what they run. With an "
	      "ID: the processes in that\ncontainer, of any shim on the "
	      "host.\n\n"
	      "  -o, --output FORM     text (default) or json\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nThe default of --timeout is 3 s here. Process numbers and "
	      "users are the host's.\nID may be the beginning of one that was "
	      "made up, 3f2a say.\n"
	      "\nExamples:\n"
	      "  wispctl ps\n"
	      "  wispctl ps web\n"
	      "  wispctl ps -n moby -o json 3f2a | jq '.[].command'\n",
		stdout);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	(void)opt;
	return ctl_task_options_output(own, arg, e);
}

int ps_view_open(struct ps_view *v, bool json,
	const struct table_column *columns, size_t n, struct err *e)
{
	*v = (struct ps_view){0};
	if (json) {
		v->g = yajl_gen_alloc(NULL);
		if (v->g)
			yajl_gen_array_open(v->g);
	} else {
		v->table = table_new(columns, n);
	}
	return v->g || v->table ? 0 : err_sys(e, -ENOMEM, "ps");
}

int ps_view_close(struct ps_view *v, int r, struct err *e)
{
	char *text = NULL;

	if (v->g) {
		yajl_gen_array_close(v->g);
		if (ctl_json_take(v->g, &text) == 0 && r == 0)
			puts(text);
		else if (r == 0)
			r = err_sys(e, -ENOMEM, "ps");
		free(text);
	} else if (v->table && r == 0) {
		r = table_print(v->table, table_width(), 0, "\n");
		if (r < 0)
			err_sys(e, r, "ps");
	}
	table_free(v->table);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(e, -EIO, "stdout can't be written to");
	return r;
}

/* ---- containers ---- */

static const char *status_name(enum client_status s)
{
	static const char *const names[] = {"unknown", "created", "running",
		"stopped", "paused", "pausing"};

	return s <= CLIENT_PAUSING ? names[s] : "unknown";
}

/* What config.json says that it runs, with blanks between the words. */
static void command_of(const struct ctl_target *t, char *ret, size_t n)
{
	static const char *path[] = {"process", "args", NULL};
	yajl_val config, args;
	char file[CTL_PATH_MAX];
	size_t i, at = 0;

	*ret = '\0';
	if (ctl_target_path(t, "config.json", file, sizeof(file), NULL) < 0 ||
		ctl_json_read(file, CONFIG_MAX, &config, NULL) < 0)
		return;
	args = yajl_tree_get(config, path, yajl_t_array);
	for (i = 0; args && i < args->u.array.len && at < n; i++) {
		const char *word = YAJL_GET_STRING(args->u.array.values[i]);

		at += (size_t)snprintf(ret + at, n - at, "%s%s",
			i > 0 ? " " : "", word ? word : "");
	}
	yajl_tree_free(config);
}

struct container_row {
	char status[64], command[512];
	const char *id;
	uint32_t pid;
	bool has_age;
	uint64_t age_ms;
	struct client_exit exit;
	bool exited;
	const char *error; /* NULL: it has answered */
};

static void fill(struct container_row *row, struct ctl_target *t, int r,
	const struct err *e)
{
	const struct client_process *init = NULL;
	struct look_process lp;

	command_of(t, row->command, sizeof(row->command));
	if (r < 0) {
		row->error = e->msg;
		snprintf(row->status, sizeof(row->status), "%s",
			r == -ETIME ? "no answer" : "no shim");
		return;
	}
	init = client_task_init(t->task);
	row->exited = client_process_exit(init, &row->exit);
	row->pid = client_process_pid(init);
	snprintf(row->status, sizeof(row->status), "%s",
		status_name(client_process_status(init)));
	row->has_age = !row->exited && look_process(row->pid, &lp) == 0;
	if (row->has_age)
		row->age_ms = lp.age_ms;
}

static void show_container(struct ps_view *v, const struct container_row *row)
{
	char age[UNITS_MAX] = "-";

	if (row->has_age)
		units_age(row->age_ms, age);
	table_add(v->table, "%s", row->id);
	if (row->exited)
		table_add(v->table, "%s (%u)", row->status, row->exit.status);
	else
		table_add(v->table, "%s", row->status);
	if (row->pid && !row->exited)
		table_add(v->table, "%u", row->pid);
	else
		table_add(v->table, "-");
	table_add(v->table, "%s", age);
	table_add(v->table, "%s", row->command);
}

static void put_container(struct ps_view *v, const struct container_row *row)
{
	yajl_gen_map_open(v->g);
	ctl_json_put(v->g, "id", row->id);
	ctl_json_put(v->g, "status", row->error ? "unknown" : row->status);
	if (row->pid)
		ctl_json_put_number(v->g, "pid", row->pid);
	if (row->has_age)
		ctl_json_put_number(v->g, "ageMs", (long long)row->age_ms);
	if (row->exited)
		ctl_json_put_number(v->g, "exitStatus", row->exit.status);
	if (row->error)
		ctl_json_put(v->g, "error", row->error);
	ctl_json_put_bytes(v->g, "command", row->command);
	yajl_gen_map_close(v->g);
}

static void add_container(
	struct ps_view *v, struct ctl_session *s, const char *id)
{
	struct container_row row = {.id = id};
	struct ctl_target t;
	struct err e = {0};
	int r = ctl_target_open(&t, s, id, &e);

	if (t.own) {
		if (r == 0)
			r = ctl_target_look(&t, &e);
		fill(&row, &t, r, &e);
		if (v->table)
			show_container(v, &row);
		else
			put_container(v, &row);
	}
	ctl_target_close(&t);
}

static int ps_containers(struct ctl_session *s, struct err *e)
{
	struct ctl_own own;
	struct ps_view v;
	size_t i;
	int r = ctl_own_list(&own, s->o->root, e);

	if (r < 0)
		return r;
	r = ps_view_open(&v, s->o->json, container_columns,
		sizeof(container_columns) / sizeof(container_columns[0]), e);
	for (i = 0; r == 0 && i < own.n; i++)
		add_container(&v, s, own.ids[i]);
	r = ps_view_close(&v, r, e);
	ctl_own_clear(&own);
	return r;
}

int ctl_ps(int argc, char **argv)
{
	struct ctl_task_options o = {.timeout_ms = ANSWER_MS};
	struct ctl_session s = {0};
	const char *id = NULL;
	struct err e = {0};
	int first, r;

	r = ctl_task_options_parse(
		&o, argc, argv, "o:", long_options, set, &o, &first, &e);
	if (r == 0 && o.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 0, 1, &e);
	if (r == 0)
		r = ctl_session_open(&s, &o, &e);
	if (r == 0) {
		id = argv[first];
		r = id ? ps_processes(&s, id, &e) : ps_containers(&s, &e);
	}
	ctl_session_close(&s);
	if (r == 0)
		return CTL_OK;
	ctl_say("ps%s%s%s: %s", id ? " '" : "", id ? id : "", id ? "'" : "",
		e.msg);
	return CTL_FAILED;
}
