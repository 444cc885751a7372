/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/locate.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl/scan.h"

#define UNIX_SCHEME "unix://"

struct search {
	const char *ns, *id;
	struct ctl_shim *found;
	bool exact;      /* found has the very name */
	unsigned n;      /* how many match as well as found does */
	char names[768]; /* those of them that have room */
};

/* An older one has no handler, and would die of it. */
static bool catches_usr1(int64_t pid)
{
	char path[64], line[256];
	unsigned long long blocked = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
			break;
	if (f)
		fclose(f);
	return blocked >> (SIGUSR1 - 1) & 1;
}

static void take(struct search *s, const struct ctl_shim *shim, bool exact)
{
	size_t at = strlen(s->names);

	if (s->n > 0 && s->exact && !exact)
		return;
	if (s->n > 0 && strcmp(s->found->ns, shim->ns) == 0 &&
		strcmp(s->found->id, shim->id) == 0)
		return; /* one shim found in two ways */
	if (exact && !s->exact) {
		s->n = 0;
		at = 0;
	}
	s->exact = exact;
	if (s->n++ == 0)
		*s->found = *shim;
	if (sizeof(s->names) - at > sizeof(", /") + 2 * SCAN_ID_MAX)
		snprintf(s->names + at, sizeof(s->names) - at, "%s%s/%s",
			at > 0 ? ", " : "", shim->ns, shim->id);
}

void ctl_locate_take(const struct scan_shim *shim,
	const struct scan_container *c, struct ctl_shim *ret)
{
	*ret = (struct ctl_shim){.pid = shim->pid, .version = shim->version};
	snprintf(ret->ns, sizeof(ret->ns), "%s", shim->words.ns);
	snprintf(ret->id, sizeof(ret->id), "%s", c->id);
	snprintf(ret->via, sizeof(ret->via), "%s", c->via);
	snprintf(ret->bundle, sizeof(ret->bundle), "%s", c->bundle);
	snprintf(ret->address, sizeof(ret->address), "%s", shim->address);
	ret->takes_signal = shim->is_wisp && catches_usr1(shim->pid);
}

static void take_container(struct search *s, const struct scan_shim *shim,
	const struct scan_container *c)
{
	struct ctl_shim found;

	if (strncmp(c->id, s->id, strlen(s->id)) != 0)
		return;
	ctl_locate_take(shim, c, &found);
	take(s, &found, strcmp(c->id, s->id) == 0);
}

static void search(struct search *s, const struct scan *all)
{
	size_t i, j;

	for (i = 0; i < all->n; i++)
		for (j = 0; j < all->shims[i].n; j++)
			take_container(s, &all->shims[i],
				&all->shims[i].containers[j]);
}

int ctl_locate(
	const char *ns, const char *id, struct ctl_shim *ret, struct err *e)
{
	struct search s = {.ns = ns, .id = id, .found = ret};
	struct scan all;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!*id || strchr(id, '/'))
		return err_set(e, -EINVAL, "'%s' is no container's id", id);
	r = scan_shims(ns, &all, e);
	if (r < 0)
		return r;
	search(&s, &all);
	scan_clear(&all);
	if (s.n == 0)
		return err_set(e, -ENOENT,
			"no shim on this host has a container '%s'%s%s; is it "
			"running, and are you root?",
			id, ns ? " in namespace " : "", ns ? ns : "");
	if (s.n > 1)
		return err_set(e, -EEXIST,
			"'%s' may be any of %s; say more of it, or which "
			"namespace (-n)",
			id, s.names);
	return 0;
}

int ctl_locate_connect(struct client *c, const struct ctl_shim *s,
	struct client_shim **ret, struct err *e)
{
	const char *path = s->address;
	char via[600];
	int r;

	if (!*s->address)
		return err_set(e, -ENOENT,
			"the bundle '%s' does not tell the shim's address",
			s->bundle);
	r = client_shim_connect(c, s->ns, s->address, s->version, ret, e);
	if (r != -ENOENT || !s->pid)
		return r;
	/* where the shim's process has it */
	if (strncmp(path, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
		path += strlen(UNIX_SCHEME);
	snprintf(via, sizeof(via), UNIX_SCHEME "/proc/%" PRId64 "/root%s",
		s->pid, path);
	return client_shim_connect(c, s->ns, via, s->version, ret, e);
}
