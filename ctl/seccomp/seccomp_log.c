/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"

#define LOG_MAX (4u << 20)

static long long number(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val n = yajl_tree_get(v, path, yajl_t_number);

	return n && YAJL_IS_INTEGER(n) ? YAJL_GET_INTEGER(n) : 0;
}

/* A file may be anybody's: nothing in it gets at the terminal. */
static char *text(yajl_val v, const char *key)
{
	const char *s = ctl_json_get(v, key);
	char *copy = strdup(s ? s : ""), *at;

	for (at = copy; copy && *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return copy;
}

static int fill(struct sec_denial *d, yajl_val v)
{
	static const char *args_path[] = {"args", NULL};
	static const char *again_path[] = {"again", NULL};
	yajl_val args = yajl_tree_get(v, args_path, yajl_t_array);
	size_t i;

	d->unnamed = (uint64_t)number(v, "unnamed");
	d->name = text(v, "syscall");
	d->arch = text(v, "arch");
	d->call = text(v, "call");
	d->comm = text(v, "comm");
	d->why = text(v, "profile");
	d->error = (int)number(v, "errno");
	d->nr = (int)number(v, "nr");
	d->pid = number(v, "pid");
	d->count = (uint64_t)number(v, "count");
	d->total = (uint64_t)number(v, "total");
	d->again = yajl_tree_get(v, again_path, yajl_t_true) != NULL;
	for (i = 0; args && i < args->u.array.len && i < SECCOMP_ARGS; i++) {
		const char *arg = YAJL_GET_STRING(args->u.array.values[i]);

		d->args[i] = arg ? strtoull(arg, NULL, 16) : 0;
	}
	if (!d->name || !d->arch || !d->call || !d->comm || !d->why)
		return -ENOMEM;
	return *d->name || d->unnamed ? 0 : -EINVAL;
}

int sec_denial_parse(const char *line, struct sec_denial *ret)
{
	struct sec_denial d = {0};
	yajl_val v = yajl_tree_parse(line, NULL, 0);
	int r = v && YAJL_IS_OBJECT(v) ? fill(&d, v) : -EINVAL;

	yajl_tree_free(v);
	if (r < 0)
		sec_denial_clear(&d);
	else
		*ret = d;
	return r;
}

void sec_denial_clear(struct sec_denial *d)
{
	free(d->name);
	free(d->arch);
	free(d->call);
	free(d->comm);
	free(d->why);
	memset(d, 0, sizeof(*d));
}

const char *sec_errno_name(int error, char buf[16])
{
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(buf, 16, "errno %d", error);
	return buf;
}

static bool same_kind(const struct sec_denial *a, const struct sec_denial *b)
{
	return a->error == b->error && strcmp(a->arch, b->arch) == 0 &&
	       strcmp(a->comm, b->comm) == 0 && strcmp(a->call, b->call) == 0;
}

/* Takes d. */
static int add(struct sec_denials *all, struct sec_denial *d)
{
	struct sec_denial *at;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!same_kind(&all->at[i], d))
			continue;
		if (d->total > all->at[i].total)
			all->at[i].total = d->total;
		sec_denial_clear(d);
		return 0;
	}
	at = realloc(all->at, (all->n + 1) * sizeof(*at));
	if (!at) {
		sec_denial_clear(d);
		return -ENOMEM;
	}
	all->at = at;
	at[all->n++] = *d;
	return 0;
}

int sec_denials_read(const char *path, struct sec_denials *ret, struct err *e)
{
	struct sec_denials all = {0};
	struct sec_denial d;
	char *data, *line, *rest;
	size_t n;
	int r = file_read(path, LOG_MAX, &data, &n, e);

	if (r < 0)
		return r;
	for (line = strtok_r(data, "\n", &rest); line && r == 0;
		line = strtok_r(NULL, "\n", &rest)) {
		if (sec_denial_parse(line, &d) < 0)
			continue;
		all.unnamed += d.unnamed;
		if (d.unnamed)
			sec_denial_clear(&d);
		else
			r = add(&all, &d);
	}
	free(data);
	if (r < 0) {
		sec_denials_free(&all);
		return err_sys(e, r, "read '%s'", path);
	}
	*ret = all;
	return 0;
}

void sec_denials_free(struct sec_denials *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		sec_denial_clear(&d->at[i]);
	free(d->at);
	memset(d, 0, sizeof(*d));
}
