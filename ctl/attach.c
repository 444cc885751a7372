/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/attach.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/keep.h"
#include "ctl/say.h"

static const int caught[CTL_ATTACH_SIGNALS] = {
	SIGTERM, SIGINT, SIGHUP, SIGQUIT};

void ctl_attach_end(struct ctl_attach *a)
{
	a->over = true;
}

/* ---- signals ---- */

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_attach *a = arg;

	(void)what;
	if (!a->signal)
		a->signal = (int)sig;
	ctl_attach_end(a);
	client_interrupt(a->client, true);
}

static void on_resized(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_attach *a = arg;
	uint32_t width, height;

	(void)sig;
	(void)what;
	if (a->keeper && a->record.terminal &&
		ctl_terminal_size(&width, &height))
		ctl_attach_size(a, width, height);
}

static int catch_signals(struct ctl_attach *a, struct err *e)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN); /* a write tells */
	for (i = 0; i < CTL_ATTACH_SIGNALS; i++) {
		a->signals[i] = evsignal_new(a->base, caught[i], on_signal, a);
		if (!a->signals[i] || event_add(a->signals[i], NULL) < 0)
			return err_set(e, -ENOMEM, "cannot catch signals");
	}
	a->resized = evsignal_new(a->base, SIGWINCH, on_resized, a);
	if (!a->resized || event_add(a->resized, NULL) < 0)
		return err_set(e, -ENOMEM, "cannot catch signals");
	return 0;
}

static void free_signals(struct ctl_attach *a)
{
	size_t i;

	for (i = 0; i < CTL_ATTACH_SIGNALS; i++)
		if (a->signals[i])
			event_free(a->signals[i]);
	if (a->resized)
		event_free(a->resized);
}

/* ---- the story ---- */

static bool is_typed_into(const struct ctl_attach *a)
{
	return a->record.terminal && a->record.interactive && !a->o->no_stdin &&
	       isatty(STDIN_FILENO);
}

/* Every key is the container's from here on; should we be killed, the guard
 * makes the terminal what it was. */
static int take_terminal(struct ctl_attach *a, struct err *e)
{
	int r;

	if (!is_typed_into(a)) {
		a->keys.n = 0;
		return 0;
	}
	r = ctl_guard_start(&a->guard, a->base, &a->place, a->id, e);
	if (r == 0)
		r = ctl_terminal_raw(&a->terminal, e);
	if (r == 0)
		ctl_guard_tell_terminal(&a->guard, &a->terminal);
	return r;
}

/* A program that draws the whole screen does so again when its size changes;
 * so to somebody who has just come it changes, and back. */
static void show_size(struct ctl_attach *a, bool redraw)
{
	uint32_t width, height;

	if (!a->record.terminal || !ctl_terminal_size(&width, &height))
		return;
	if (redraw)
		ctl_attach_size(a, width, height + 1);
	ctl_attach_size(a, width, height);
}

static int attach(struct ctl_attach *a, bool start, struct err *e)
{
	int r;

	r = ctl_keys_parse(
		&a->keys, a->o->keys ? a->o->keys : CTL_KEYS_DEFAULT, e);
	if (r == 0)
		r = ctl_keep_find(
			a->client, a->o->root, a->id, &a->place, &a->record, e);
	if (r == 0)
		r = ctl_keep_connect(a->client, &a->place, a->id,
			CTL_WIRE_ATTACH, &a->keeper, e);
	if (r == 0)
		r = ctl_attach_open_io(a, e);
	if (r < 0)
		return r;
	show_size(a, !start);
	if (start)
		r = ctl_start_task(a->client, &a->record, e);
	if (r == 0)
		r = take_terminal(a, e);
	return r == 0 ? ctl_attach_feed(a, e) : r;
}

static int say_why(const struct ctl_attach *a)
{
	if (a->reader_gone)
		return 128 + SIGPIPE;
	if (a->output_error) {
		ctl_say("output is lost: %s", strerror(-a->output_error));
		return CTL_FAILED;
	}
	if (a->exited)
		return (int)a->status;
	if (a->detached) {
		ctl_say("detached from '%s', which goes on", a->id);
		return CTL_OK;
	}
	if (a->signal)
		return 128 + a->signal;
	if (*a->sorry)
		ctl_say("%s", a->sorry);
	else
		ctl_say("the keeper of '%s' is gone; attach again, and see "
			"`wispctl logs` for what came meanwhile",
			a->id);
	return CTL_FAILED;
}

static int attach_and_stay(struct ctl_attach *a, bool start)
{
	struct err e = {0};
	int r = catch_signals(a, &e);
	bool raw;

	if (r == 0)
		r = attach(a, start, &e);
	if (r == 0 && !a->over)
		client_run_until(a->client, &a->over, 0);
	if (r == 0 && !a->signal)
		ctl_attach_drain(a);
	raw = a->terminal.raw;
	ctl_attach_close_io(a);
	ctl_terminal_restore(&a->terminal);
	ctl_guard_end(&a->guard);
	if (raw && !a->exited)
		ctl_say_line(""); /* the cursor may be anywhere */
	if (r == 0)
		return say_why(a);
	if (a->signal)
		return 128 + a->signal;
	ctl_say("%s", e.msg);
	return start ? ctl_exit_code(&e) : CTL_FAILED;
}

int ctl_attach_to(
	const struct ctl_attach_options *o, const char *id, bool start)
{
	struct ctl_attach *a = calloc(1, sizeof(*a));
	struct err e = {0};
	int code = CTL_FAILED;

	if (a)
		a->base = event_base_new();
	if (!a || !a->base) {
		ctl_say("no memory");
		free(a);
		return code;
	}
	a->o = o;
	a->id = id;
	a->in = a->out.fd = a->err.fd = -1;
	if (client_new(a->base, &a->client, &e) < 0)
		ctl_say("%s", e.msg);
	else
		code = attach_and_stay(a, start);
	free_signals(a);
	ctl_record_clear(&a->record);
	client_free(a->client);
	event_base_free(a->base);
	free(a);
	return code;
}

/* ---- the command ---- */

static void help(void)
{
	fputs("Usage: wispctl attach [OPTIONS] ID\n\n"
	      "Shows what a container made by `wispctl create` or `run -d` "
	      "writes from now on,\nand passes on what is typed, if it was "
	      "made "
	      "with -i. Returns its exit status if it\nends meanwhile.\n\n"
	      "On a terminal, ctrl-p ctrl-q leaves it alone again; without one "
	      "(or without -t),\nany signal does, ^C too. The end of a stdin "
	      "that is no terminal is passed on.\n\n"
	      "      --detach-keys KEYS  as ctrl-p,ctrl-q (default), or "
	      "ctrl-x,d; \"\": none\n"
	      "      --no-stdin          only look\n"
	      "      --root DIR          where containers live (default: "
	      "/run/wisp)\n"
	      "  -h, --help\n"
	      "\nExit status: the container's own; 0 detached; 125 wispctl "
	      "failed, or was too slow\nfor the output; 128+N ended by signal "
	      "N, "
	      "while the container goes on.\n"
	      "\nExamples:\n"
	      "  wispctl run -d -it --name box -- sh\n"
	      "  wispctl attach box\n"
	      "  wispctl attach --detach-keys ctrl-a,d box\n",
		stdout);
}

int ctl_attach_options_parse(
	struct ctl_attach_options *o, int argc, char **argv, bool start)
{
	static const struct option long_options[] = {
		{"attach", no_argument, NULL, 'a'}, /* of `start` alone */
		{"detach-keys", required_argument, NULL, 'k'},
		{"no-stdin", no_argument, NULL, 'n'},
		{"root", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, start ? "ah" : "h",
			long_options + !start, NULL)) != -1) {
		switch (opt) {
		case 'a':
			o->attach = true;
			break;
		case 'k':
			o->keys = optarg;
			break;
		case 'n':
			o->no_stdin = true;
			break;
		case 'r':
			o->root = optarg;
			break;
		case 'h':
			return CTL_FOUND;
		default:
			ctl_say("option '%s' is not understood; see `wispctl "
				"%s --help`",
				argv[optind - 1], argv[0]);
			return CTL_FAILED;
		}
	}
	return CTL_OK;
}

int ctl_attach(int argc, char **argv)
{
	struct ctl_attach_options o = {0};
	int code = ctl_attach_options_parse(&o, argc, argv, false);

	if (code == CTL_FOUND)
		help();
	if (code != CTL_OK)
		return code == CTL_FOUND ? CTL_OK : code;
	if (argc - optind != 1) {
		ctl_say("attach to which container? See `wispctl attach "
			"--help`");
		return CTL_FAILED;
	}
	return ctl_attach_to(&o, argv[optind], false);
}
