/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec.h"

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
static const char *const capabilities[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE",
	"CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", NULL};

static const char *const masked_paths[] = {"/proc/acpi", "/proc/asound",
	"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
	NULL};

static const char *const readonly_paths[] = {"/proc/bus", "/proc/fs",
	"/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

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

static void put_capabilities(yajl_gen g)
{
	static const char *const sets[] = {
		"bounding", "effective", "permitted"};
	size_t i;

	ctl_json_put_map(g, "capabilities");
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		ctl_json_key(g, sets[i]);
		ctl_json_texts(g, capabilities);
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

static void process_map(yajl_gen g, const struct ctl_spec *s)
{
	size_t i;

	yajl_gen_map_open(g);
	ctl_json_put_bool(g, "terminal", s->terminal);
	ctl_json_put_map(g, "user");
	ctl_json_put_number(g, "uid", s->uid);
	ctl_json_put_number(g, "gid", s->gid);
	if (s->n_groups)
		ctl_json_put_array(g, "additionalGids");
	for (i = 0; i < s->n_groups; i++)
		yajl_gen_integer(g, s->groups[i]);
	if (s->n_groups)
		yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	ctl_json_key(g, "args");
	ctl_json_texts(g, s->args);
	put_env(g, s);
	ctl_json_put(g, "cwd", s->cwd ? s->cwd : "/");
	put_capabilities(g);
	put_rlimits(g);
	ctl_json_put_bool(g, "noNewPrivileges", true);
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

static void put_default_mount(
	yajl_gen g, const struct ctl_user *u, const struct default_mount *m)
{
	size_t i;

	mount_map(g, m->target, m->type, m->source);
	for (i = 0; m->options[i]; i++)
		if (u->has_tty || strcmp(m->options[i], "gid=5") != 0)
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
			put_default_mount(g, &s->user, m);
	for (i = 0; i < s->n_mounts; i++)
		put_user_mount(g, &s->mounts[i]);
	yajl_gen_array_close(g);
}

static void put_namespaces(yajl_gen g, const struct ctl_user *u)
{
	static const char *const types[] = {
		"pid", "ipc", "uts", "mount", "network", "user"};
	size_t n = sizeof(types) / sizeof(types[0]) - !u->needs_own, i;

	ctl_json_put_array(g, "namespaces");
	for (i = 0; i < n; i++) {
		yajl_gen_map_open(g);
		ctl_json_put(g, "type", types[i]);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

/* No device but those every runtime allows by itself. */
static void put_resources(yajl_gen g, const struct ctl_spec *s)
{
	ctl_json_put_map(g, "resources");
	ctl_json_put_array(g, "devices");
	yajl_gen_map_open(g);
	ctl_json_put_bool(g, "allow", false);
	ctl_json_put(g, "access", "rwm");
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
	if (s->memory) {
		ctl_json_put_map(g, "memory");
		ctl_json_put_number(g, "limit", (long long)s->memory);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
}

/* root in the container is whoever runs us. */
static void put_id_map(yajl_gen g, const char *key, uint32_t id)
{
	ctl_json_put_array(g, key);
	yajl_gen_map_open(g);
	ctl_json_put_number(g, "containerID", 0);
	ctl_json_put_number(g, "hostID", id);
	ctl_json_put_number(g, "size", 1);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
}

static void put_linux(yajl_gen g, const struct ctl_spec *s)
{
	ctl_json_put_map(g, "linux");
	put_namespaces(g, &s->user);
	if (s->user.is_root) {
		ctl_json_put(g, "cgroupsPath", s->cgroup);
		put_resources(g, s);
	}
	if (s->user.needs_own) {
		put_id_map(g, "uidMappings", s->user.uid);
		put_id_map(g, "gidMappings", s->user.gid);
	}
	ctl_json_key(g, "maskedPaths");
	ctl_json_texts(g, masked_paths);
	ctl_json_key(g, "readonlyPaths");
	ctl_json_texts(g, readonly_paths);
	yajl_gen_map_close(g);
}

int ctl_spec_make(const struct ctl_spec *s, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return -ENOMEM;
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put(g, "ociVersion", OCI_VERSION);
	ctl_json_key(g, "process");
	process_map(g, s);
	ctl_json_put_map(g, "root");
	ctl_json_put(g, "path", s->rootfs);
	yajl_gen_map_close(g);
	ctl_json_put(g, "hostname", s->id);
	if (s->stop_signal) { /* image-spec, conversion.md */
		ctl_json_put_map(g, "annotations");
		ctl_json_put(g, "org.opencontainers.image.stopSignal",
			s->stop_signal);
		yajl_gen_map_close(g);
	}
	put_mounts(g, s);
	put_linux(g, s);
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
