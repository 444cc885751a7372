/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/container.h"
#include "ctl/env.h"
#include "ctl/units.h"
#include "ctl/windows/run.h"
#include "platform/file.h"
#include "platform/standard.h"

enum {
	OPT_RM = 256,
	OPT_SHIM,
	OPT_BUNDLE,
	OPT_NAME,
	OPT_EVENTS,
	OPT_ROOT,
	OPT_DEBUG,
	OPT_ANNOTATION,
	OPT_LINE,
	OPT_CPUS,
};

static const struct option long_options[] = {
	{"rm", no_argument, NULL, OPT_RM},
	{"tty", no_argument, NULL, 't'},
	{"interactive", no_argument, NULL, 'i'},
	{"shim", required_argument, NULL, OPT_SHIM},
	{"bundle", required_argument, NULL, OPT_BUNDLE},
	{"env", required_argument, NULL, 'e'},
	{"cwd", required_argument, NULL, 'w'},
	{"workdir", required_argument, NULL, 'w'},
	{"user", required_argument, NULL, 'u'},
	{"memory", required_argument, NULL, 'm'},
	{"cpu-count", required_argument, NULL, OPT_CPUS},
	{"annotation", required_argument, NULL, OPT_ANNOTATION},
	{"command-line", required_argument, NULL, OPT_LINE},
	{"name", required_argument, NULL, OPT_NAME},
	{"events", no_argument, NULL, OPT_EVENTS},
	{"output", required_argument, NULL, 'o'},
	{"root", required_argument, NULL, OPT_ROOT},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

void run_help(void)
{
	fputs("Usage: wispctl run [OPTIONS] [--] [COMMAND [ARG...]]\n\n"
	      "Runs COMMAND (default: cmd) as a host-process container: a job "
	      "of processes that\nsee the host, and end together. Returns its "
	      "exit status.\n\n"
	      "Streams:\n"
	      "  -i, --interactive     connect stdin (otherwise it is NUL)\n"
	      "  -t, --tty             give the container a terminal\n"
	      "      --events          show the shim's events on stderr\n"
	      "  -o, --output FORM     of events: text (default) or json\n"
	      "      --debug           show the shim's log on stderr\n"
	      "\nContainer:\n"
	      "      --bundle DIR      take config.json from an OCI bundle\n"
	      "      --name ID         (default: made up)\n"
	      "      --rm              keep nothing of it, as is so anyway\n"
	      "  -e, --env K=V         add to the environment; K alone passes "
	      "ours on\n"
	      "  -w, --cwd DIR         working folder (default: C:\\)\n"
	      "  -u, --user NAME       (default: as the shim's)\n"
	      "  -m, --memory SIZE     limit, in bytes or as 512k, 64m, 2g\n"
	      "      --cpu-count N     as much as so many processors have\n"
	      "      --annotation K=V  may be given again\n"
	      "      --command-line L  passed on as it is, instead of "
	      "COMMAND\n",
		stdout);
	fputs("\nMachinery:\n"
	      "      --shim PATH       shim to drive (default: "
	      "containerd-shim-wisp-v1.exe,\n                        beside "
	      "wispctl or in PATH)\n"
	      "      --root DIR        where containers live (default: "
	      "containerd\\wisp in\n                        %ProgramData%, or "
	      "in %LOCALAPPDATA% if need be)\n"
	      "\nCtrl-C goes to the container; the third one ends it.\n"
	      "\nExit status: the command's own, all 32 bits; 125 wispctl or "
	      "shim failed; 126 the\ncommand cannot be invoked; 127 it was not "
	      "found.\n"
	      "\nExamples:\n"
	      "  wispctl run -- cmd /c ver\n"
	      "  echo hello | wispctl run -i -- findstr h\n"
	      "  wispctl run --name box -it -- powershell\n"
	      "  wispctl run --events -m 64m -w C:\\app -e MODE=x -- "
	      "app.exe\n",
		stdout);
}

static int parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmg";
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (errno || *ret == 0 || (*end && !unit))
		return -EINVAL;
	if (unit) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		end += (end[1] | 0x20) == 'b' ? 2 : 1;
		if (*ret >> (63 - shift))
			return -EINVAL;
		*ret <<= shift;
	}
	return *end ? -EINVAL : 0;
}

static int add_annotation(struct run_options *o, const char *arg, struct err *e)
{
	const char **more;

	if (*arg == '=' || !strchr(arg, '='))
		return err_set(
			e, -EINVAL, "--annotation '%s': use NAME=VALUE", arg);
	more = realloc(o->annotations, (o->n_annotations + 2) * sizeof(*more));
	if (!more)
		return err_sys(e, -ENOMEM, "--annotation");
	o->annotations = more;
	more[o->n_annotations++] = arg;
	more[o->n_annotations] = NULL;
	return 0;
}

static int set_size(
	uint64_t *to, const char *name, const char *arg, struct err *e)
{
	return parse_size(arg, to) == 0
		       ? 0
		       : err_set(e, -EINVAL,
				 "--%s '%s': use a number above 0%s", name, arg,
				 *name == 'm' ? ", or 512k, 64m, 2g" : "");
}

static int set_name(struct run_options *o, const char *arg, struct err *e)
{
	o->name = arg;
	return client_id_is_valid(arg)
		       ? 0
		       : err_set(e, -EINVAL,
				 "--name '%s': use up to 76 letters and "
				 "digits, with single '.', '-' or '_' between "
				 "them",
				 arg);
}

static int set_output(struct run_options *o, const char *arg, struct err *e)
{
	o->json = strcmp(arg, "json") == 0;
	return o->json || strcmp(arg, "text") == 0
		       ? 0
		       : err_set(e, -EINVAL, "--output '%s': use text or json",
				 arg);
}

static int set(struct run_options *o, int opt, const char *arg, struct err *e)
{
	switch (opt) {
	case 't':
		o->terminal = true;
		return 0;
	case 'i':
		o->interactive = true;
		return 0;
	case 'e':
		return ctl_env_add(&o->env, &o->n_env, arg, e);
	case 'w':
		o->cwd = arg;
		return 0;
	case 'u':
		o->user = arg;
		return 0;
	case 'm':
		return set_size(&o->memory, "memory", arg, e);
	case 'o':
		return set_output(o, arg, e);
	case 'h':
		o->help = true;
		return 0;
	case OPT_CPUS:
		return set_size(&o->cpu_count, "cpu-count", arg, e);
	case OPT_ANNOTATION:
		return add_annotation(o, arg, e);
	case OPT_LINE:
		o->command_line = arg;
		return 0;
	case OPT_SHIM:
		o->shim = arg;
		return 0;
	case OPT_BUNDLE:
		o->bundle = arg;
		return 0;
	case OPT_NAME:
		return set_name(o, arg, e);
	case OPT_EVENTS:
		o->events = true;
		return 0;
	case OPT_ROOT:
		o->root = arg;
		return 0;
	case OPT_DEBUG:
		o->debug = true;
		return 0;
	default: /* OPT_RM: it is so */
		return 0;
	}
}

static int check_together(const struct run_options *o, struct err *e)
{
	if (o->command_line && *o->command)
		return err_set(e, -EINVAL,
			"--command-line and COMMAND exclude each other");
	if (o->bundle &&
		(o->n_env || o->cwd || o->user || o->memory || o->cpu_count ||
			o->n_annotations || o->command_line))
		return err_set(e, -EINVAL,
			"with --bundle its config.json says all but COMMAND "
			"and -t");
	if (o->terminal && o->interactive && !terminal_is_there())
		return err_set(e, -EINVAL,
			"-t and -i together need a terminal on stdin; leave "
			"out -t to pipe data in");
	return 0;
}

int run_options_parse(
	struct run_options *ret, int argc, char **argv, struct err *e)
{
	int opt, r = 0;

	*ret = (struct run_options){0};
	optind = 0; /* forget an earlier scan */
	opterr = 0;
	while (r == 0 && !ret->help &&
		(opt = getopt_long(argc, argv, "+:ite:w:u:m:o:h", long_options,
			 NULL)) != -1) {
		if (opt == ':')
			return err_set(e, -EINVAL,
				"option '%s' needs a value; see `wispctl run "
				"--help`",
				argv[optind - 1]);
		if (opt == '?')
			return err_set(e, -EINVAL,
				"option '%s' is not understood; see `wispctl "
				"run --help`",
				argv[optind - 1]);
		r = set(ret, opt, optarg, e);
	}
	ret->command = argv + optind;
	return r < 0 || ret->help ? r : check_together(ret, e);
}

void run_options_clear(struct run_options *o)
{
	ctl_env_clear(o->env, o->n_env);
	free(o->annotations);
}
