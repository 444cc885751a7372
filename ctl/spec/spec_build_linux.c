/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/spec_build.h"
#include "ctl/spec/spec_values.h"
#include "platform/auto.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144

/* What a spec borrows, and what of it is to be freed. */
struct build {
	struct ctl_spec s;
	struct ctl_mount *mounts;
	struct ctl_device *devices;
	struct ctl_id_map *id_maps;
	uint32_t groups[SPEC_GROUPS_MAX];
	const char *capabilities[SPEC_CAPS_MAX];
	char *rootfs;
};

static int build_devices(
	struct build *b, const struct spec_options *o, struct err *e)
{
	size_t i;
	int r = 0;

	if (o->devices.n == 0)
		return 0;
	b->devices = calloc(o->devices.n, sizeof(*b->devices));
	if (!b->devices)
		return err_sys(e, -ENOMEM, "--device");
	for (i = 0; r == 0 && i < o->devices.n; i++)
		r = spec_parse_device(o->devices.v[i], &b->devices[i], e);
	b->s.devices = b->devices;
	b->s.n_devices = o->devices.n;
	return r;
}

static int build_id_maps(
	struct build *b, const struct spec_options *o, struct err *e)
{
	size_t i;
	int r = 0;

	if (o->id_maps.n == 0)
		return 0;
	b->id_maps = calloc(o->id_maps.n, sizeof(*b->id_maps));
	if (!b->id_maps)
		return err_sys(e, -ENOMEM, "--userns");
	for (i = 0; r == 0 && i < o->id_maps.n; i++)
		r = spec_parse_id_map(o->id_maps.v[i], &b->id_maps[i], e);
	b->s.id_maps = b->id_maps;
	b->s.n_id_maps = o->id_maps.n;
	return r;
}

static int build_limits(
	struct build *b, const struct spec_options *o, struct err *e)
{
	bool any = o->memory || o->cpus || o->cpu_shares || o->cpuset ||
		   o->pids || o->cgroup || o->devices.n;
	int r = 0;

	if (any && !b->s.user.is_root)
		return err_set(e, -EPERM,
			"limits and devices need a cgroup, which only root may "
			"make");
	if (o->cpu_shares &&
		(o->cpu_shares < SHARES_MIN || o->cpu_shares > SHARES_MAX))
		return err_set(e, -EINVAL,
			"--cpu-shares must be from %d to %d; 1024 is usual",
			SHARES_MIN, SHARES_MAX);
	if (o->pids > INT32_MAX)
		return err_set(e, -EINVAL, "--pids: that is no limit");
	if (o->cpus)
		r = spec_parse_cpus(o->cpus, &b->s.nano_cpus, e);
	b->s.memory = o->memory;
	b->s.cpu_shares = o->cpu_shares;
	b->s.cpuset = o->cpuset;
	b->s.pids = (int64_t)o->pids;
	b->s.cgroup = o->cgroup;
	return r;
}

static int build_privileges(
	struct build *b, const struct spec_options *o, struct err *e)
{
	int r = spec_capabilities((const char *const *)o->cap_add.v,
		(const char *const *)o->cap_drop.v, b->capabilities, e);

	b->s.capabilities = b->capabilities;
	if (r == 0 && o->user)
		r = spec_parse_user(o->user, &b->s.uid, &b->s.gid, b->groups,
			&b->s.n_groups, e);
	b->s.groups = b->groups;
	if (r < 0 || !o->new_privileges)
		return r;
	b->s.may_gain_privileges = strcmp(o->new_privileges, "false") == 0;
	if (!b->s.may_gain_privileges && strcmp(o->new_privileges, "true") != 0)
		return err_set(e, -EINVAL,
			"--no-new-privileges=%s: use true (as it is anyway) or "
			"false",
			o->new_privileges);
	return 0;
}

static int build_rest(
	struct build *b, const struct spec_options *o, struct err *e)
{
	b->s.host_network = o->network && strcmp(o->network, "host") == 0;
	if (o->network && !b->s.host_network && strcmp(o->network, "none") != 0)
		return err_set(e, -EINVAL, "--network '%s': use host or none",
			o->network);
	if (o->cwd && *o->cwd != '/')
		return err_set(
			e, -EINVAL, "--cwd '%s': use an absolute path", o->cwd);
	if (o->rootfs) {
		b->rootfs = realpath(o->rootfs, NULL);
		if (!b->rootfs)
			return err_sys(e, -errno, "--rootfs '%s'", o->rootfs);
		b->s.rootfs = b->rootfs;
	}
	return 0;
}

static void clear(struct build *b)
{
	spec_free_mounts(b->mounts, b->s.n_mounts);
	free(b->devices);
	free(b->id_maps);
	free(b->rootfs);
	yajl_tree_free(b->s.seccomp);
}

int spec_build_linux(struct spec_options *o, char **ret, struct err *e)
{
	static const char *const shell[] = {"sh", NULL};
	struct build b = {
		.s = {.hostname = o->hostname ? o->hostname : "wisp",
			.rootfs = "rootfs",
			.cwd = o->cwd,
			.args = *o->command ? (const char *const *)o->command
					    : shell,
			.env = (const char *const *)o->env,
			.n_env = o->n_env,
			.terminal = o->terminal,
			.read_only = o->read_only,
			.sysctls = (const char *const *)o->sysctls.v,
			.annotations = (const char *const *)o->annotations.v}};
	int r;

	ctl_user_look(&b.s.user);
	r = spec_parse_mounts(
		&o->mounts, ctl_parse_mount, &b.mounts, &b.s.n_mounts, e);
	b.s.mounts = b.mounts;
	if (r == 0)
		r = build_devices(&b, o, e);
	if (r == 0)
		r = build_id_maps(&b, o, e);
	if (r == 0)
		r = build_limits(&b, o, e);
	if (r == 0)
		r = build_privileges(&b, o, e);
	if (r == 0)
		r = build_rest(&b, o, e);
	if (r == 0 && o->seccomp)
		r = spec_read_seccomp(o->seccomp, &b.s, &b.s.seccomp, e);
	if (r == 0) {
		r = ctl_spec_make(&b.s, ret);
		if (r < 0)
			err_sys(e, r, "make config.json");
	}
	clear(&b);
	return r;
}
