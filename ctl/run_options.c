/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/run_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/env.h"

enum {
	OPT_RM = 256,
	OPT_RUNTIME,
	OPT_SHIM,
	OPT_ROOTFS,
	OPT_BUNDLE,
	OPT_MOUNT,
	OPT_NAME,
	OPT_EVENTS,
	OPT_ROOT,
	OPT_DEBUG,
	OPT_DIALECT,
	OPT_CHECKPOINT,
	OPT_SECCOMP,
	OPT_EXPLAIN,
};

static const struct option long_options[] = {
	{"rm", no_argument, NULL, OPT_RM},
	{"tty", no_argument, NULL, 't'},
	{"interactive", no_argument, NULL, 'i'},
	{"runtime", required_argument, NULL, OPT_RUNTIME},
	{"shim", required_argument, NULL, OPT_SHIM},
	{"rootfs", required_argument, NULL, OPT_ROOTFS},
	{"bundle", required_argument, NULL, OPT_BUNDLE},
	IMAGE_LONG_OPTIONS,
	{"env", required_argument, NULL, 'e'},
	{"cwd", required_argument, NULL, 'w'},
	{"workdir", required_argument, NULL, 'w'},
	{"mount", required_argument, NULL, OPT_MOUNT},
	{"memory", required_argument, NULL, 'm'},
	{"name", required_argument, NULL, OPT_NAME},
	{"events", no_argument, NULL, OPT_EVENTS},
	{"root", required_argument, NULL, OPT_ROOT},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"dialect", required_argument, NULL, OPT_DIALECT},
	{"detach", no_argument, NULL, 'd'},
	{"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
	{"seccomp", required_argument, NULL, OPT_SECCOMP},
	{"explain-seccomp", no_argument, NULL, OPT_EXPLAIN},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

void ctl_run_help(void)
{
	fputs("Usage: wispctl run [OPTIONS] [--] [COMMAND [ARG...]]\n\n"
	      "Runs COMMAND (default: sh) in a container and returns its exit "
	      "status.\n\n"
	      "  -d, --detach        print its id and return; see `wispctl "
	      "create --help`\n\n"
	      "Streams:\n"
	      "  -i, --interactive   connect stdin (otherwise it is "
	      "/dev/null)\n"
	      "  -t, --tty           give the container a terminal\n"
	      "      --events        show the shim's events on stderr\n"
	      "  -o, --output FORM   of events and denials: text (default) "
	      "or json\n"
	      "      --debug         show the shim's log on stderr\n"
	      "\nContainer:\n"
	      "      --rootfs DIR    its files (default: a fresh tree with "
	      "busybox)\n"
	      "      --bundle DIR    take config.json and rootfs from an OCI "
	      "bundle\n"
	      "      --name ID       (default: made up)\n"
	      "      --rm            keep nothing of it (otherwise config.json "
	      "and the\n                      fresh tree stay below the root "
	      "folder)\n"
	      "  -e, --env K=V       add to the environment; K alone passes "
	      "ours on\n"
	      "  -w, --cwd DIR       working folder (default: /)\n"
	      "      --mount type=bind,src=PATH,dst=PATH[,options=ro]\n"
	      "  -m, --memory SIZE   limit, in bytes or as 512k, 64m, 2g\n"
	      "      --checkpoint DIR\n"
	      "                      restore it from a checkpoint (CRIU's "
	      "images)\n"
	      "      --seccomp FILE  profile, as in config.json or docker's\n"
	      "      --explain-seccomp\n                      show on stderr "
	      "what the profile denies (-o json, too)\n" IMAGE_HELP
	      "\nMachinery:\n"
	      "      --shim PATH     shim to drive (default: "
	      "containerd-shim-wisp-v1, beside\n                      wispctl "
	      "or in PATH)\n"
	      "      --runtime NAME  OCI runtime (default: runc, else crun)\n"
	      "      --dialect N     run the shim's binary as containerd 1.6, "
	      "1.7 or 2.3\n                      does (default: 1.7)\n"
	      "      --root DIR      where containers live (default: "
	      "/run/wisp)\n"
	      "\nExit status: the command's own (128+N if signal N ended it); "
	      "125 wispctl, shim\nor runtime failed; 126 the command cannot be "
	      "invoked; 127 it was not found.\n"
	      "\nExamples:\n"
	      "  wispctl run --rm -- echo hello\n"
	      "  wispctl run --rm -it --image alpine.tar\n"
	      "  wispctl run --rm -it -- sh\n"
	      "  echo hello | wispctl run --rm -i -- cat\n"
	      "  wispctl run --rm --events --runtime crun -m 64m -- ls -l /\n"
	      "  wispctl run --rm --shim /usr/bin/containerd-shim-runc-v2 -- "
	      "id\n",
		stdout);
}

int ctl_parse_size(const char *text, uint64_t *ret)
{
	unsigned long long n;
	static const char units[] = "kmg";
	unsigned shift = 0;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (tolower((unsigned char)*end) == 'b')
		end++;
	if (errno || *end || n > (unsigned long long)LLONG_MAX >> shift)
		return -EINVAL;
	*ret = (uint64_t)n << shift;
	return 0;
}

static int add_mount(struct ctl_run_options *o, const char *arg, struct err *e)
{
	struct ctl_mount *mounts =
		realloc(o->mounts, (o->n_mounts + 1) * sizeof(*mounts));
	int r;

	if (!mounts)
		return err_sys(e, -ENOMEM, "--mount");
	o->mounts = mounts;
	r = ctl_parse_mount(arg, &mounts[o->n_mounts], e);
	if (r == 0)
		o->n_mounts++;
	return r;
}

static int set_dialect(
	struct ctl_run_options *o, const char *arg, struct err *e)
{
	if (strcmp(arg, "1.6") == 0)
		o->dialect = CLIENT_DIALECT_ADDRESS;
	else if (strcmp(arg, "1.7") == 0)
		o->dialect = CLIENT_DIALECT_JSON;
	else if (strcmp(arg, "2.3") == 0)
		o->dialect = CLIENT_DIALECT_BOOTSTRAP;
	else
		return err_set(
			e, -EINVAL, "--dialect '%s': use 1.6, 1.7 or 2.3", arg);
	return 0;
}

static int set_output(struct ctl_run_options *o, const char *arg, struct err *e)
{
	o->json = strcmp(arg, "json") == 0;
	if (!o->json && strcmp(arg, "text") != 0)
		return err_set(
			e, -EINVAL, "--output '%s': use text or json", arg);
	return 0;
}

static int set_name(struct ctl_run_options *o, const char *arg, struct err *e)
{
	o->name = arg;
	if (!client_id_is_valid(arg))
		return err_set(e, -EINVAL,
			"--name '%s': use up to 76 letters and digits, with "
			"single '.', '-' or '_' between them",
			arg);
	return 0;
}

static int set_flag(struct ctl_run_options *o, int opt)
{
	bool *flag = opt == 't'           ? &o->terminal
		     : opt == 'i'         ? &o->interactive
		     : opt == 'h'         ? &o->help
		     : opt == 'd'         ? &o->detach
		     : opt == OPT_RM      ? &o->remove
		     : opt == OPT_EVENTS  ? &o->events
		     : opt == OPT_DEBUG   ? &o->debug
		     : opt == OPT_EXPLAIN ? &o->explain_seccomp
					  : NULL;

	if (!flag)
		return -ENOENT;
	*flag = true;
	return 0;
}

static int set_text(struct ctl_run_options *o, int opt, const char *arg)
{
	const char **text = opt == OPT_RUNTIME      ? &o->runtime
			    : opt == OPT_SHIM       ? &o->shim
			    : opt == OPT_ROOTFS     ? &o->rootfs
			    : opt == OPT_BUNDLE     ? &o->bundle
			    : opt == OPT_ROOT       ? &o->root
			    : opt == OPT_CHECKPOINT ? &o->checkpoint
			    : opt == 'w'            ? &o->cwd
			    : opt == OPT_SECCOMP    ? &o->seccomp
						    : NULL;

	if (!text)
		return -ENOENT;
	*text = arg;
	return 0;
}

static int set_option(
	struct ctl_run_options *o, int opt, const char *arg, struct err *e)
{
	int r = image_options_set(&o->image, opt, arg, e);

	if (r < 0)
		return r;
	if (r || set_flag(o, opt) == 0 || set_text(o, opt, arg) == 0)
		return 0;
	switch (opt) {
	case 'e':
		return ctl_env_add(&o->env, &o->n_env, arg, e);
	case 'o':
		return set_output(o, arg, e);
	case OPT_MOUNT:
		return add_mount(o, arg, e);
	case OPT_NAME:
		return set_name(o, arg, e);
	case OPT_DIALECT:
		return set_dialect(o, arg, e);
	default: /* 'm' */
		if (ctl_parse_size(arg, &o->memory) < 0 || !o->memory)
			return err_set(e, -EINVAL,
				"--memory '%s': use bytes, or 512k, 64m, 2g",
				arg);
		return 0;
	}
}

static int check_together(const struct ctl_run_options *o, struct err *e)
{
	int r = image_options_check(&o->image, e);

	if (r < 0)
		return r;
	if (!!o->rootfs + !!o->bundle + !!o->image.path > 1)
		return err_set(e, -EINVAL,
			"--rootfs, --bundle and --image exclude each other");
	if (o->bundle && (o->cwd || o->n_env || o->n_mounts || o->memory))
		return err_set(e, -EINVAL,
			"--cwd, --env, --mount and --memory are for a "
			"container without --bundle; change its config.json");
	if (o->cwd && *o->cwd != '/')
		return err_set(
			e, -EINVAL, "--cwd '%s': use an absolute path", o->cwd);
	if (o->detach && (o->events || o->debug))
		return err_set(e, -EINVAL,
			"--events and --debug show what happens while it runs "
			"in the foreground; for a detached container there is "
			"`wispctl events`");
	if (o->terminal && o->interactive && !o->detach &&
		!isatty(STDIN_FILENO))
		return err_set(e, -EINVAL,
			"-t and -i together need a terminal on stdin; leave "
			"out -t to pipe data in");
	return 0;
}

static int bad_option(char **argv, int opt, struct err *e)
{
	if (opt == ':')
		return err_set(e, -EINVAL,
			"option '%s' needs a value; see `wispctl %s --help`",
			argv[optind - 1], argv[0]);
	if (optopt && optopt < 256)
		return err_set(e, -EINVAL,
			"there is no option -%c; see `wispctl %s --help`",
			optopt, argv[0]);
	return err_set(e, -EINVAL,
		"option '%s' is not understood; see `wispctl %s --help`",
		argv[optind - 1], argv[0]);
}

int ctl_run_options_parse(
	struct ctl_run_options *ret, int argc, char **argv, struct err *e)
{
	int opt, r;

	*ret = (struct ctl_run_options){
		.detach = strcmp(argv[0], "create") == 0};
	optind = 0; /* glibc: forget an earlier scan */
	while ((opt = getopt_long(argc, argv, "+:tide:w:m:o:h", long_options,
			NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return bad_option(argv, opt, e);
		r = set_option(ret, opt, optarg, e);
		if (r < 0)
			return r;
	}
	ret->command = argv + optind;
	return ret->help ? 0 : check_together(ret, e);
}

void ctl_run_options_clear(struct ctl_run_options *o)
{
	size_t i;

	ctl_env_clear(o->env, o->n_env);
	for (i = 0; i < o->n_mounts; i++)
		ctl_mount_clear(&o->mounts[i]);
	free(o->mounts);
}
