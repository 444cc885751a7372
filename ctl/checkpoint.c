/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c - `wispctl checkpoint`: a running container, put into files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/target.h"

/* Writing out the memory takes a while. */
#define CHECKPOINT_MS 120000

enum {
	OPT_PATH = CTL_OPT_OWN,
	OPT_WORK,
	OPT_PARENT,
	OPT_LEAVE,
	OPT_TCP,
	OPT_UNIX,
	OPT_SHELL,
	OPT_LOCKS,
};

struct checkpoint_options {
	struct ctl_task_options common;
	struct client_checkpoint how;
	char path[3][CTL_PATH_MAX]; /* the image's, work, parent */
};

static const struct option long_options[] = {
	{"path", required_argument, NULL, OPT_PATH},
	{"work", required_argument, NULL, OPT_WORK},
	{"parent", required_argument, NULL, OPT_PARENT},
	{"leave-running", no_argument, NULL, OPT_LEAVE},
	{"tcp-established", no_argument, NULL, OPT_TCP},
	{"ext-unix-sk", no_argument, NULL, OPT_UNIX},
	{"shell-job", no_argument, NULL, OPT_SHELL},
	{"file-locks", no_argument, NULL, OPT_LOCKS},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl checkpoint --path DIR [OPTIONS] ID\n\n"
	      "Has CRIU write a running container into files, from which it "
	      "can "
	      "go on later:\n`wispctl restore`. The container ends with it, "
	      "unless --leave-running.\n\n"
	      "      --path DIR        where the image goes; made if it is not "
	      "there\n"
	      "      --work DIR        where CRIU leaves its log\n"
	      "      --parent DIR      an earlier image: what has not changed "
	      "since is not\n                        written again\n"
	      "      --leave-running   it goes on afterwards\n"
	      "      --tcp-established with open TCP connections\n"
	      "      --ext-unix-sk     with Unix sockets to processes outside\n"
	      "      --shell-job       with a terminal from outside\n"
	      "      --file-locks      with file locks\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nThe default of --timeout is 2m here. Folders are as the shim "
	      "sees them.\nID may be the beginning of one that was made up, "
	      "3f2a say.\n"
	      "\nExit status: 0; 125 if it failed: then the container runs "
	      "on.\n"
	      "\nExamples:\n"
	      "  wispctl checkpoint --path /srv/web.1 web\n"
	      "  wispctl checkpoint --path /srv/web.2 --parent /srv/web.1 "
	      "--leave-running web\n",
		stdout);
}

/* The shim has another working folder. */
static int set_path(char *to, const char **ret, const char *name,
	const char *arg, struct err *e)
{
	char cwd[CTL_PATH_MAX] = "";

	if (!*arg)
		return err_set(e, -EINVAL, "--%s: which folder?", name);
	if (*arg != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_sys(e, -errno, "--%s '%s'", name, arg);
	if (snprintf(to, CTL_PATH_MAX, "%s%s%s", cwd, *cwd ? "/" : "", arg) >=
		CTL_PATH_MAX)
		return err_set(e, -EINVAL, "--%s: the path is too long", name);
	*ret = to;
	return 0;
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct checkpoint_options *o = own;
	struct client_checkpoint *how = &o->how;

	switch (opt) {
	case OPT_PATH:
		return set_path(o->path[0], &how->path, "path", arg, e);
	case OPT_WORK:
		return set_path(o->path[1], &how->work, "work", arg, e);
	case OPT_PARENT:
		return set_path(o->path[2], &how->parent, "parent", arg, e);
	case OPT_LEAVE:
		how->exit = false;
		break;
	case OPT_TCP:
		how->open_tcp = true;
		break;
	case OPT_UNIX:
		how->external_unix_sockets = true;
		break;
	case OPT_SHELL:
		how->terminal = true;
		break;
	default:
		how->file_locks = true;
	}
	return 0;
}

/* CRIU is the runtime's to find, and its messages speak of an executable. */
static void explain(struct err *e)
{
	if (strstr(e->msg, "criu") && (strstr(e->msg, "not found") ||
					      strstr(e->msg, "No such file") ||
					      strstr(e->msg, "no such file")))
		err_append(e, "; install CRIU (`apt-get install criu`) where "
			      "the shim runs");
	else if (strcasestr(e->msg, "criu"))
		err_append(e, "; `criu check` tells what this host can do");
}

static int checkpoint_one(struct ctl_target *t, void *arg, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);
	int r = client_await(aw,
		client_task_checkpoint(t->task, arg, client_await_done, aw), e);

	if (r < 0)
		explain(e);
	return r;
}

int ctl_checkpoint(int argc, char **argv)
{
	struct checkpoint_options o = {
		.common.timeout_ms = CHECKPOINT_MS, .how.exit = true};
	struct err e = {0};
	int first, r;

	r = ctl_task_options_parse(
		&o.common, argc, argv, "", long_options, set, &o, &first, &e);
	if (r == 0 && o.common.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, 1, &e);
	if (r == 0 && !o.how.path)
		r = err_set(&e, -EINVAL,
			"where to? See --path in `wispctl checkpoint --help`");
	if (r == 0)
		return ctl_target_each(argv[0], &o.common, argv + first,
			checkpoint_one, &o.how);
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
