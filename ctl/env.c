/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ctl_env_add(char ***env, size_t *n_env, const char *arg, struct err *e)
{
	const char *value = getenv(arg);
	char **more, *text;
	int n;

	if (*arg == '\0' || *arg == '=')
		return err_set(e, -EINVAL, "--env '%s': use NAME=VALUE", arg);
	if (!strchr(arg, '=') && !value)
		return 0; /* as docker: passing on what is not set is nothing */
	more = realloc(*env, (*n_env + 2) * sizeof(*more));
	if (!more)
		return err_sys(e, -ENOMEM, "--env");
	*env = more;
	n = strchr(arg, '=') ? asprintf(&text, "%s", arg)
			     : asprintf(&text, "%s=%s", arg, value);
	if (n < 0)
		return err_sys(e, -ENOMEM, "--env");
	more[(*n_env)++] = text;
	more[*n_env] = NULL;
	return 0;
}

void ctl_env_clear(char **env, size_t n_env)
{
	size_t i;

	for (i = 0; i < n_env; i++)
		free(env[i]);
	free(env);
}
