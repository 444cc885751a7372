/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill.c - `wispctl kill`: a signal for any container on the host.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/say.h"
#include "ctl/signal_name.h"
#include "ctl/target.h"

#define SIGNAL_TERM 15
#define CONFIG_MAX (16u << 20)

struct kill_options {
	struct ctl_task_options common;
	uint32_t signal;
	bool given;          /* else it is what the image wants */
	const char *exec_id; /* "": init */
	bool all;
};

static const struct option long_options[] = {
	{"signal", required_argument, NULL, 's'},
	{"exec", required_argument, NULL, 'x'},
	{"all", no_argument, NULL, 'a'},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl kill [OPTIONS] ID...\n\n"
	      "Sends a signal to the first process of a container. Any shim on "
	      "the host will\ndo, whoever started it.\n\n"
	      "  -s, --signal SIGNAL   a name or a number (default: the "
	      "image's stop\n                        signal, or TERM)\n"
	      "  -a, --all             every process of the container\n"
	      "  -x, --exec EXEC       the process that `wispctl exec` and the "
	      "like have added\n                        under this id\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExit status: 0; 125 if it could not be sent.\n"
	      "\nExamples:\n"
	      "  wispctl kill web\n"
	      "  wispctl kill -s KILL -a web\n"
	      "  wispctl kill -s HUP -x exec-7 web\n"
	      "  wispctl kill -n moby -s 9 3f2a\n",
		stdout);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct kill_options *o = own;

	if (opt == 'a')
		o->all = true;
	else if (opt == 'x')
		o->exec_id = arg;
	else if (ctl_signal_number(arg, &o->signal) == 0)
		o->given = true;
	else
		return err_set(e, -EINVAL, "--signal '%s': use %s", arg,
			ctl_signal_help);
	return 0;
}

/* As `wispctl run --image` notes it (image-spec, conversion.md). */
static uint32_t stop_signal(const struct ctl_target *t)
{
	static const char *path[] = {
		"annotations", "org.opencontainers.image.stopSignal", NULL};
	uint32_t n = SIGNAL_TERM;
	char config[PATH_MAX];
	yajl_val v, signal;

	if (ctl_target_path(t, "config.json", config, sizeof(config), NULL) <
			0 ||
		ctl_json_read(config, CONFIG_MAX, &v, NULL) < 0)
		return n;
	signal = yajl_tree_get(v, path, yajl_t_string);
	if (signal)
		ctl_signal_number(signal->u.string, &n);
	yajl_tree_free(v);
	return n;
}

static int kill_one(struct ctl_target *t, void *arg, struct err *e)
{
	const struct kill_options *o = arg;
	struct client_process *p = client_task_process(t->task, o->exec_id);
	uint32_t signal = o->signal;
	struct client_await *aw;

	if (!p)
		return err_sys(e, -ENOMEM, "exec '%s'", o->exec_id);
	if (!o->given && !*o->exec_id)
		signal = stop_signal(t);
	aw = ctl_target_await(t);
	return client_await(aw,
		client_process_kill(p, signal, o->all, client_await_done, aw),
		e);
}

int ctl_kill(int argc, char **argv)
{
	struct kill_options o = {.common.timeout_ms = CTL_TASK_TIMEOUT_MS,
		.signal = SIGNAL_TERM,
		.exec_id = ""};
	struct err e = {0};
	int first, r;

	r = ctl_task_options_parse(&o.common, argc, argv, "s:x:a", long_options,
		set, &o, &first, &e);
	if (r == 0 && o.common.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, -1, &e);
	if (r == 0 && o.all && *o.exec_id)
		r = err_set(&e, -EINVAL, "--all and --exec exclude each other");
	if (r == 0)
		return ctl_target_each(
			argv[0], &o.common, argv + first, kill_one, &o);
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
