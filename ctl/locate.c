/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/locate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/json.h"
#include "platform/file.h"
#include "platform/look.h"

#define UNIX_SCHEME "unix://"

struct search {
	const char *ns, *id;
	struct ctl_shim *found;
	bool exact; /* found has the very name */
	unsigned n; /* how many match as well as found does */
	char names[256];
};

/* A shim's process. */
struct candidate {
	int64_t pid;
	char ns[128], id[128];
	bool is_wisp;
};

/* ---- what a process tells ---- */

/* "-name value" or "-name=value", with one dash or two. */
static bool take_flag(char **word, char **rest, const char *name, char *to)
{
	char *at = *word + strspn(*word, "-");
	size_t n = strlen(name);

	if (at == *word || strncmp(at, name, n) != 0)
		return false;
	if (at[n] == '=')
		at += n + 1;
	else if (at[n] == '\0')
		at = strsep(rest, " ");
	else
		return false;
	snprintf(to, 128, "%s", at ? at : "");
	return true;
}

static bool parse_command(char *command, struct candidate *c)
{
	char *rest = command, *word = strsep(&rest, " ");
	const char *name = word ? strrchr(word, '/') : NULL;

	if (!word || !strstr(name ? name : word, "shim"))
		return false;
	while ((word = strsep(&rest, " "))) {
		if (take_flag(&word, &rest, "namespace", c->ns) ||
			take_flag(&word, &rest, "id", c->id))
			continue;
		if (strcmp(word, "delete") == 0)
			return false;
	}
	return *c->ns && *c->id;
}

static bool is_shim(int64_t pid, struct candidate *ret)
{
	struct look_process lp;

	memset(ret, 0, sizeof(*ret));
	if (look_process(pid, &lp) < 0 || !parse_command(lp.command, ret))
		return false;
	ret->pid = pid;
	ret->is_wisp = strcmp(lp.name, "wisp-shim") == 0;
	return true;
}

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

/* ---- what a bundle tells ---- */

static bool read_bootstrap(const char *via, struct ctl_shim *s)
{
	static const char *const version[] = {"version", NULL};
	char path[600];
	const char *address;
	yajl_val v, n;

	snprintf(path, sizeof(path), "%s/bootstrap.json", via);
	if (ctl_json_read(path, 65536, &v, NULL) < 0)
		return false;
	address = ctl_json_get(v, "address");
	n = yajl_tree_get(v, (const char **)version, yajl_t_number);
	if (address)
		snprintf(s->address, sizeof(s->address), "%s", address);
	if (n && YAJL_IS_INTEGER(n))
		s->version = (unsigned)YAJL_GET_INTEGER(n);
	yajl_tree_free(v);
	return *s->address;
}

static bool read_address(const char *via, struct ctl_shim *s)
{
	char path[600];

	s->version = 2;
	if (read_bootstrap(via, s))
		return true;
	snprintf(path, sizeof(path), "%s/address", via);
	return file_read_into(path, s->address, sizeof(s->address)) == 0 &&
	       *s->address;
}

/* ---- putting both together ---- */

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
	snprintf(s->names + at, sizeof(s->names) - at, "%s%s/%s",
		at > 0 ? ", " : "", shim->ns, shim->id);
}

static void read_bundle_path(struct ctl_shim *s)
{
	ssize_t n = readlink(s->via, s->bundle, sizeof(s->bundle) - 1);

	if (n < 0)
		n = 0;
	s->bundle[n] = '\0';
}

static void take_own(struct search *s, const struct candidate *c)
{
	struct ctl_shim shim = {.pid = c->pid};

	if (strncmp(c->id, s->id, strlen(s->id)) != 0)
		return;
	snprintf(shim.ns, sizeof(shim.ns), "%s", c->ns);
	snprintf(shim.id, sizeof(shim.id), "%s", c->id);
	snprintf(shim.via, sizeof(shim.via), "/proc/%" PRId64 "/cwd", c->pid);
	read_bundle_path(&shim);
	read_address(shim.via, &shim);
	shim.takes_signal = c->is_wisp && catches_usr1(c->pid);
	take(s, &shim, strcmp(c->id, s->id) == 0);
}

/* A bundle beside that of a shim, which says that this shim is its own, too. */
static void take_beside(
	struct search *s, const struct candidate *c, const char *id)
{
	struct ctl_shim shim = {.pid = c->pid}, own = {0};
	char via[64], *end;

	snprintf(via, sizeof(via), "/proc/%" PRId64 "/cwd", c->pid);
	if ((size_t)snprintf(shim.via, sizeof(shim.via), "%s/../%s", via, id) >=
			sizeof(shim.via) ||
		!read_address(shim.via, &shim))
		return;
	/* the first container's bundle may be gone: then nobody else does */
	if (read_address(via, &own) && strcmp(own.address, shim.address) != 0)
		return;
	snprintf(shim.ns, sizeof(shim.ns), "%s", c->ns);
	snprintf(shim.id, sizeof(shim.id), "%s", id);
	snprintf(own.via, sizeof(own.via), "%s", via);
	read_bundle_path(&own);
	end = strrchr(own.bundle, '/');
	if (end)
		snprintf(shim.bundle, sizeof(shim.bundle), "%.*s/%.127s",
			(int)(end - own.bundle), own.bundle, id);
	shim.takes_signal = c->is_wisp && catches_usr1(c->pid);
	take(s, &shim, strcmp(id, s->id) == 0);
}

static void look_beside(struct search *s, const struct candidate *c)
{
	struct dirent *d;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/cwd/..", c->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && strcmp(d->d_name, c->id) != 0 &&
			strncmp(d->d_name, s->id, strlen(s->id)) == 0)
			take_beside(s, c, d->d_name);
	if (dir)
		closedir(dir);
}

static void each_shim(struct search *s,
	void (*each)(struct search *s, const struct candidate *c))
{
	DIR *dir = opendir("/proc");
	struct candidate c;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		int64_t pid = strtoll(d->d_name, NULL, 10);

		if (pid > 0 && is_shim(pid, &c) &&
			(!s->ns || strcmp(s->ns, c.ns) == 0))
			each(s, &c);
	}
	if (dir)
		closedir(dir);
}

int ctl_locate(
	const char *ns, const char *id, struct ctl_shim *ret, struct err *e)
{
	struct search s = {.ns = ns, .id = id, .found = ret};

	memset(ret, 0, sizeof(*ret));
	if (!*id || strchr(id, '/'))
		return err_set(e, -EINVAL, "'%s' is no container's id", id);
	each_shim(&s, take_own);
	if (!s.exact)
		each_shim(&s, look_beside);
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
