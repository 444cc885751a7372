/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/env.h"
#include "ctl/exec.h"

static const struct option long_options[] = {
	{"interactive", no_argument, NULL, 'i'},
	{"tty", no_argument, NULL, 't'},
	{"detach", no_argument, NULL, 'd'},
	{"env", required_argument, NULL, 'e'},
	{"cwd", required_argument, NULL, 'w'},
	{"workdir", required_argument, NULL, 'w'},
	{"user", required_argument, NULL, 'u'},
	{"exec", required_argument, NULL, 'x'},
	CTL_TASK_LONG_OPTIONS,
};

void ctl_exec_help(void)
{
	fputs("Usage: wispctl exec [OPTIONS] ID COMMAND [ARG...]\n\n"
	      "Runs COMMAND in a container that runs, and returns its exit "
	      "status. Any shim on\nthe host will do, whoever started it.\n\n"
	      "  -i, --interactive     connect stdin (otherwise it is "
	      "/dev/null)\n"
	      "  -t, --tty             give it a terminal\n"
	      "  -d, --detach          don't wait: print the id under which "
	      "the "
	      "shim has it,\n                        for kill -x and wait -x; "
	      "its output goes nowhere\n"
	      "  -e, --env K=V         add to the container's environment; K "
	      "alone passes\n                        ours on\n"
	      "  -w, --cwd DIR         working folder (default: the "
	      "container's)\n"
	      "  -u, --user UID[:GID]  numbers, as in the container (default: "
	      "the\n                        container's); others than 0 have "
	      "no capabilities\n"
	      "  -x, --exec EXEC       the id (default: made up)\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nThe default of --timeout is 0 here.\n"
	      "ID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExit status: the command's own (128+N if signal N ended it); "
	      "125 wispctl, shim\nor runtime failed; 126 the command cannot be "
	      "invoked; 127 it was not found.\n"
	      "\nExamples:\n"
	      "  wispctl exec web ps\n"
	      "  wispctl exec -it web sh\n"
	      "  wispctl exec -i web tar -x -C /srv < site.tar\n"
	      "  wispctl exec -n moby -u 1000 -e LANG=C 3f2a id\n",
		stdout);
}

static int parse_id(const char **text, uint32_t *ret)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	n = strtoull(*text, &end, 10);
	if (errno || n >= UINT32_MAX) /* (uid_t)-1 is nobody */
		return -EINVAL;
	*text = end;
	*ret = (uint32_t)n;
	return 0;
}

static int set_user(struct ctl_exec_options *o, const char *arg, struct err *e)
{
	const char *at = arg;
	int r = parse_id(&at, &o->uid);

	o->gid = 0; /* as docker's, where no name tells another */
	if (r == 0 && *at == ':') {
		at++;
		r = parse_id(&at, &o->gid);
	}
	o->has_user = true;
	if (r < 0 || *at)
		return err_set(e, -EINVAL,
			"--user '%s': use numbers, UID or UID:GID", arg);
	return 0;
}

static int set_id(struct ctl_exec_options *o, const char *arg, struct err *e)
{
	o->exec_id = arg;
	if (!client_id_is_valid(arg))
		return err_set(e, -EINVAL,
			"--exec '%s': use up to 76 letters and digits, with "
			"single '.', '-' or '_' between them",
			arg);
	return 0;
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct ctl_exec_options *o = own;

	switch (opt) {
	case 'i':
		o->interactive = true;
		return 0;
	case 't':
		o->terminal = true;
		return 0;
	case 'd':
		o->detach = true;
		return 0;
	case 'e':
		return ctl_env_add(&o->env, &o->n_env, arg, e);
	case 'w':
		o->cwd = arg;
		return 0;
	case 'u':
		return set_user(o, arg, e);
	default:
		return set_id(o, arg, e);
	}
}

static int check_together(const struct ctl_exec_options *o, struct err *e)
{
	if (o->detach && (o->interactive || o->terminal))
		return err_set(e, -EINVAL,
			"-d excludes -i and -t: nobody would be there");
	if (o->cwd && *o->cwd != '/')
		return err_set(
			e, -EINVAL, "--cwd '%s': use an absolute path", o->cwd);
	if (o->terminal && o->interactive && !isatty(STDIN_FILENO))
		return err_set(e, -EINVAL,
			"-t and -i together need a terminal on stdin; leave "
			"out -t to pipe data in");
	return 0;
}

/* The command's options are its own: ours end at ID. */
int ctl_exec_options_parse(
	struct ctl_exec_options *ret, int argc, char **argv, struct err *e)
{
	int first, r;

	*ret = (struct ctl_exec_options){0};
	r = ctl_task_options_parse(&ret->common, argc, argv,
		"+itde:w:u:x:", long_options, set, ret, &first, e);
	if (r < 0 || ret->common.help)
		return r;
	r = ctl_task_options_count(argv[0], argc - first, 1, -1, e);
	if (r < 0)
		return r;
	ret->id = argv[first++];
	if (first < argc && strcmp(argv[first], "--") == 0)
		first++;
	ret->command = argv + first;
	if (!*ret->command)
		return err_set(
			e, -EINVAL, "which command? See `wispctl exec --help`");
	return check_together(ret, e);
}

void ctl_exec_options_clear(struct ctl_exec_options *o)
{
	ctl_env_clear(o->env, o->n_env);
}
