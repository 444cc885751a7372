/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docker does: the command replaces Cmd, --entrypoint replaces Entrypoint
 * and drops Cmd; a variable that is given replaces the image's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/image/image_run.h"

static size_t length(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static int merge_args(struct image_run *x, const char *entrypoint,
	char *const *command, struct err *e)
{
	const struct image_config *c = &x->image.config;
	const char *given[] = {entrypoint, NULL};
	const char *const *head = (const char *const *)c->entrypoint;
	const char *const *tail = (const char *const *)c->cmd;
	size_t n, m;

	if (entrypoint) {
		head = *entrypoint ? given : NULL;
		tail = NULL;
	}
	if (*command)
		tail = (const char *const *)command;
	n = length(head);
	m = length(tail);
	if (n + m == 0)
		return err_set(e, -EINVAL,
			"the image names no command; give one after --");
	x->args = calloc(n + m + 1, sizeof(*x->args));
	if (!x->args)
		return err_sys(e, -ENOMEM, "command");
	if (head && n)
		memcpy(x->args, head, n * sizeof(*head));
	if (tail && m)
		memcpy(x->args + n, tail, m * sizeof(*tail));
	return 0;
}

static bool is_same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

static void put_env(struct image_run *x, const char *text)
{
	size_t i;

	for (i = 0; i < x->n_env && x->env[i]; i++)
		if (is_same_name(text, x->env[i]))
			break;
	x->env[i] = text;
	if (i == x->n_env)
		x->n_env++;
}

/* A variable without a value is none. */
static int merge_env(
	struct image_run *x, char *const *env, size_t n_env, struct err *e)
{
	const char **own = x->image.config.env;
	size_t i, n = length((const char *const *)own);

	x->env = calloc(n + n_env + 1, sizeof(*x->env));
	if (!x->env)
		return err_sys(e, -ENOMEM, "environment");
	for (i = 0; i < n; i++)
		if (*own[i] != '=' && strchr(own[i], '='))
			put_env(x, own[i]);
	for (i = 0; i < n_env; i++)
		put_env(x, env[i]);
	return 0;
}

int image_run_merge(struct image_run *x, const struct image_options *o,
	char *const *command, char *const *env, size_t n_env, struct err *e)
{
	const char *cwd = x->image.config.cwd;
	int r = merge_args(x, o->entrypoint, command, e);

	if (r == 0)
		r = merge_env(x, env, n_env, e);
	if (r < 0)
		return r;
	if (asprintf(&x->cwd, "%s%s", cwd && *cwd == '/' ? "" : "/",
		    cwd ? cwd : "") < 0) {
		x->cwd = NULL;
		return err_sys(e, -ENOMEM, "folder");
	}
	return 0;
}
