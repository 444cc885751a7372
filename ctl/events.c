/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.c - `wispctl events`: what happens to the containers below a root, by
 * the journal that their keepers write.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "ctl/command.h"
#include "ctl/journal.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "ctl/tail.h"
#include "ctl/when.h"
#include "platform/lines.h"

struct events {
	const char *root;
	bool json, once, colours;
	bool has_since;
	struct timespec since;
	char **ids; /* NULL-terminated; empty: all */
	struct ctl_place place;
	char path[CTL_PATH_MAX];
	struct ctl_tail journal;
	struct lines_watch *watch;
};

static bool is_wanted(const struct events *x, const struct client_event *ev)
{
	char **id = x->ids;

	if (x->has_since && (ev->at.tv_sec < x->since.tv_sec ||
				    (ev->at.tv_sec == x->since.tv_sec &&
					    ev->at.tv_nsec < x->since.tv_nsec)))
		return false;
	while (*id && strcmp(*id, ev->container_id) != 0)
		id++;
	return !*x->ids || *id;
}

static void show_line(const struct events *x, const char *line)
{
	char text[CTL_SHOW_MAX];
	struct client_event ev;
	void *memory;

	if (ctl_journal_parse(line, &ev, &memory) < 0)
		return;
	if (is_wanted(x, &ev) && x->json) {
		puts(line);
	} else if (is_wanted(x, &ev)) {
		ctl_event_text(&ev, x->colours, text);
		puts(text);
	}
	yajl_tree_free(memory);
}

static int show(struct events *x, struct err *e)
{
	char *line;

	while ((line = ctl_tail_next(&x->journal)) && !ferror(stdout)) {
		if (x->journal.gap)
			ctl_say("events came faster than they were taken here: "
				"some are missing");
		x->journal.gap = false;
		show_line(x, line);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_sys(e, -errno, "write events to stdout");
	return 0;
}

/* Until something in the root folder changes. */
static int wait_for_more(struct events *x, struct err *e)
{
	int r = lines_watch_wait(x->watch);

	return r < 0 ? err_sys(e, r, "watch '%s'", x->place.root) : 0;
}

/* The watch is there before the first look, so that nothing falls between. */
static int watch(struct events *x, struct err *e)
{
	int r = ctl_make_dirs(x->place.states, 0700);

	if (r < 0)
		return err_sys(e, r, "cannot make '%s'", x->place.states);
	r = lines_watch_new(x->place.root, &x->watch);
	return r < 0 ? err_sys(e, r, "watch '%s'", x->place.root) : 0;
}

static int events(struct events *x, struct err *e)
{
	bool from_end = !x->has_since && !x->once;
	int r = ctl_place_init(&x->place, x->root, "x", e);

	if (r == 0 && ctl_journal_path(&x->place, x->path) < 0)
		r = err_set(e, -ENAMETOOLONG, "--root is too long a path");
	if (r == 0 && !x->once)
		r = watch(x, e);
	if (r == 0)
		r = ctl_tail_open(&x->journal, x->path, from_end, e);
	while (r == 0) {
		r = show(x, e);
		if (r < 0 || x->once)
			break;
		r = wait_for_more(x, e);
	}
	ctl_tail_close(&x->journal);
	lines_watch_free(x->watch);
	return r;
}

static void help(void)
{
	fputs("Usage: wispctl events [OPTIONS] [ID...]\n\n"
	      "Shows what happens to our own containers, as their shims tell "
	      "it, "
	      "until ^C; of\ncontainers ID only, if any are given.\n\n"
	      "      --since WHEN    begin with what has happened since: 10m, "
	      "2h, or\n                      2026-11-21T23:24:41Z\n"
	      "      --no-follow     only what is known already (all of it "
	      "without --since)\n"
	      "  -o, --output FORM   text (default), or json: one object on "
	      "each line\n"
	      "      --root DIR      where containers live (default: run's)\n"
	      "  -h, --help\n"
	      "\nExit status: 0; 125 wispctl failed.\n"
	      "\nExamples:\n"
	      "  wispctl events\n"
	      "  wispctl events --since 1h web\n"
	      "  wispctl events -o json --no-follow | jq -r .topic\n",
		stdout);
}

static int bad(const char *what, const char *arg)
{
	ctl_say("%s '%s'; see `wispctl events --help`", what, arg);
	return CTL_FAILED;
}

static int set_option(struct events *x, int opt, char **argv)
{
	switch (opt) {
	case 's':
		x->has_since = true;
		return ctl_when_parse(optarg, &x->since) < 0
			       ? bad("--since takes a time, not", optarg)
			       : 0;
	case 'n':
		x->once = true;
		return 0;
	case 'o':
		x->json = strcmp(optarg, "json") == 0;
		return !x->json && strcmp(optarg, "text") != 0
			       ? bad("--output is text or json, not", optarg)
			       : 0;
	case 'r':
		x->root = optarg;
		return 0;
	default:
		return bad("there is no option", argv[optind - 1]);
	}
}

int ctl_events(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"since", required_argument, NULL, 's'},
		{"no-follow", no_argument, NULL, 'n'},
		{"output", required_argument, NULL, 'o'},
		{"root", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct events x = {.root = NULL};
	struct err e = {0};
	int opt, code;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "o:h", long_options, NULL)) !=
		-1) {
		if (opt == 'h') {
			help();
			return CTL_OK;
		}
		code = set_option(&x, opt, argv);
		if (code != 0)
			return code;
	}
	x.ids = argv + optind;
	x.colours = ctl_say_colours_on(STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN); /* a write tells */
	code = events(&x, &e);
	if (code == -EPIPE)
		return 128 + SIGPIPE;
	if (code == 0)
		return CTL_OK;
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
