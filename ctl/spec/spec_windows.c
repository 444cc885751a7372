/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/spec_windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/escape.h"
#include "ctl/json.h"
#include "ctl/spec/winpath.h"

#define OCI_VERSION "1.0.2"
#define DEFAULT_CWD "C:\\"
#define DEFAULT_HEIGHT 25
#define DEFAULT_WIDTH 80
#define WHOLE 10000u /* all processors */
#define NANO 1000000000ull
#define HOST_PROCESS "microsoft.com/hostprocess-container"
#define INHERIT_USER "microsoft.com/hostprocess-inherit-user"

static void put_if(yajl_gen g, const char *key, const char *text)
{
	if (text)
		ctl_json_put(g, key, text);
}

static void put_number_if(yajl_gen g, const char *key, uint64_t n)
{
	if (n)
		ctl_json_put_number(g, key, (long long)n);
}

static bool has(const char *const *list)
{
	return list && *list;
}

static void put_list_if(yajl_gen g, const char *key, const char *const *list)
{
	if (!has(list))
		return;
	ctl_json_key(g, key);
	ctl_json_texts(g, list);
}

static void put_process(yajl_gen g, const struct ctl_spec_windows *s)
{
	ctl_json_put_map(g, "process");
	ctl_json_put_bool(g, "terminal", s->terminal);
	if (s->terminal) {
		ctl_json_put_map(g, "consoleSize");
		ctl_json_put_number(
			g, "height", s->height ? s->height : DEFAULT_HEIGHT);
		ctl_json_put_number(
			g, "width", s->width ? s->width : DEFAULT_WIDTH);
		yajl_gen_map_close(g);
	}
	if (s->user) {
		ctl_json_put_map(g, "user");
		ctl_json_put(g, "username", s->user);
		yajl_gen_map_close(g);
	}
	ctl_json_put(g, "commandLine", s->command_line);
	put_list_if(g, "env", s->env);
	ctl_json_put(g, "cwd", s->cwd ? s->cwd : DEFAULT_CWD);
	yajl_gen_map_close(g);
}

/* With Hyper-V there must be none; otherwise the shim makes one of the layers
 * if it is left out. The root is always writable. */
static void put_root(yajl_gen g, const char *root)
{
	size_t n = root ? strlen(root) : 0;

	if (n == 0)
		return;
	ctl_json_put_map(g, "root");
	ctl_json_key(g, "path");
	if (root[n - 1] == '\\') {
		ctl_json_text(g, root);
	} else {
		char text[128];

		snprintf(text, sizeof(text), "%s\\", root);
		ctl_json_text(g, text);
	}
	yajl_gen_map_close(g);
}

static void put_mounts(yajl_gen g, const struct ctl_spec_windows *s)
{
	size_t i;

	if (s->n_mounts == 0)
		return;
	ctl_json_put_array(g, "mounts");
	for (i = 0; i < s->n_mounts; i++) {
		const struct ctl_mount *m = &s->mounts[i];
		const char *p = m->options;

		yajl_gen_map_open(g);
		ctl_json_put(g, "destination", m->target);
		ctl_json_put(g, "source", m->source);
		if (p)
			ctl_json_put_array(g, "options");
		while (p) {
			size_t n = strcspn(p, ":");

			yajl_gen_string(g, (const unsigned char *)p, n);
			p = p[n] ? p + n + 1 : NULL;
			if (!p)
				yajl_gen_array_close(g);
		}
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_annotations(yajl_gen g, const struct ctl_spec_windows *s)
{
	const char *const *a = s->annotations;

	if (!has(a) && !s->host_process)
		return;
	ctl_json_put_map(g, "annotations");
	for (; a && *a; a++) {
		size_t n = strcspn(*a, "=");

		yajl_gen_string(g, (const unsigned char *)*a, n);
		ctl_json_text(g, (*a)[n] ? *a + n + 1 : "");
	}
	if (s->host_process)
		ctl_json_put(g, HOST_PROCESS, "true");
	if (s->inherit_user)
		ctl_json_put(g, INHERIT_USER, "true");
	yajl_gen_map_close(g);
}

static void put_layers(yajl_gen g, const struct ctl_spec_windows *s)
{
	const char *const *layer = s->layers;

	if (!s->scratch)
		return;
	ctl_json_put_array(g, "layerFolders");
	for (; layer && *layer; layer++)
		ctl_json_text(g, *layer);
	ctl_json_text(g, s->scratch);
	yajl_gen_array_close(g);
}

static void put_devices(yajl_gen g, const struct ctl_spec_windows *s)
{
	size_t i;

	if (s->n_devices == 0)
		return;
	ctl_json_put_array(g, "devices");
	for (i = 0; i < s->n_devices; i++) {
		yajl_gen_map_open(g);
		ctl_json_put(g, "id", s->devices[i].id);
		ctl_json_put(g, "idType", s->devices[i].type);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_resources(yajl_gen g, const struct ctl_spec_windows *s)
{
	const struct ctl_windows_cpu *cpu = &s->cpu;
	bool has_cpu = cpu->count || cpu->shares || cpu->maximum;
	bool has_storage = s->iops || s->bps || s->sandbox_size;

	if (!has_cpu && !has_storage && !s->memory)
		return;
	ctl_json_put_map(g, "resources");
	if (s->memory) {
		ctl_json_put_map(g, "memory");
		put_number_if(g, "limit", s->memory);
		yajl_gen_map_close(g);
	}
	if (has_cpu) {
		ctl_json_put_map(g, "cpu");
		put_number_if(g, "count", cpu->count);
		put_number_if(g, "shares", cpu->shares);
		put_number_if(g, "maximum", cpu->maximum);
		yajl_gen_map_close(g);
	}
	if (has_storage) {
		ctl_json_put_map(g, "storage");
		put_number_if(g, "iops", s->iops);
		put_number_if(g, "bps", s->bps);
		put_number_if(g, "sandboxSize", s->sandbox_size);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
}

static void put_network(yajl_gen g, const struct ctl_spec_windows *s)
{
	if (!has(s->endpoints) && !has(s->dns_search) && !s->unqualified_dns &&
		!s->shared_container && !s->network_namespace)
		return;
	ctl_json_put_map(g, "network");
	put_list_if(g, "endpointList", s->endpoints);
	if (s->unqualified_dns)
		ctl_json_put_bool(g, "allowUnqualifiedDNSQuery", true);
	put_list_if(g, "DNSSearchList", s->dns_search);
	put_if(g, "networkSharedContainerName", s->shared_container);
	put_if(g, "networkNamespace", s->network_namespace);
	yajl_gen_map_close(g);
}

/* The container was never started: flushes of its first boot can wait. */
static void put_windows(yajl_gen g, const struct ctl_spec_windows *s)
{
	ctl_json_put_map(g, "windows");
	put_layers(g, s);
	put_devices(g, s);
	put_resources(g, s);
	put_network(g, s);
	put_if(g, "credentialSpec", s->credential);
	ctl_json_put_bool(g, "ignoreFlushesDuringBoot", true);
	if (s->hyperv) {
		ctl_json_put_map(g, "hyperv");
		put_if(g, "utilityVMPath", s->utility_vm);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
}

static int check_together(const struct ctl_spec_windows *s, struct err *e)
{
	if (s->host_process && s->hyperv)
		return err_set(e, -EINVAL,
			"a host process container cannot be isolated by "
			"Hyper-V");
	if (s->inherit_user && !s->host_process)
		return err_set(e, -EINVAL,
			"only a host process container inherits its user");
	if (s->inherit_user && s->user)
		return err_set(e, -EINVAL,
			"a user and an inherited one exclude each other");
	if (s->utility_vm && !s->hyperv)
		return err_set(
			e, -EINVAL, "a utility VM is for Hyper-V isolation");
	if (s->root && s->hyperv)
		return err_set(e, -EINVAL,
			"with Hyper-V isolation there must be no root: the "
			"layers are enough");
	if (s->root && !winpath_is_volume(s->root))
		return err_set(e, -EINVAL,
			"root '%s': use a volume, as in \\\\?\\Volume{GUID}\\",
			s->root);
	if (s->network_namespace &&
		(has(s->endpoints) || has(s->dns_search) ||
			s->unqualified_dns || s->shared_container))
		return err_set(e, -EINVAL,
			"a network namespace excludes all other settings of "
			"the network: they are the namespace's");
	if (!s->scratch && !s->host_process)
		return err_set(e, -EINVAL, "there is no scratch folder");
	if (s->cwd && !winpath_is_absolute(s->cwd))
		return err_set(e, -EINVAL,
			"cwd '%s': use an absolute path, as in C:\\app",
			s->cwd);
	return escape_check_line(s->command_line, e);
}

int ctl_spec_make_windows(
	const struct ctl_spec_windows *s, char **ret, struct err *e)
{
	int r = check_together(s, e);
	yajl_gen g;

	if (r < 0)
		return r;
	g = yajl_gen_alloc(NULL);
	if (!g)
		return err_sys(e, -ENOMEM, "make config.json");
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put(g, "ociVersion", OCI_VERSION);
	put_process(g, s);
	put_root(g, s->root);
	put_if(g, "hostname", s->hostname);
	put_mounts(g, s);
	put_annotations(g, s);
	put_windows(g, s);
	yajl_gen_map_close(g);
	r = ctl_json_take(g, ret);
	return r < 0 ? err_sys(e, r, "make config.json") : 0;
}

int ctl_windows_cpus(uint64_t nano_cpus, unsigned host_cpus, bool hyperv,
	struct ctl_windows_cpu *ret, struct err *e)
{
	uint64_t maximum;

	*ret = (struct ctl_windows_cpu){0};
	if (host_cpus == 0 || nano_cpus > host_cpus * NANO)
		return err_set(e, -EINVAL,
			"more CPUs than the host's %u; --host-cpus says how "
			"many there are",
			host_cpus);
	if (hyperv) {
		ret->count = (nano_cpus + NANO - 1) / NANO;
		return 0;
	}
	maximum = nano_cpus / host_cpus / (NANO / WHOLE);
	ret->maximum = (uint16_t)(maximum ? maximum : nano_cpus > 0);
	return 0;
}

const char *ctl_windows_cpu_choose(struct ctl_windows_cpu *cpu)
{
	if (cpu->count && (cpu->shares || cpu->maximum)) {
		const char *dropped = !cpu->maximum  ? "shares"
				      : !cpu->shares ? "maximum"
						     : "shares and maximum";

		cpu->shares = cpu->maximum = 0;
		return dropped;
	}
	if (cpu->shares && cpu->maximum) {
		cpu->maximum = 0;
		return "maximum";
	}
	return NULL;
}
