/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - `wispctl start`: a container that was created.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>

#include "client/task.h"
#include "ctl/attach.h"
#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/keep.h"
#include "ctl/say.h"

static int start(
	struct client_shim *shim, const struct ctl_record *r, struct err *e)
{
	struct client *c = client_shim_client(shim);
	struct client_task *t = client_task_new(shim, &r->container);
	struct client_await *aw = client_await_new(c, 0);
	struct client_process *init = t ? client_task_init(t) : NULL;
	int rc;

	rc = client_await(aw,
		init ? client_process_start(init, client_await_done, aw)
		     : -ENOMEM,
		e);
	client_task_free(t);
	return rc;
}

int ctl_start_task(struct client *c, const struct ctl_record *r, struct err *e)
{
	struct client_shim *shim;
	int rc;

	rc = client_shim_connect(
		c, r->container.ns, r->address, r->version, &shim, e);
	if (rc == 0) {
		rc = start(shim, r, e);
		client_shim_free(shim);
	}
	if (rc < 0)
		err_prefix(e, "start '%s'", r->container.id);
	return rc;
}

static int start_one(struct client *c, const char *root, const char *id)
{
	struct ctl_record r = {0};
	struct ctl_place p;
	struct err e = {0};
	int rc;

	rc = ctl_keep_find(c, root, id, &p, &r, &e);
	if (rc == 0) {
		rc = ctl_start_task(c, &r, &e);
		ctl_record_clear(&r);
	}
	if (rc == 0) {
		puts(id);
		return CTL_OK;
	}
	ctl_say("%s", e.msg);
	return ctl_exit_code(&e);
}

static int start_all(const char *root, char **ids)
{
	struct event_base *base = event_base_new();
	struct client *c = NULL;
	struct err e = {0};
	int code = CTL_OK;

	if (!base || client_new(base, &c, &e) < 0) {
		ctl_say("%s", base ? e.msg : "no memory");
		code = CTL_FAILED;
	}
	for (; c && *ids; ids++) {
		int one = start_one(c, root, *ids);

		if (one != CTL_OK)
			code = one;
	}
	client_free(c);
	if (base)
		event_base_free(base);
	return code;
}

static void help(void)
{
	fputs("Usage: wispctl start [OPTIONS] ID...\n\n"
	      "Starts containers made by `wispctl create`, and prints their "
	      "ids.\n\n"
	      "  -a, --attach            attach to it first (one only), so "
	      "that "
	      "nothing it writes\n                          is missed; see "
	      "`wispctl attach --help`\n"
	      "      --detach-keys KEYS  with -a, as of attach\n"
	      "      --no-stdin          with -a: only look\n"
	      "      --root DIR          where containers live (default: "
	      "/run/wisp)\n"
	      "  -h, --help\n"
	      "\nExit status: 0, or with -a the container's own; 125 wispctl, "
	      "shim or runtime\nfailed; 126 the command cannot be invoked; 127 "
	      "it was not found.\n"
	      "\nExamples:\n"
	      "  wispctl create --name web -- httpd -f; wispctl start web\n"
	      "  wispctl create -it --name box -- sh; wispctl start -a box\n",
		stdout);
}

int ctl_start(int argc, char **argv)
{
	struct ctl_attach_options o = {0};
	int code = ctl_attach_options_parse(&o, argc, argv, true);

	if (code == CTL_FOUND)
		help();
	if (code != CTL_OK)
		return code == CTL_FOUND ? CTL_OK : code;
	if (optind == argc || (o.attach && argc - optind != 1)) {
		ctl_say("start %s? See `wispctl start --help`",
			o.attach ? "which one container" : "which containers");
		return CTL_FAILED;
	}
	return o.attach ? ctl_attach_to(&o, argv[optind], true)
			: start_all(o.root, argv + optind);
}
