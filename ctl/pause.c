/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.c - `wispctl pause` and `wispctl resume`.
 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/target.h"

static const struct option long_options[] = {
	CTL_TASK_LONG_OPTIONS,
};

static void pause_help(void)
{
	fputs("Usage: wispctl pause [OPTIONS] ID...\n\n"
	      "Freezes all processes of a container, until `wispctl resume`. "
	      "Any shim on the\nhost will do, whoever started it.\n\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExamples:\n"
	      "  wispctl pause web\n"
	      "  wispctl pause -n k8s.io 3f2a 77b0\n",
		stdout);
}

static void resume_help(void)
{
	fputs("Usage: wispctl resume [OPTIONS] ID...\n\n"
	      "Lets the processes of a paused container go on.\n\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExamples:\n"
	      "  wispctl resume web\n",
		stdout);
}

/* There are no options but those of all. */
static int set(void *own, int opt, const char *arg, struct err *e)
{
	(void)own;
	(void)opt;
	(void)arg;
	(void)e;
	return 0;
}

static int pause_one(struct ctl_target *t, void *arg, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	(void)arg;
	return client_await(
		aw, client_task_pause(t->task, client_await_done, aw), e);
}

static int resume_one(struct ctl_target *t, void *arg, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	(void)arg;
	return client_await(
		aw, client_task_resume(t->task, client_await_done, aw), e);
}

static int each(int argc, char **argv, void (*help)(void), ctl_target_do what)
{
	struct ctl_task_options o = {.timeout_ms = CTL_TASK_TIMEOUT_MS};
	struct err e = {0};
	int first, r;

	r = ctl_task_options_parse(
		&o, argc, argv, "", long_options, set, NULL, &first, &e);
	if (r == 0 && o.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, -1, &e);
	if (r == 0)
		return ctl_target_each(argv[0], &o, argv + first, what, NULL);
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}

int ctl_pause(int argc, char **argv)
{
	return each(argc, argv, pause_help, pause_one);
}

int ctl_resume(int argc, char **argv)
{
	return each(argc, argv, resume_help, resume_one);
}
