/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's section linux. */
#include <string.h>

#include "ctl/json.h"
#include "ctl/spec/spec.h"

#define CPU_PERIOD 100000ull /* us */
#define CPU_QUOTA_MIN 1000ull
#define NANO 1000000000ull

static const char *const masked_paths[] = {"/proc/acpi", "/proc/asound",
	"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
	NULL};

static const char *const readonly_paths[] = {"/proc/bus", "/proc/fs",
	"/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

void ctl_spec_put_members(yajl_gen g, const char *const *pairs)
{
	for (; pairs && *pairs; pairs++) {
		size_t n = strcspn(*pairs, "=");

		yajl_gen_string(g, (const unsigned char *)*pairs, n);
		ctl_json_text(g, (*pairs)[n] ? *pairs + n + 1 : "");
	}
}

void ctl_spec_put_pairs(yajl_gen g, const char *key, const char *const *pairs)
{
	if (!pairs || !*pairs)
		return;
	ctl_json_put_map(g, key);
	ctl_spec_put_members(g, pairs);
	yajl_gen_map_close(g);
}

static void put_namespace(yajl_gen g, const char *type)
{
	yajl_gen_map_open(g);
	ctl_json_put(g, "type", type);
	yajl_gen_map_close(g);
}

static void put_namespaces(yajl_gen g, const struct ctl_spec *s)
{
	static const char *const types[] = {"pid", "ipc", "uts", "mount"};
	size_t i;

	ctl_json_put_array(g, "namespaces");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		put_namespace(g, types[i]);
	if (!s->host_network)
		put_namespace(g, "network");
	if (s->user.needs_own || s->n_id_maps)
		put_namespace(g, "user");
	/* as Docker and containerd have it there */
	if (s->user.unified && s->user.is_root)
		put_namespace(g, "cgroup");
	yajl_gen_array_close(g);
}

/* No device but those every runtime allows by itself, and these. */
static void put_device_rules(yajl_gen g, const struct ctl_spec *s)
{
	char type[2] = "";
	size_t i;

	ctl_json_put_array(g, "devices");
	yajl_gen_map_open(g);
	ctl_json_put_bool(g, "allow", false);
	ctl_json_put(g, "access", "rwm");
	yajl_gen_map_close(g);
	for (i = 0; i < s->n_devices; i++) {
		const struct ctl_device *d = &s->devices[i];

		type[0] = d->type;
		yajl_gen_map_open(g);
		ctl_json_put_bool(g, "allow", true);
		ctl_json_put(g, "type", type);
		ctl_json_put_number(g, "major", d->major);
		ctl_json_put_number(g, "minor", d->minor);
		ctl_json_put(g, "access", d->access);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_devices(yajl_gen g, const struct ctl_spec *s)
{
	char type[2] = "";
	size_t i;

	if (s->n_devices == 0)
		return;
	ctl_json_put_array(g, "devices");
	for (i = 0; i < s->n_devices; i++) {
		const struct ctl_device *d = &s->devices[i];

		type[0] = d->type;
		yajl_gen_map_open(g);
		ctl_json_put(g, "path", d->path);
		ctl_json_put(g, "type", type);
		ctl_json_put_number(g, "major", d->major);
		ctl_json_put_number(g, "minor", d->minor);
		ctl_json_put_number(g, "fileMode", d->mode);
		ctl_json_put_number(g, "uid", d->uid);
		ctl_json_put_number(g, "gid", d->gid);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

/* The kernel takes no quota below a millisecond. */
static void put_cpu(yajl_gen g, const struct ctl_spec *s)
{
	uint64_t quota = s->nano_cpus / (NANO / CPU_PERIOD);

	if (!s->nano_cpus && !s->cpu_shares && !s->cpuset)
		return;
	ctl_json_put_map(g, "cpu");
	if (s->nano_cpus) {
		ctl_json_put_number(g, "quota",
			(long long)(quota < CPU_QUOTA_MIN ? CPU_QUOTA_MIN
							  : quota));
		ctl_json_put_number(g, "period", CPU_PERIOD);
	}
	if (s->cpu_shares)
		ctl_json_put_number(g, "shares", (long long)s->cpu_shares);
	if (s->cpuset)
		ctl_json_put(g, "cpus", s->cpuset);
	yajl_gen_map_close(g);
}

static void put_resources(yajl_gen g, const struct ctl_spec *s)
{
	ctl_json_put_map(g, "resources");
	put_device_rules(g, s);
	if (s->memory) {
		ctl_json_put_map(g, "memory");
		ctl_json_put_number(g, "limit", (long long)s->memory);
		yajl_gen_map_close(g);
	}
	put_cpu(g, s);
	if (s->pids) {
		ctl_json_put_map(g, "pids");
		ctl_json_put_number(g, "limit", s->pids);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
}

static void put_id_map(yajl_gen g, const struct ctl_id_map *m)
{
	yajl_gen_map_open(g);
	ctl_json_put_number(g, "containerID", m->container);
	ctl_json_put_number(g, "hostID", m->host);
	ctl_json_put_number(g, "size", m->size);
	yajl_gen_map_close(g);
}

/* Unless told otherwise, root in the container is whoever runs us. */
static void put_id_maps(
	yajl_gen g, const struct ctl_spec *s, const char *key, uint32_t self)
{
	const struct ctl_id_map own = {.host = self, .size = 1};
	size_t i;

	if (s->n_id_maps == 0 && !s->user.needs_own)
		return;
	ctl_json_put_array(g, key);
	if (s->n_id_maps == 0)
		put_id_map(g, &own);
	for (i = 0; i < s->n_id_maps; i++)
		put_id_map(g, &s->id_maps[i]);
	yajl_gen_array_close(g);
}

int ctl_spec_put_linux(yajl_gen g, const struct ctl_spec *s)
{
	int r = 0;

	ctl_json_put_map(g, "linux");
	put_namespaces(g, s);
	if (s->user.is_root) {
		if (s->cgroup)
			ctl_json_put(g, "cgroupsPath", s->cgroup);
		put_resources(g, s);
	}
	put_id_maps(g, s, "uidMappings", s->user.uid);
	put_id_maps(g, s, "gidMappings", s->user.gid);
	put_devices(g, s);
	ctl_spec_put_pairs(g, "sysctl", s->sysctls);
	if (s->seccomp) {
		ctl_json_key(g, "seccomp");
		r = ctl_json_copy(g, s->seccomp);
	}
	ctl_json_key(g, "maskedPaths");
	ctl_json_texts(g, masked_paths);
	ctl_json_key(g, "readonlyPaths");
	ctl_json_texts(g, readonly_paths);
	yajl_gen_map_close(g);
	return r;
}
