/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - `wispctl wait`: how containers end.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/say.h"
#include "ctl/target.h"

struct wait_options {
	struct ctl_task_options common;
	const char *exec_id;
};

/* All are waited for at once; what comes first is told when its turn has
 * come, so that lines are in the order of the ids. */
struct waiting {
	const char *id;
	struct ctl_target target;
	struct client_process *process; /* NULL: it could not be asked for */
	struct err err;
	bool done;
};

static const struct option long_options[] = {
	{"exec", required_argument, NULL, 'x'},
	{"output", required_argument, NULL, 'o'},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl wait [OPTIONS] ID...\n\n"
	      "Waits until containers have ended, and prints the exit status "
	      "of "
	      "each on a line,\nin the order of the ids: 128+N if signal N "
	      "ended "
	      "it. For one that has ended\nalready, as long as its shim is "
	      "there, that is at once.\n\n"
	      "  -x, --exec EXEC       wait for a process that was added to "
	      "it\n"
	      "  -o, --output FORM     text (default) or json: an object for "
	      "each line\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\n--timeout bounds the waiting; the default here is for ever.\n"
	      "ID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExit status: 0; 125 if an exit status is not known.\n"
	      "\nExamples:\n"
	      "  wispctl wait web\n"
	      "  code=$(wispctl wait --timeout 1m web)\n"
	      "  wispctl wait -n k8s.io 3f2a 77b0\n",
		stdout);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct wait_options *o = own;

	if (opt == 'o')
		return ctl_task_options_output(&o->common, arg, e);
	o->exec_id = arg;
	return 0;
}

static void on_exited(const struct err *e, void *arg)
{
	struct waiting *w = arg;

	w->err = *e;
	w->done = true;
}

static void begin(struct waiting *w, struct ctl_session *s, const char *exec_id)
{
	int r = ctl_target_open(&w->target, s, w->id, &w->err);

	if (r == 0) {
		w->process = client_task_process(w->target.task, exec_id);
		r = w->process ? client_process_wait(w->process, on_exited, w)
			       : -ENOMEM;
		if (r < 0)
			err_sys(&w->err, r, "wait");
	}
	w->done = r < 0;
}

static void show_json(const struct waiting *w, const struct client_exit *how)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char *text = NULL;

	if (g) {
		yajl_gen_map_open(g);
		ctl_json_put_bytes(g, "id", w->target.where.id);
		ctl_json_put_number(g, "exitStatus", how->status);
		yajl_gen_map_close(g);
		ctl_json_take(g, &text);
	}
	puts(text ? text : "{}");
	free(text);
}

static void show(const struct waiting *w, const struct wait_options *o)
{
	struct client_exit how = {0};

	client_process_exit(w->process, &how);
	if (o->common.json)
		show_json(w, &how);
	else
		printf("%u\n", how.status);
	fflush(stdout);
}

/* *late: the time is over, for all of them. */
static int finish(struct waiting *w, struct ctl_session *s,
	const struct wait_options *o, bool *late)
{
	int r = client_run_until(
		s->client, &w->done, *late ? 1 : s->o->timeout_ms);

	*late |= r == -ETIME;
	if (r == -ETIME)
		err_set(&w->err, r, "it has not ended within %u ms",
			s->o->timeout_ms);
	else if (r < 0)
		err_set(&w->err, r, "interrupted");
	else if (w->err.code == -ENOTCONN && w->process)
		err_set(&w->err, -ENOTCONN,
			"its shim is gone, and the exit status with it");
	if (w->err.code == 0) {
		show(w, o);
		return CTL_OK;
	}
	ctl_say("wait '%s': %s", w->id, w->err.msg);
	return CTL_FAILED;
}

static int wait_all(
	struct ctl_session *s, const struct wait_options *o, char **ids, int n)
{
	struct waiting *all = calloc((size_t)n, sizeof(*all));
	bool late = false;
	int code = CTL_OK, i;

	if (!all) {
		ctl_say("no memory");
		return CTL_FAILED;
	}
	for (i = 0; i < n; i++) {
		all[i].id = ids[i];
		begin(&all[i], s, o->exec_id);
	}
	for (i = 0; i < n; i++)
		if (finish(&all[i], s, o, &late) != CTL_OK)
			code = CTL_FAILED;
	for (i = 0; i < n; i++)
		ctl_target_close(&all[i].target);
	free(all);
	return ferror(stdout) ? CTL_FAILED : code;
}

int ctl_wait(int argc, char **argv)
{
	struct wait_options o = {.exec_id = ""};
	struct ctl_session s = {0};
	struct err e = {0};
	int first, r, code = CTL_FAILED;

	r = ctl_task_options_parse(&o.common, argc, argv, "x:o:", long_options,
		set, &o, &first, &e);
	if (r == 0 && o.common.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, -1, &e);
	if (r == 0)
		r = ctl_session_open(&s, &o.common, &e);
	if (r < 0)
		ctl_say("%s", e.msg);
	else
		code = wait_all(&s, &o, argv + first, argc - first);
	ctl_session_close(&s);
	return code;
}
