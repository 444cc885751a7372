/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.c - `wispctl logs`: what a detached container has written.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/keep.h"
#include "ctl/say.h"
#include "ctl/tail.h"
#include "ctl/when.h"
#include "ctl/wire.h"

struct logs {
	const char *root, *id;
	bool follow, timestamps, json;
	long long tail; /* -1: all */
	struct timespec since;

	struct event_base *base;
	struct client *client;
	struct ctl_place place;
	struct ctl_tail log;
	unsigned long long skip; /* lines that are not shown */
	bool within[2];          /* a line of stdout, of stderr */
	struct stream *keeper;
	struct ctl_wire_reader reader;
	bool more, over, lost; /* what the keeper has told */
	struct err err;        /* what ended it, unless it is the end */
};

/* ---- showing ---- */

static bool is_before(const char *time, const struct timespec *since)
{
	struct timespec at;

	if (!since->tv_sec || ctl_when_parse(time, &at) < 0)
		return false;
	return at.tv_sec < since->tv_sec ||
	       (at.tv_sec == since->tv_sec && at.tv_nsec < since->tv_nsec);
}

static bool ends_line(const struct ctl_output_entry *x)
{
	return x->text_n > 0 && x->text[x->text_n - 1] == '\n';
}

static void show_entry(struct logs *l, const struct ctl_output_entry *x)
{
	FILE *to = x->is_err ? stderr : stdout;

	if (l->timestamps && !l->within[x->is_err])
		fprintf(to, "%s ", x->time);
	l->within[x->is_err] = !ends_line(x);
	fwrite(x->text, 1, x->text_n, to);
}

/* A line that is none of ours is shown as it is: somebody may want to know. */
static void show_line(struct logs *l, char *line)
{
	struct ctl_output_entry x = {0};
	char *copy = l->json ? strdup(line) : NULL;
	bool ours = ctl_output_parse(line, &x) == 0;

	if (ours && l->skip > 0) {
		l->skip -= ends_line(&x);
	} else if (!ours || !is_before(x.time, &l->since)) {
		if (l->json && copy)
			puts(copy);
		else if (ours)
			show_entry(l, &x);
	}
	free(copy);
}

/* All that is there now. */
static int show(struct logs *l)
{
	bool was_err = false;
	char *line;

	while ((line = ctl_tail_next(&l->log))) {
		bool is_err = strstr(line, "\"stream\":\"stderr\"") != NULL;

		if (is_err != was_err)
			fflush(is_err ? stdout : stderr);
		was_err = is_err;
		if (l->log.gap)
			ctl_say("the log was faster than this: a part of it is "
				"missing here");
		l->log.gap = false;
		show_line(l, line);
		if (ferror(stdout) || ferror(stderr))
			break;
	}
	if (fflush(stdout) != 0 || fflush(stderr) != 0 || ferror(stdout))
		return err_sys(&l->err, -errno, "write the log to stdout");
	return 0;
}

static int count_lines(struct logs *l, unsigned long long *ret, struct err *e)
{
	struct ctl_output_entry x;
	struct ctl_tail t;
	bool whole = true;
	char *line;
	int r = ctl_tail_open(&t, l->place.output, false, e);

	*ret = 0;
	if (r < 0)
		return r;
	while ((line = ctl_tail_next(&t))) {
		if (ctl_output_parse(line, &x) < 0)
			continue;
		whole = ends_line(&x);
		*ret += whole;
	}
	*ret += !whole;
	ctl_tail_close(&t);
	return 0;
}

/* ---- following ---- */

static void on_keeper(struct stream *s, unsigned what, void *arg)
{
	struct logs *l = arg;
	struct ctl_wire_head head = {0};
	size_t room;
	void *data, *to = ctl_wire_room(&l->reader, &room);
	ssize_t got = stream_read(s, to, room);
	int r = 0;

	(void)what;
	if (got == -EAGAIN)
		return;
	if (got > 0) {
		ctl_wire_add(&l->reader, (size_t)got);
		r = ctl_wire_next(&l->reader, &head, &data);
	}
	if (r > 0) {
		ctl_wire_done(&l->reader);
		l->over = head.type == CTL_WIRE_EXIT ||
			  head.type == CTL_WIRE_SORRY;
	}
	l->lost = got <= 0 || r < 0;
	if (l->lost || l->over)
		stream_watch(s, 0);
	l->more |= r != 0 || l->lost;
}

static int connect_keeper(struct logs *l, struct err *e)
{
	int r = ctl_keep_connect(
		l->client, &l->place, l->id, CTL_WIRE_FOLLOW, &l->keeper, e);

	if (r < 0)
		return r;
	l->lost = false;
	l->reader.n = 0;
	stream_set_cb(l->keeper, on_keeper, l);
	r = stream_watch(l->keeper, STREAM_READ);
	return r < 0 ? err_sys(e, r, "follow the log") : 0;
}

/* Until the container has ended, or is gone. */
static int follow(struct logs *l)
{
	int r = connect_keeper(l, &l->err);

	while (r == 0) {
		r = show(l);
		if (r < 0 || l->over)
			break;
		l->more = false;
		r = client_run_until(l->client, &l->more, 0);
		if (r < 0)
			return err_sys(&l->err, r, "follow the log");
		if (!l->lost)
			continue;
		stream_close(l->keeper);
		l->keeper = NULL;
		r = connect_keeper(l, &l->err);
		if (r == -ENOENT || r == -ENOTCONN) {
			l->err.code = 0;
			return show(l); /* it is gone: that was all */
		}
	}
	return r;
}

static int logs(struct logs *l)
{
	struct ctl_record r = {0};
	unsigned long long n = 0;
	int rc;

	rc = ctl_keep_find(l->client, l->root, l->id, &l->place, &r, &l->err);
	if (rc < 0)
		return rc;
	ctl_record_clear(&r);
	if (l->tail >= 0)
		rc = count_lines(l, &n, &l->err);
	if (l->tail >= 0 && n > (unsigned long long)l->tail)
		l->skip = n - (unsigned long long)l->tail;
	if (rc == 0)
		rc = ctl_tail_open(&l->log, l->place.output, false, &l->err);
	if (rc < 0)
		return rc;
	return l->follow ? follow(l) : show(l);
}

static int logs_with_client(struct logs *l)
{
	int rc = -ENOMEM;

	signal(SIGPIPE, SIG_IGN); /* a write tells */
	l->base = event_base_new();
	if (!l->base)
		err_sys(&l->err, rc, "event loop");
	else
		rc = client_new(l->base, &l->client, &l->err);
	if (rc == 0)
		rc = logs(l);
	stream_close(l->keeper);
	ctl_tail_close(&l->log);
	client_free(l->client);
	if (l->base)
		event_base_free(l->base);
	if (rc == -EPIPE)
		return 128 + SIGPIPE;
	if (rc == 0)
		return CTL_OK;
	ctl_say("%s", l->err.msg);
	return CTL_FAILED;
}

/* ---- the command ---- */

static void help(void)
{
	fputs("Usage: wispctl logs [OPTIONS] ID\n\n"
	      "Shows what a container made by `wispctl create` or `run -d` has "
	      "written: stdout on\nstdout, stderr on stderr, to the last byte. "
	      "Of output beyond 20 MiB the oldest\ngoes.\n\n"
	      "  -f, --follow        go on until it ends\n"
	      "  -t, --timestamps    put the time before each line\n"
	      "  -n, --tail N        only the last N lines of what is there\n"
	      "      --since WHEN    10m, 2h, or 2026-11-21T23:24:41Z\n"
	      "  -o, --output FORM   text (default), or json: the log as it is "
	      "kept, an object\n                      on each line, with log, "
	      "stream and time\n"
	      "      --root DIR      where containers live (default: "
	      "/run/wisp)\n"
	      "  -h, --help\n"
	      "\nExit status: 0; 125 wispctl failed.\n"
	      "\nExamples:\n"
	      "  wispctl logs -f web\n"
	      "  wispctl logs -t -n 20 web\n"
	      "  wispctl logs -o json --since 10m web | jq -r .log\n",
		stdout);
}

static int bad(const char *what, const char *arg)
{
	ctl_say("%s '%s'; see `wispctl logs --help`", what, arg);
	return CTL_FAILED;
}

static int set_tail(struct logs *l, const char *arg)
{
	char *end;

	l->tail = -1;
	if (strcmp(arg, "all") == 0)
		return 0;
	errno = 0;
	l->tail = strtoll(arg, &end, 10);
	return errno || end == arg || *end || l->tail < 0 ? -EINVAL : 0;
}

static int set_option(struct logs *l, int opt, char **argv)
{
	switch (opt) {
	case 'f':
		l->follow = true;
		return 0;
	case 't':
		l->timestamps = true;
		return 0;
	case 'n':
		return set_tail(l, optarg) < 0
			       ? bad("--tail takes a number, not", optarg)
			       : 0;
	case 's':
		return ctl_when_parse(optarg, &l->since) < 0
			       ? bad("--since takes a time, not", optarg)
			       : 0;
	case 'o':
		l->json = strcmp(optarg, "json") == 0;
		return !l->json && strcmp(optarg, "text") != 0
			       ? bad("--output is text or json, not", optarg)
			       : 0;
	case 'r':
		l->root = optarg;
		return 0;
	default:
		return bad("there is no option", argv[optind - 1]);
	}
}

int ctl_logs(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"follow", no_argument, NULL, 'f'},
		{"timestamps", no_argument, NULL, 't'},
		{"tail", required_argument, NULL, 'n'},
		{"since", required_argument, NULL, 's'},
		{"output", required_argument, NULL, 'o'},
		{"root", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct logs l = {.tail = -1};
	int opt, code = 0;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "ftn:o:h", long_options, NULL)) !=
		-1) {
		if (opt == 'h') {
			help();
			return CTL_OK;
		}
		code = set_option(&l, opt, argv);
		if (code != 0)
			return code;
	}
	if (argc - optind != 1) {
		ctl_say("logs of which container? See `wispctl logs --help`");
		return CTL_FAILED;
	}
	l.id = argv[optind];
	return logs_with_client(&l);
}
