/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create.c - `wispctl create`, and `run -d`: fill a place, then leave it to a
 * keeper (keep.h).
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/command.h"
#include "ctl/exit_code.h"
#include "ctl/keep.h"
#include "ctl/release.h"
#include "ctl/run.h"
#include "ctl/say.h"

static void help(void)
{
	fputs("Usage: wispctl create [OPTIONS] [--] [COMMAND [ARG...]]\n"
	      "       wispctl run -d [OPTIONS] [--] [COMMAND [ARG...]]\n\n"
	      "Makes a container that does not depend on this shell, and "
	      "prints "
	      "its id. `create`\nleaves it to `wispctl start`; `run -d` starts "
	      "it. A process of its own, the keeper,\nholds its stdin open and "
	      "its output in a log until it is deleted.\n\n"
	      "Options are those of `wispctl run --help` but --events and "
	      "--debug, and:\n"
	      "      --rm            delete it when it has ended\n"
	      "  -i, -t              for `wispctl attach` later\n"
	      "\nThen:\n"
	      "  wispctl start ID    start it; -a: and attach\n"
	      "  wispctl attach ID   see its output, type to it; ctrl-p ctrl-q "
	      "leaves it\n"
	      "  wispctl logs ID     what it has written so far; -f: and what "
	      "follows\n"
	      "  wispctl events      what happens to it and to others\n"
	      "  wispctl delete ID   the end of it\n"
	      "\nExit status: 0; 125 wispctl, shim or runtime failed; 126 the "
	      "command cannot be\ninvoked; 127 it was not found. Then nothing "
	      "is "
	      "left of the container.\n"
	      "\nExamples:\n"
	      "  wispctl create --name web -- httpd -f\n"
	      "  wispctl run -d --name web -- httpd -f\n"
	      "  wispctl run -d -it --name box -- sh; wispctl attach box\n"
	      "  wispctl run -d --rm --checkpoint /srv/web.img --bundle "
	      "/srv/web\n",
		stdout);
}

/* From here on the container is the keeper's, or gone. */
static int hand_over(struct ctl_run *r, bool start, struct err *e)
{
	int rc;

	rc = ctl_keep_start(r->client, &r->place, r->id,
		start ? CTL_KEEP_RUN : CTL_KEEP_CREATE, e);
	if (rc == 0)
		ctl_guard_tell_kept(&r->guard);
	return rc;
}

static int make(struct ctl_run *r, bool start)
{
	struct err e = {0}, late = {0};
	int rc;

	ctl_release_all_left(r->client, r->o->root);
	rc = ctl_run_prepare_place(r, &e);
	if (rc == 0)
		rc = hand_over(r, start, &e);
	else if (ctl_run_remove_place(r, &late) < 0)
		ctl_say("clean up: %s", late.msg);
	ctl_guard_end(&r->guard);
	if (rc < 0) {
		ctl_say("%s", e.msg);
		return ctl_exit_code(&e);
	}
	if (puts(r->id) < 0 || fflush(stdout) != 0) {
		ctl_say("container '%s' is there, but its id cannot be "
			"written to stdout",
			r->id);
		return CTL_FAILED;
	}
	return CTL_OK;
}

static int make_only(struct ctl_run *r)
{
	return make(r, false);
}

static int make_and_start(struct ctl_run *r)
{
	return make(r, true);
}

int ctl_run_detached(const struct ctl_run_options *o, bool start)
{
	return ctl_run_begin(o, start ? make_and_start : make_only);
}

int ctl_create(int argc, char **argv)
{
	struct ctl_run_options o;
	struct err e = {0};
	int code = CTL_FAILED;

	if (ctl_run_options_parse(&o, argc, argv, &e) < 0) {
		ctl_say("%s", e.msg);
	} else if (o.help) {
		help();
		code = CTL_OK;
	} else {
		code = ctl_run_detached(&o, false);
	}
	ctl_run_options_clear(&o);
	return code;
}
