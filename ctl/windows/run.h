/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - `wispctl run` on Windows: a container from birth to deletion, with no
 * daemon but wispctl itself. run.c has the story from top to bottom.
 */
#ifndef WISP_CTL_WINDOWS_RUN_H
#define WISP_CTL_WINDOWS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"

/* Strings that were given as they are point into argv. */
struct run_options {
	bool help;
	bool terminal, interactive;
	bool events, json, debug;
	const char *name;         /* NULL: made up */
	const char *root;         /* NULL: the default one */
	const char *bundle;       /* its config.json is taken; NULL: made */
	const char *shim;         /* NULL: wisp's */
	const char *cwd;          /* NULL: C:\ */
	const char *user;         /* NULL: inherited */
	const char *command_line; /* verbatim, instead of command */
	uint64_t memory;          /* bytes; 0: no limit */
	uint64_t cpu_count;       /* 0: no limit */
	char **env;               /* "K=V", n_env of them */
	size_t n_env;
	const char **annotations; /* "K=V", to a NULL */
	size_t n_annotations;
	char **command; /* to a NULL; empty: a default */
};

/* argv[0] is "run". 0, or -EINVAL with a message. ret is cleared by the caller
 * in both cases. */
int run_options_parse(
	struct run_options *ret, int argc, char **argv, struct err *e);
void run_options_clear(struct run_options *o);
void run_help(void);

/* The container's config.json, made of the options or taken from the bundle;
 * for the caller to free. */
int run_config(const struct run_options *o, char **ret, struct err *e);

#endif
