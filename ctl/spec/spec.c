/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ctl/json.h"

#define OCI_VERSION "1.0.2"
#define OPEN_FILES 1024
#define DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* docker's set */
const char *const ctl_spec_capabilities[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE",
	"CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", NULL};

static const struct default_mount {
	const char *target, *type, *source;
	const char *options[8];
} default_mounts[] = {
	{"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
	{"/dev", "tmpfs", "tmpfs",
		{"nosuid", "strictatime", "mode=755", "size=65536k"}},
	{"/dev/pts", "devpts", "devpts",
		{"nosuid", "noexec", "newinstance", "ptmxmode=0666",
			"mode=0620", "gid=5"}},
	{"/dev/shm", "tmpfs", "shm",
		{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
	{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
	{"/sys/fs/cgroup", "cgroup", "cgroup",
		{"nosuid", "noexec", "nodev", "relatime", "ro"}},
};

/* What the caller has not set. */
static void put_default(yajl_gen g, const struct ctl_spec *s, const char *name,
	const char *value)
{
	size_t n = strlen(name), i;
	char text[512];

	for (i = 0; i < s->n_env; i++)
		if (strncmp(s->env[i], name, n) == 0 && s->env[i][n] == '=')
			return;
	snprintf(text, sizeof(text), "%s=%s", name, value);
	ctl_json_text(g, text);
}

static void put_env(yajl_gen g, const struct ctl_spec *s)
{
	const char *term = getenv("TERM");
	size_t i;

	ctl_json_put_array(g, "env");
	put_default(g, s, "PATH", DEFAULT_PATH);
	put_default(g, s, "HOME", s->home ? s->home : "/root");
	if (s->terminal)
		put_default(g, s, "TERM", term && *term ? term : "xterm");
	for (i = 0; i < s->n_env; i++)
		ctl_json_text(g, s->env[i]);
	yajl_gen_array_close(g);
}

static void put_capabilities(yajl_gen g, const struct ctl_spec *s)
{
	static const char *const sets[] = {
		"bounding", "effective", "permitted"};
	size_t i;

	ctl_json_put_map(g, "capabilities");
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		ctl_json_key(g, sets[i]);
		ctl_json_texts(g, s->capabilities ? s->capabilities
						  : ctl_spec_capabilities);
	}
	yajl_gen_map_close(g);
}

/* Raising a limit needs a privilege we may not have, so ours is the most. */
static void put_rlimits(yajl_gen g)
{
	struct rlimit have;
	long long n = OPEN_FILES;

	if (getrlimit(RLIMIT_NOFILE, &have) == 0 && have.rlim_max < (rlim_t)n)
		n = (long long)have.rlim_max;
	ctl_json_put_array(g, "rlimits");
	yajl_gen_map_open(g);
	ctl_json_put(g, "type", "RLIMIT_NOFILE");
	ctl_json_put_number(g, "hard", n);
	ctl_json_put_number(g, "soft", n);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
}

static void put_user(yajl_gen g, const struct ctl_spec *s)
{
	size_t i;

	ctl_json_put_map(g, "user");
	ctl_json_put_number(g, "uid", s->uid);
	ctl_json_put_number(g, "gid", s->gid);
	if (s->n_groups) {
		ctl_json_put_array(g, "additionalGids");
		for (i = 0; i < s->n_groups; i++)
			yajl_gen_integer(g, s->groups[i]);
		yajl_gen_array_close(g);
	}
	yajl_gen_map_close(g);
}

static void process_map(yajl_gen g, const struct ctl_spec *s)
{
	yajl_gen_map_open(g);
	ctl_json_put_bool(g, "terminal", s->terminal);
	put_user(g, s);
	ctl_json_key(g, "args");
	ctl_json_texts(g, s->args);
	put_env(g, s);
	ctl_json_put(g, "cwd", s->cwd ? s->cwd : "/");
	put_capabilities(g, s);
	put_rlimits(g);
	ctl_json_put_bool(g, "noNewPrivileges", !s->may_gain_privileges);
	yajl_gen_map_close(g);
}

static void mount_map(
	yajl_gen g, const char *target, const char *type, const char *source)
{
	yajl_gen_map_open(g);
	ctl_json_put(g, "destination", target);
	ctl_json_put(g, "type", type);
	ctl_json_put(g, "source", source);
	ctl_json_put_array(g, "options");
}

static void mount_map_end(yajl_gen g)
{
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

static void put_user_mount(yajl_gen g, const struct ctl_mount *m)
{
	const char *p = m->options;

	mount_map(g, m->target, m->type, m->source);
	while (p) {
		size_t n = strcspn(p, ":");

		yajl_gen_string(g, (const unsigned char *)p, n);
		p = p[n] ? p + n + 1 : NULL;
	}
	mount_map_end(g);
}

/* What users may mount who are not the host's root. */
static bool may_mount(const struct ctl_user *u, const struct default_mount *m)
{
	return u->is_root || strcmp(m->type, "cgroup") != 0;
}

/* sysfs shows a network namespace, and is for whoever owns that. */
static const struct default_mount host_sys = {
	"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}};

static bool is_foreign_sys(
	const struct ctl_spec *s, const struct default_mount *m)
{
	return s->host_network && (s->user.needs_own || s->n_id_maps) &&
	       strcmp(m->type, "sysfs") == 0;
}

/* Whether the group of terminals is there. */
static bool has_tty(const struct ctl_spec *s)
{
	size_t i;

	if (s->n_id_maps == 0)
		return s->user.has_tty;
	for (i = 0; i < s->n_id_maps; i++)
		if (s->id_maps[i].container <= 5 &&
			5 - s->id_maps[i].container < s->id_maps[i].size)
			return true;
	return false;
}

static void put_default_mount(
	yajl_gen g, const struct ctl_spec *s, const struct default_mount *m)
{
	size_t i;

	if (is_foreign_sys(s, m))
		m = &host_sys;

	mount_map(g, m->target, m->type, m->source);
	for (i = 0; m->options[i]; i++)
		if (has_tty(s) || strcmp(m->options[i], "gid=5") != 0)
			ctl_json_text(g, m->options[i]);
	mount_map_end(g);
}

static void put_mounts(yajl_gen g, const struct ctl_spec *s)
{
	const struct default_mount *m = default_mounts;
	const struct default_mount *end =
		m + sizeof(default_mounts) / sizeof(default_mounts[0]);
	size_t i;

	ctl_json_put_array(g, "mounts");
	for (; m < end; m++)
		if (may_mount(&s->user, m))
			put_default_mount(g, s, m);
	for (i = 0; i < s->n_mounts; i++)
		put_user_mount(g, &s->mounts[i]);
	yajl_gen_array_close(g);
}

/* The signal as image-spec's conversion.md has it. */
static void put_annotations(yajl_gen g, const struct ctl_spec *s)
{
	if (!s->stop_signal) {
		ctl_spec_put_pairs(g, "annotations", s->annotations);
		return;
	}
	ctl_json_put_map(g, "annotations");
	ctl_json_put(g, "org.opencontainers.image.stopSignal", s->stop_signal);
	ctl_spec_put_members(g, s->annotations);
	yajl_gen_map_close(g);
}

int ctl_spec_make(const struct ctl_spec *s, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	int r;

	if (!g)
		return -ENOMEM;
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put(g, "ociVersion", OCI_VERSION);
	ctl_json_key(g, "process");
	process_map(g, s);
	ctl_json_put_map(g, "root");
	ctl_json_put(g, "path", s->rootfs);
	if (s->read_only)
		ctl_json_put_bool(g, "readonly", true);
	yajl_gen_map_close(g);
	ctl_json_put(g, "hostname", s->hostname ? s->hostname : s->id);
	put_mounts(g, s);
	put_annotations(g, s);
	r = ctl_spec_put_linux(g, s);
	if (r < 0) {
		yajl_gen_free(g);
		return r;
	}
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

int ctl_spec_make_process(const struct ctl_spec *s, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return -ENOMEM;
	process_map(g, s);
	return ctl_json_take(g, ret);
}
