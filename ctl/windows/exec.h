/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.h - `wispctl exec` on Windows: one more process in a container that
 * runs.
 */
#ifndef WISP_CTL_WINDOWS_EXEC_H
#define WISP_CTL_WINDOWS_EXEC_H

#include <stddef.h>

#include "ctl/task_options.h"

/* Strings that were given as they are point into argv. */
struct exec_options {
	struct ctl_task_options common;
	bool interactive, terminal;
	const char *id;
	const char *exec_id; /* NULL: made up */
	const char *cwd;     /* NULL: the container's */
	char **env;
	size_t n_env;
	char **command; /* to a NULL */
};

/* A `process` as the runtime spec has it: the container's own, from its
 * config.json (NULL: there is none to be read), with what the options change.
 * For the caller to free. */
int exec_spec(const char *config, const struct exec_options *o, char **ret,
	struct err *e);

#endif
