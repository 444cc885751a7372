/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exec.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/say.h"
#include "platform/auto.h"

#define END_MS 5000
#define SIGNAL_KILL 9

static void on_exited(const struct err *e, void *arg)
{
	struct ctl_exec *x = arg;

	x->wait_err = *e;
	x->over = true;
}

static int set_id(struct ctl_exec *x, struct err *e)
{
	unsigned char random[6];
	int i, n;

	if (x->o->exec_id) {
		snprintf(x->exec_id, sizeof(x->exec_id), "%s", x->o->exec_id);
		return 0;
	}
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, -errno, "make up an id");
	n = snprintf(x->exec_id, sizeof(x->exec_id), "exec-");
	for (i = 0; i < (int)sizeof(random); i++)
		n += sprintf(x->exec_id + n, "%02x", random[i]);
	return 0;
}

static int find(struct ctl_exec *x, struct err *e)
{
	int r = ctl_target_open(&x->target, &x->session, x->o->id, e);

	if (r == 0)
		r = set_id(x, e);
	if (r == 0)
		r = ctl_exec_catch_signals(x, e);
	if (r == 0 && !x->o->detach)
		r = ctl_exec_open_io(x, e);
	return r;
}

static int add(struct ctl_exec *x, struct err *e)
{
	struct client_process *p = NULL;
	auto_free char *spec = NULL;
	char config[CTL_PATH_MAX];
	struct client_await *aw;
	struct client_stdio io;
	int r;

	r = ctl_target_path(
		&x->target, "config.json", config, sizeof(config), e);
	if (r == 0)
		r = ctl_exec_spec(config, x->o, &spec, e);
	if (r < 0)
		return r;
	ctl_exec_stdio(x, &io);
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
static int start(struct ctl_exec *x, struct err *e)
{
	struct client_await *aw;
	int r = 0;

	if (x->o->terminal && x->o->interactive)
		r = ctl_terminal_raw(&x->terminal, e);
	if (r == 0 && !x->o->detach) {
		r = client_process_wait(x->process, on_exited, x);
		if (r < 0)
			err_sys(e, r, "wait");
	}
	if (r < 0)
		return r;
	x->launching = true;
	aw = ctl_target_await(&x->target);
	r = client_await(
		aw, client_process_start(x->process, client_await_done, aw), e);
	x->launching = false;
	if (r < 0)
		return r;
	x->started = true;
	ctl_exec_pass_signals(x);
	ctl_exec_kill_unread(x);
	ctl_exec_resize(x);
	return ctl_exec_feed(x, e);
}

static int finish_running(struct ctl_exec *x, struct err *e)
{
	int r = client_run_until(x->session.client, &x->over, 0);

	if (r < 0)
		return err_set(e, r, "interrupted");
	if (x->wait_err.code) {
		*e = x->wait_err;
		return err_prefix(e, "wait");
	}
	r = ctl_exec_drain(x);
	return r < 0 ? err_set(e, r, "interrupted") : 0;
}

static int forget(struct ctl_exec *x, struct err *e)
{
	struct client_await *aw = ctl_target_await(&x->target);

	return client_await(aw,
		client_process_delete(x->process, client_await_done, aw), e);
}

static int run_steps(struct ctl_exec *x, struct err *e)
{
	static const struct step {
		int (*run)(struct ctl_exec *x, struct err *e);
		bool attached; /* not for -d */
	} steps[] = {
		{find, false},
		{add, false},
		{start, false},
		{finish_running, true},
		{forget, true},
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!steps[i].attached || !x->o->detach)
			r = steps[i].run(x, e);
	if (r == -ENOTCONN && x->target.task)
		err_set(e, r, "the shim is gone, and the container with it");
	return r;
}

/* It was added, and we give up: it must not stay. What fails here has failed
 * for the reason that is told. */
static void end_process(struct ctl_exec *x)
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

static void clean_up(struct ctl_exec *x, bool well)
{
	ctl_terminal_restore(&x->terminal);
	client_interrupt(x->session.client, false);
	if (!well && x->process)
		end_process(x);
	ctl_exec_ignore_signals(x);
	ctl_exec_close_io(x);
	ctl_target_close(&x->target);
}

static int exit_code_of(const struct ctl_exec *x, int r, const struct err *e)
{
	struct client_exit how = {0};

	if (r < 0)
		return x->stop_signal ? 128 + x->stop_signal : ctl_exit_code(e);
	if (x->o->detach)
		return printf("%s\n", x->exec_id) < 0 || fflush(stdout) != 0
			       ? CTL_FAILED
			       : CTL_OK;
	if (x->reader_gone)
		return 128 + SIGPIPE;
	if (x->output_error)
		return CTL_FAILED;
	client_process_exit(x->process, &how);
	return (int)how.status;
}

static int run(const struct ctl_exec_options *o)
{
	struct ctl_exec *x = calloc(1, sizeof(*x));
	struct err e = {0};
	int r, code;

	if (!x) {
		ctl_say("no memory");
		return CTL_FAILED;
	}
	x->o = o;
	x->input = x->folder = -1;
	r = ctl_session_open(&x->session, &o->common, &e);
	if (r == 0)
		r = run_steps(x, &e);
	code = exit_code_of(x, r, &e);
	if (r == 0 && x->output_error)
		r = err_sys(&e, x->output_error, "output is lost");
	if (x->session.client)
		clean_up(x, r == 0 || !x->process);
	if (r < 0)
		ctl_say("exec '%s': %s", o->id, e.msg);
	ctl_session_close(&x->session);
	free(x);
	return code;
}

int ctl_exec(int argc, char **argv)
{
	struct ctl_exec_options o;
	struct err e = {0};
	int code = CTL_FAILED;

	if (ctl_exec_options_parse(&o, argc, argv, &e) < 0) {
		ctl_say("%s", e.msg);
	} else if (o.common.help) {
		ctl_exec_help();
		code = CTL_OK;
	} else {
		code = run(&o);
	}
	ctl_exec_options_clear(&o);
	return code;
}
