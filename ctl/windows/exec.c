/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/exec.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/env.h"
#include "ctl/exit_code.h"
#include "ctl/say.h"
#include "ctl/target.h"
#include "ctl/windows/stdio.h"
#include "ctl/windows/watch.h"
#include "platform/auto.h"
#include "platform/standard.h"

#define END_MS 5000
#define SIGNAL_KILL 9

struct exec {
	const struct exec_options *o; /* borrowed */
	struct ctl_session session;
	struct ctl_target target;
	struct ctl_watch watch;
	struct ctl_stdio io;
	char exec_id[80];
	struct client_process *process; /* NULL: not added */
	bool over;           /* it has exited, or that will never be known */
	struct err wait_err; /* why it will not */
};

static const struct option long_options[] = {
	{"interactive", no_argument, NULL, 'i'},
	{"tty", no_argument, NULL, 't'},
	{"env", required_argument, NULL, 'e'},
	{"cwd", required_argument, NULL, 'w'},
	{"workdir", required_argument, NULL, 'w'},
	{"exec", required_argument, NULL, 'x'},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl exec [OPTIONS] ID COMMAND [ARG...]\n\n"
	      "Runs COMMAND in a container that runs, and returns its exit "
	      "status. The container is\none of ours, or with -n one that a "
	      "daemon has wisp's shim run.\n\n"
	      "  -i, --interactive     connect stdin (otherwise it is NUL)\n"
	      "  -t, --tty             give it a terminal\n"
	      "  -e, --env K=V         add to the container's environment; K "
	      "alone passes\n                        ours on\n"
	      "  -w, --cwd DIR         working folder (default: the "
	      "container's)\n"
	      "  -x, --exec EXEC       the id (default: made up)\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nThe default of --timeout is 0 here.\n"
	      "\nExit status: the command's own, all 32 bits; 125 wispctl or "
	      "shim failed; 126 the\ncommand cannot be invoked; 127 it was not "
	      "found.\n"
	      "\nExamples:\n"
	      "  wispctl exec web tasklist\n"
	      "  wispctl exec -it web powershell\n"
	      "  wispctl exec -n k8s.io 3f2a ipconfig\n",
		stdout);
}

static int set_id(struct exec_options *o, const char *arg, struct err *e)
{
	o->exec_id = arg;
	return client_id_is_valid(arg)
		       ? 0
		       : err_set(e, -EINVAL,
				 "--exec '%s': use up to 76 letters and "
				 "digits, with single '.', '-' or '_' between "
				 "them",
				 arg);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct exec_options *o = own;

	switch (opt) {
	case 'i':
		o->interactive = true;
		return 0;
	case 't':
		o->terminal = true;
		return 0;
	case 'e':
		return ctl_env_add(&o->env, &o->n_env, arg, e);
	case 'w':
		o->cwd = arg;
		return 0;
	default:
		return set_id(o, arg, e);
	}
}

/* The command's options are its own: ours end at ID. */
static int parse(struct exec_options *o, int argc, char **argv, struct err *e)
{
	int first, r;

	r = ctl_task_options_parse(&o->common, argc, argv,
		"+ite:w:x:", long_options, set, o, &first, e);
	if (r < 0 || o->common.help)
		return r;
	r = ctl_task_options_count(argv[0], argc - first, 1, -1, e);
	if (r < 0)
		return r;
	o->id = argv[first++];
	if (first < argc && strcmp(argv[first], "--") == 0)
		first++;
	o->command = argv + first;
	if (!*o->command)
		return err_set(
			e, -EINVAL, "which command? See `wispctl exec --help`");
	if (o->terminal && o->interactive && !terminal_is_there())
		return err_set(e, -EINVAL,
			"-t and -i together need a terminal on stdin; leave "
			"out -t to pipe data in");
	return 0;
}

static void on_exited(const struct err *e, void *arg)
{
	struct exec *x = arg;

	x->wait_err = *e;
	x->over = true;
}

static int find(struct exec *x, struct err *e)
{
	unsigned char random[6];
	char pipes[192];
	int i, n, r;

	r = ctl_target_open(&x->target, &x->session, x->o->id, e);
	if (r == 0)
		r = ctl_watch_begin(&x->watch, x->session.client, e);
	if (r < 0)
		return r;
	evutil_secure_rng_get_bytes(random, sizeof(random));
	n = snprintf(x->exec_id, sizeof(x->exec_id), "%s",
		x->o->exec_id ? x->o->exec_id : "exec-");
	for (i = 0; !x->o->exec_id && i < (int)sizeof(random); i++)
		n += sprintf(x->exec_id + n, "%02x", random[i]);
	snprintf(pipes, sizeof(pipes), "%s-%s", x->target.where.id, x->exec_id);
	return ctl_stdio_open(&x->io, x->session.client, pipes,
		x->o->interactive, x->o->terminal, e);
}

static int add(struct exec *x, struct err *e)
{
	struct client_process *p = NULL;
	auto_free char *spec = NULL;
	char config[CTL_PATH_MAX];
	struct client_await *aw;
	struct client_stdio io;
	int r = 0;

	if (x->target.own)
		r = ctl_target_path(
			&x->target, "config.json", config, sizeof(config), e);
	if (r == 0)
		r = exec_spec(x->target.own ? config : NULL, x->o, &spec, e);
	if (r < 0)
		return r;
	ctl_stdio_uris(&x->io, &io);
	aw = ctl_target_await(&x->target);
	r = client_await(aw,
		client_task_exec(x->target.task, x->exec_id, spec, &io,
			client_await_done, aw, &p),
		e);
	/* an answer that is not waited for any longer may be that it is there
	 */
	if (r == 0 || r == -ETIME || r == -EINTR)
		x->process = p;
	return r;
}

/* The answer to Wait is under way before anything can exit. */
static int start(struct exec *x, struct err *e)
{
	struct client_await *aw;
	int r = 0;

	if (x->o->terminal)
		r = ctl_watch_terminal(
			&x->watch, x->process, x->o->interactive, e);
	if (r < 0)
		return r;
	r = client_process_wait(x->process, on_exited, x);
	if (r < 0)
		return err_sys(e, r, "wait");
	aw = ctl_target_await(&x->target);
	r = client_await(
		aw, client_process_start(x->process, client_await_done, aw), e);
	if (r < 0)
		return r;
	ctl_watch_running(&x->watch, x->process);
	return ctl_stdio_feed(&x->io, x->process, e);
}

static int finish(struct exec *x, struct err *e)
{
	struct client_await *aw;
	int r = client_run_until(x->session.client, &x->over, 0);

	ctl_watch_over(&x->watch);
	if (r == 0 && x->wait_err.code) {
		*e = x->wait_err;
		return err_prefix(e, "wait");
	}
	if (r == 0)
		r = ctl_stdio_drain(&x->io);
	if (r < 0)
		return err_set(e, r, "interrupted");
	aw = ctl_target_await(&x->target);
	return client_await(aw,
		client_process_delete(x->process, client_await_done, aw), e);
}

/* It was added, and we give up: it must not stay. What fails here has failed
 * for the reason that is told. */
static void end_process(struct exec *x)
{
	struct client *c = x->session.client;
	struct client_process *p = x->process;
	struct client_await *aw;

	if (!client_shim_is_connected(x->target.shim))
		return;
	aw = client_await_new(c, END_MS);
	if (client_await(aw,
		    client_process_kill(
			    p, SIGNAL_KILL, false, client_await_done, aw),
		    NULL) == 0) {
		aw = client_await_new(c, END_MS);
		client_await(aw, client_process_wait(p, client_await_done, aw),
			NULL);
	}
	aw = client_await_new(c, END_MS);
	client_await(aw, client_process_delete(p, client_await_done, aw), NULL);
}

static int exit_code_of(const struct exec *x, int r, const struct err *e)
{
	struct client_exit how = {0};

	if (r < 0)
		return ctl_exit_code(e);
	if (x->io.reader_gone)
		return 128 + SIGPIPE;
	if (x->io.error)
		return CTL_FAILED;
	client_process_exit(x->process, &how);
	return (int)how.status;
}

static int run(const struct exec_options *o)
{
	struct exec *x = calloc(1, sizeof(*x));
	struct err e = {0};
	int r, code;

	if (!x) {
		ctl_say("no memory");
		return CTL_FAILED;
	}
	x->o = o;
	x->target.place.lock = x->target.place.guard_lock = -1;
	r = ctl_session_open(&x->session, &o->common, &e);
	if (r == 0)
		r = find(x, &e);
	if (r == 0)
		r = add(x, &e);
	if (r == 0)
		r = start(x, &e);
	if (r == 0)
		r = finish(x, &e);
	if (r == -ENOTCONN && x->target.task)
		err_set(&e, r, "the shim is gone, and the container with it");
	code = exit_code_of(x, r, &e);
	if (r < 0 && x->process) {
		client_interrupt(x->session.client, false);
		end_process(x);
	}
	if (r == 0 && x->io.error)
		r = err_sys(&e, x->io.error, "output is lost");
	ctl_watch_end(&x->watch);
	ctl_stdio_close(&x->io);
	ctl_target_close(&x->target);
	if (r < 0)
		ctl_say("exec '%s': %s", o->id, e.msg);
	ctl_session_close(&x->session);
	free(x);
	return code;
}

int ctl_exec(int argc, char **argv)
{
	struct exec_options o = {0};
	struct err e = {0};
	int code = CTL_FAILED;

	if (parse(&o, argc, argv, &e) < 0) {
		ctl_say("%s", e.msg);
	} else if (o.common.help) {
		help();
		code = CTL_OK;
	} else {
		code = run(&o);
	}
	ctl_env_clear(o.env, o.n_env);
	return code;
}
