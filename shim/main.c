/* SPDX-License-Identifier: Apache-2.0 */
/* containerd-shim-wisp-v1: see args.c for what it can be told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/host.h"
#include "shim/args.h"
#include "shim/cleanup.h"
#include "shim/info.h"
#include "shim/start.h"

static int dispatch(const struct args *args, struct err *e)
{
	if (!args->command)
		return err_set(e, -EINVAL,
			"no command: daemons run this with start or delete; "
			"see -help");
	if (strcmp(args->command, "start") == 0)
		return start_command(args, e);
	if (strcmp(args->command, "delete") == 0)
		return cleanup_command(args, e);
	return err_set(e, -EINVAL,
		"unknown command '%s': known are start and delete",
		args->command);
}

int main(int argc, char **argv)
{
	struct args args;
	struct err e = {0};
	int r;

	host_close_inherited();
	r = host_arguments(&argc, &argv, &e);
	if (r == 0)
		r = args_parse(argc, argv, &args, &e);
	if (r == 0 && args.help) {
		fputs(args_usage, stdout);
		return 0;
	}
	if (r == 0 && args.version) {
		printf("containerd-shim-wisp-v1:\n  Version:  %s\n",
			WISP_VERSION);
		return 0;
	}
	if (r == 0)
		r = args.info ? info_command(&e) : dispatch(&args, &e);
	if (r < 0)
		fprintf(stderr, "containerd-shim-wisp-v1: %s\n", e.msg);
	return r < 0;
}
