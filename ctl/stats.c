/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stats.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/own.h"
#include "ctl/say.h"
#include "ctl/screen.h"
#include "ctl/table.h"

#define ROUND_MS 1000 /* the CPU's share is that of this time */
#define FIRST_MS 300  /* until the live view has its first shares */
#define ANSWER_MS 3000

enum { OPT_NO_STREAM = CTL_OPT_OWN };

struct stats_options {
	struct ctl_task_options common;
	bool no_stream;
};

struct view {
	const struct stats_options *o;
	struct ctl_session session;
	struct ctl_stats stats;
	bool live;
	struct screen screen;
	struct event *signals[5], *keys;
	bool all;    /* of our own: some may just be gone */
	int signal;  /* that ends it */
	bool quit;   /* a key did */
	bool failed; /* some had no answer */
};

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

static const struct option long_options[] = {
	{"no-stream", no_argument, NULL, OPT_NO_STREAM},
	{"output", required_argument, NULL, 'o'},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl stats [OPTIONS] [ID...]\n\n"
	      "Shows what containers use, as their shims tell it: those of any "
	      "shim on the\nhost, or all of our own. On a terminal it is drawn "
	      "anew every second (q quits);\nelse it is one table. (`wispctl "
	      "top` shows the same of all tasks, by their\ncgroups.)\n\n"
	      "      --no-stream       one table, also on a terminal\n"
	      "  -o, --output FORM     text (default) or json: one document\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nThe default of --timeout is 3 s here.\n"
	      "ID may be the beginning of one that was made up, 3f2a say.\n"
	      "CPU% is of one CPU: two that are busy make 200. MEMORY is "
	      "without cached files\nthat are not in use; MEM% is its part of "
	      "LIMIT. PIDS counts threads, and shows\na limit, if there is "
	      "one. "
	      "OOM counts the processes killed for lack of memory.\nREAD and "
	      "WRITTEN are of block devices, since the container began.\n"
	      "\nExit status: 0; 125 if one of them could not be asked.\n"
	      "\nExamples:\n"
	      "  wispctl stats\n"
	      "  wispctl stats --no-stream -n moby 3f2a 77b0\n"
	      "  wispctl stats -o json web | jq "
	      "'.containers[0].memory.usage'\n",
		stdout);
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct stats_options *o = own;

	if (opt == 'o')
		return ctl_task_options_output(&o->common, arg, e);
	o->no_stream = true;
	return 0;
}

/* ---- rounds ---- */

/* 0, or -EINTR. */
static int pause_for(struct view *v, uint32_t ms)
{
	bool never = false;
	int r = client_run_until(v->session.client, &never, ms);

	return r == -EINTR ? r : 0;
}

/* ---- showing ---- */

static int show(struct view *v)
{
	unsigned columns, lines;
	int r;

	if (v->o->common.json)
		return ctl_stats_show_json(&v->stats);
	if (!v->live)
		return ctl_stats_show(&v->stats, table_width(), 0, "\n");
	screen_size(&columns, &lines);
	screen_begin();
	r = ctl_stats_show(
		&v->stats, columns, lines > 2 ? lines - 2 : 1, SCREEN_EOL);
	screen_end();
	return r;
}

static int ask_all(struct view *v)
{
	return ctl_stats_ask(
		&v->stats, v->session.client, v->o->common.timeout_ms);
}

/* Until the user has seen enough, or there is nothing left to be seen. */
static int live(struct view *v)
{
	uint32_t ms = FIRST_MS;
	int r = 0;

	while (r == 0) {
		r = pause_for(v, ms);
		if (r == 0)
			r = ask_all(v);
		if (r == 0)
			r = show(v);
		if (ctl_stats_all_failed(&v->stats))
			break;
		ms = ROUND_MS;
	}
	return r;
}

static int once(struct view *v)
{
	int r = v->stats.n > 0 ? pause_for(v, ROUND_MS) : 0;

	if (r == 0)
		r = ask_all(v);
	return r == 0 ? show(v) : r;
}

/* ---- the terminal ---- */

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct view *v = arg;

	(void)what;
	if (sig != SIGTSTP) {
		v->signal = (int)sig;
		client_interrupt(v->session.client, true);
		return;
	}
	screen_off(&v->screen);
	raise(SIGSTOP);
	screen_on(&v->screen);
}

static void on_key(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;
	char key = 0;
	ssize_t n = read(fd, &key, 1);

	(void)what;
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		event_del(v->keys);
	if (n != 1 || (key != 'q' && key != 'Q'))
		return;
	v->quit = true;
	client_interrupt(v->session.client, true);
}

static int open_screen(struct view *v)
{
	struct event_base *base = v->session.base;
	size_t i;

	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		v->signals[i] = evsignal_new(base, caught[i], on_signal, v);
		if (!v->signals[i] || event_add(v->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	screen_on(&v->screen);
	if (!v->screen.keys)
		return 0;
	v->keys =
		event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_key, v);
	return v->keys && event_add(v->keys, NULL) == 0 ? 0 : -ENOMEM;
}

static void close_screen(struct view *v)
{
	size_t i;

	screen_off(&v->screen);
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		if (v->signals[i])
			event_free(v->signals[i]);
	if (v->keys)
		event_free(v->keys);
}

/* ---- its begin and end ---- */

static int open_rows(struct view *v, char **ids, size_t n)
{
	size_t i;

	v->stats.rows = calloc(n + 1, sizeof(*v->stats.rows));
	if (!v->stats.rows)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct ctl_stats_row *row = &v->stats.rows[i];

		row->id = ids[i];
		v->stats.n++;
		ctl_target_open(&row->target, &v->session, ids[i], &row->err);
	}
	return 0;
}

/* What went wrong is told when the screen is as it was. */
static void close_rows(struct view *v)
{
	size_t i;

	for (i = 0; i < v->stats.n; i++) {
		struct ctl_stats_row *row = &v->stats.rows[i];

		if (row->err.code < 0 && !v->all) {
			v->failed = true;
			ctl_say("stats '%s': %s", row->id, row->err.msg);
		}
		ctl_target_close(&row->target);
	}
	free(v->stats.rows);
}

static int run(struct view *v, char **ids, size_t n, struct err *e)
{
	int r = open_rows(v, ids, n);

	v->live = !v->o->no_stream && !v->o->common.json &&
		  isatty(STDOUT_FILENO) && n > 0;
	if (r == 0)
		r = ask_all(v);
	if (r == 0 && v->live && !ctl_stats_all_failed(&v->stats)) {
		r = open_screen(v);
		if (r == 0)
			r = live(v);
		close_screen(v);
	} else if (r == 0) {
		r = once(v);
	}
	close_rows(v);
	if (r == -EINTR && (v->quit || v->signal))
		r = 0;
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = -EIO;
	return r < 0 ? err_sys(e, r, "stats") : 0;
}

static int stats(const struct stats_options *o, char **ids, size_t n)
{
	struct view v = {.o = o};
	struct ctl_own own = {0};
	struct err e = {0};
	int r = ctl_session_open(&v.session, &o->common, &e);

	v.all = n == 0;
	if (r == 0 && v.all) {
		r = ctl_own_list(&own, o->common.root, &e);
		ids = own.ids;
		n = own.n;
	}
	if (r == 0)
		r = run(&v, ids, n, &e);
	ctl_session_close(&v.session);
	ctl_own_clear(&own);
	if (v.signal && v.signal != SIGINT) {
		signal(v.signal, SIG_DFL);
		raise(v.signal);
	}
	if (r < 0)
		ctl_say("%s", e.msg);
	return r < 0 || v.failed ? CTL_FAILED : CTL_OK;
}

int ctl_stats(int argc, char **argv)
{
	struct stats_options o = {.common.timeout_ms = ANSWER_MS};
	struct err e = {0};
	int first;
	int r = ctl_task_options_parse(
		&o.common, argc, argv, "o:", long_options, set, &o, &first, &e);

	if (r < 0) {
		ctl_say("%s", e.msg);
		return CTL_FAILED;
	}
	if (o.common.help) {
		help();
		return CTL_OK;
	}
	return stats(&o, argv + first, (size_t)(argc - first));
}
