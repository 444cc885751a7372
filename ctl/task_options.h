/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_options.h - the command line of the commands that work on tasks: what
 * they have in common, and how their own options are read.
 */
#ifndef WISP_CTL_TASK_OPTIONS_H
#define WISP_CTL_TASK_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"

#define CTL_TASK_TIMEOUT_MS 10000 /* unless told otherwise */

/* Strings point into argv. */
struct ctl_task_options {
	const char *ns;      /* NULL: any */
	const char *root;    /* NULL: see ctl_place_init() */
	uint32_t timeout_ms; /* for each RPC; 0: as long as it takes */
	bool debug;          /* name each RPC on stderr */
	bool json;
	bool help;
};

/* Own options have values from CTL_OPT_OWN on, or are letters. */
enum {
	CTL_OPT_ROOT = 256,
	CTL_OPT_TIMEOUT,
	CTL_OPT_DEBUG,
	CTL_OPT_OWN,
};

/* The long options that every such command has; the letters are n and h. */
#define CTL_TASK_LONG_OPTIONS                                          \
	{"namespace", required_argument, NULL, 'n'},                   \
		{"root", required_argument, NULL, CTL_OPT_ROOT},       \
		{"timeout", required_argument, NULL, CTL_OPT_TIMEOUT}, \
		{"debug", no_argument, NULL, CTL_OPT_DEBUG},           \
		{"help", no_argument, NULL, 'h'},                      \
	{                                                              \
		NULL, 0, NULL, 0                                       \
	}

/* What they are, for a command's help text. */
#define CTL_TASK_HELP                                                        \
	"  -n, --namespace NAME  the daemon's namespace, if ID is in "       \
	"several\n"                                                          \
	"      --root DIR        where our own containers live (default: "   \
	"run's)\n"                                                           \
	"      --timeout TIME    for each answer: seconds, or 500ms, 2m; 0 " \
	"is "                                                                \
	"for ever\n"                                                         \
	"      --debug           name each call to the shim on stderr\n"

/* A command's own options: 0, or -EINVAL with a message. */
typedef int (*ctl_task_option)(
	void *own, int opt, const char *arg, struct err *e);

/*
 * Reads argv; o has the command's defaults. letters is for getopt_long(3),
 * without n and h, which are there always. Arguments begin at argv[*ret_first].
 * Options may come after them unless letters begins with '+'. 0, or -EINVAL
 * with a message; if o->help is set, there is nothing more to be done but to
 * show the help.
 */
int ctl_task_options_parse(struct ctl_task_options *o, int argc, char **argv,
	const char *letters, const struct option *long_options,
	ctl_task_option each, void *own, int *ret_first, struct err *e);

/* "text" or "json". */
int ctl_task_options_output(
	struct ctl_task_options *o, const char *arg, struct err *e);

/* Whether n is from min to max (-1: any), or says so. */
int ctl_task_options_count(
	const char *command, int n, int min, int max, struct err *e);

#endif
