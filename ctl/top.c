/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top.c - `wispctl top`: what all tasks of this host use, now and again.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/screen.h"
#include "ctl/top_show.h"

#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 3600000
#define FIRST_MS 300 /* until the live view has its first rates */

struct options {
	bool json;
	unsigned long rounds; /* 0: without end */
	unsigned delay_ms;
	enum top_sort sort;
};

struct view {
	struct options o;
	struct top top;
	struct screen screen;
	struct event_base *base;
	struct event *timer, *keys;
	struct event *signals[6];
	bool live;
	int signal; /* that ended it */
	unsigned long shown;
	int r;
	struct err e;
};

static const int caught[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

/* ---- the command line ---- */

static const struct option long_options[] = {
	{"namespace", required_argument, NULL, 'n' + 256},
	{"rounds", required_argument, NULL, 'n'},
	{"delay", required_argument, NULL, 'd'},
	{"sort", required_argument, NULL, 's'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	fputs("Usage: wispctl top [-n ROUNDS] [-d SECONDS] [-s KEY] "
	      "[--namespace NAME]\n"
	      "                   [-o text|json] [ID...]\n\n"
	      "Shows what the tasks of this host use, of any shim and any "
	      "daemon: CPU, memory,\nblock I/O and processes, read from their "
	      "cgroups. On a terminal it is drawn anew\nevery second; else, or "
	      "with -n, each round is printed below the other.\n\n"
	      "  -n, --rounds N        end after N rounds\n"
	      "  -d, --delay SECONDS   between rounds (default 1, at least "
	      "0.1)\n"
	      "  -s, --sort KEY        cpu (default), memory, pids, io or "
	      "name\n"
	      "      --namespace NAME  only tasks of this namespace\n"
	      "  -o, --output FORM     text (default), or json: an object, "
	      "one line a round\n\n"
	      "ID may be the beginning of one; without any, all are shown.\n"
	      "Keys: q quits; c, m, p, i sort by cpu, memory, pids, io.\n"
	      "CPU% is of one CPU: two that are busy make 200. MEMORY is "
	      "without cached files\nthat are not in use. A '-' is what the "
	      "kernel does not tell, or not yet.\n"
	      "\nExamples:\n"
	      "  wispctl top\n"
	      "  wispctl top -s memory web db\n"
	      "  wispctl top -n 1 -o json | jq '.tasks[].memory'\n",
		stdout);
}

static bool parse_sort(const char *text, enum top_sort *ret)
{
	enum top_sort i;

	for (i = TOP_CPU; i <= TOP_NAME; i++)
		if (strcmp(text, top_sort_name(i)) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool parse_rounds(const char *text, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && errno == 0 && *ret > 0;
}

static bool parse_delay(const char *text, unsigned *ret_ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s * 1000 >= DELAY_MIN_MS) ||
		s * 1000 > DELAY_MAX_MS)
		return false;
	*ret_ms = (unsigned)(s * 1000 + 0.5);
	return true;
}

static bool parse_one(int c, struct view *v)
{
	switch (c) {
	case 'n':
		return parse_rounds(optarg, &v->o.rounds);
	case 'd':
		return parse_delay(optarg, &v->o.delay_ms);
	case 's':
		return parse_sort(optarg, &v->o.sort);
	case 'o':
		v->o.json = strcmp(optarg, "json") == 0;
		return v->o.json || strcmp(optarg, "text") == 0;
	case 'n' + 256:
		v->top.ns = optarg;
		return true;
	default:
		return false;
	}
}

/* 0: go on; 1: help is wanted; -EINVAL: said what is wrong. */
static int parse(int argc, char **argv, struct view *v)
{
	bool ok = true;
	int c;

	optind = 1;
	while (ok && (c = getopt_long(argc, argv, "n:d:s:o:h", long_options,
			      NULL)) != -1) {
		if (c == 'h')
			return 1;
		ok = parse_one(c, v);
	}
	v->top.ids = (const char *const *)argv + optind;
	v->top.n_ids = (size_t)(argc - optind);
	if (ok)
		return 0;
	ctl_say("top: wrong arguments; see `wispctl top --help`");
	return -EINVAL;
}

/* ---- rounds ---- */

static void draw(struct view *v)
{
	unsigned columns, lines;

	screen_size(&columns, &lines);
	screen_begin();
	top_sort(&v->top, v->o.sort);
	v->r = top_show(&v->top, v->o.sort, columns, lines > 4 ? lines - 3 : 1,
		SCREEN_EOL);
	screen_end();
}

static void print(struct view *v)
{
	top_sort(&v->top, v->o.sort);
	if (v->shown > 0 && !v->o.json)
		putchar('\n');
	v->r = v->o.json ? top_show_json(&v->top)
			 : top_show(&v->top, v->o.sort, 0, 0, "\n");
	if (v->r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		v->r = -EIO;
}

static void show(struct view *v)
{
	if (v->live)
		draw(v);
	else
		print(v);
	v->shown++;
	if (v->r < 0)
		err_sys(&v->e, v->r, "top");
}

static void set_timer(struct view *v, unsigned ms)
{
	struct timeval tv = {.tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000};

	if (event_add(v->timer, &tv) < 0) {
		v->r = err_sys(&v->e, -ENOMEM, "top");
		event_base_loopbreak(v->base);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;

	(void)fd;
	(void)what;
	v->r = top_look(&v->top, &v->e);
	if (v->r == 0)
		show(v);
	if (v->r < 0 || (v->o.rounds && v->shown >= v->o.rounds))
		event_base_loopbreak(v->base);
	else
		set_timer(v, v->o.delay_ms);
}

static void on_key(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;
	char key = 'q';
	ssize_t n = read(fd, &key, 1);

	(void)what;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) /* nobody is there to press one */
		event_del(v->keys);
	if (n > 0 && (key == 'q' || key == 'Q')) {
		event_base_loopbreak(v->base);
		return;
	}
	if (key == 'c')
		v->o.sort = TOP_CPU;
	else if (key == 'm')
		v->o.sort = TOP_MEMORY;
	else if (key == 'p')
		v->o.sort = TOP_PIDS;
	else if (key == 'i')
		v->o.sort = TOP_IO;
	draw(v);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;

	(void)what;
	if (fd == SIGWINCH) {
		draw(v);
		return;
	}
	if (fd != SIGTSTP) {
		v->signal = (int)fd;
		event_base_loopbreak(v->base);
		return;
	}
	screen_off(&v->screen);
	raise(SIGSTOP);
	screen_on(&v->screen);
	draw(v);
}

/* ---- its begin and end ---- */

static int open_screen(struct view *v)
{
	size_t i;

	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		v->signals[i] = evsignal_new(v->base, caught[i], on_signal, v);
		if (!v->signals[i] || evsignal_add(v->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	screen_on(&v->screen);
	if (!v->screen.keys)
		return 0;
	v->keys = event_new(
		v->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_key, v);
	return v->keys && event_add(v->keys, NULL) == 0 ? 0 : -ENOMEM;
}

static int view_open(struct view *v)
{
	v->live = isatty(STDOUT_FILENO) && !v->o.rounds && !v->o.json;
	v->base = event_base_new();
	v->timer = v->base ? evtimer_new(v->base, on_timer, v) : NULL;
	if (!v->timer || (v->live && open_screen(v) < 0))
		return err_sys(&v->e, -ENOMEM, "event loop");
	return 0;
}

static void view_close(struct view *v)
{
	size_t i;

	screen_off(&v->screen);
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		if (v->signals[i])
			event_free(v->signals[i]);
	if (v->keys)
		event_free(v->keys);
	if (v->timer)
		event_free(v->timer);
	if (v->base)
		event_base_free(v->base);
	top_clear(&v->top);
}

static void run(struct view *v)
{
	v->r = top_look(&v->top, &v->e);
	if (v->r == 0 && v->top.n_ids > 0 && v->top.n == 0)
		v->r = err_set(&v->e, -ENOENT,
			"no shim on this host has a task '%s'%s; see `wispctl "
			"shims`",
			v->top.ids[0], v->top.n_ids > 1 ? " or the like" : "");
	if (v->r == 0)
		v->r = view_open(v);
	if (v->r < 0)
		return;
	set_timer(v,
		v->live && v->o.delay_ms > FIRST_MS ? FIRST_MS : v->o.delay_ms);
	if (v->r == 0)
		event_base_dispatch(v->base);
}

int ctl_top(int argc, char **argv)
{
	struct view v = {.o = {.delay_ms = 1000, .sort = TOP_CPU}};
	int r = parse(argc, argv, &v);

	if (r > 0)
		help();
	if (r != 0)
		return r > 0 ? CTL_OK : CTL_FAILED;
	run(&v);
	view_close(&v);
	if (v.signal && v.signal != SIGINT) {
		signal(v.signal, SIG_DFL);
		raise(v.signal);
	}
	if (v.r == 0)
		return CTL_OK;
	ctl_say("%s", v.e.msg);
	return CTL_FAILED;
}
