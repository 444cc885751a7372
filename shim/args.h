/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.h - the command line that daemons use for a shim.
 *
 * containerd's runtime/v2 README: flags with one dash or two, as "-x v" or
 * "-x=v", then at most one command.
 */
#ifndef WISP_SHIM_ARGS_H
#define WISP_SHIM_ARGS_H

#include <stdbool.h>

#include "platform/err.h"

struct args {
	const char *ns; /* -namespace */
	const char *id;
	const char *address; /* the daemon's own socket */
	const char *publish_binary;
	const char *bundle; /* NULL: the working directory */
	const char *socket; /* accepted, unused */
	bool debug, version, info, help;
	const char *command; /* NULL: none given */
};

/* Strings are argv's. Unset ones are "", bundle and command are NULL. -EINVAL
 * names what is wrong. */
int args_parse(int argc, char **argv, struct args *ret, struct err *e);

extern const char args_usage[];

#endif
