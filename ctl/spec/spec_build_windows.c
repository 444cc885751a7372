/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/spec/credential.h"
#include "ctl/spec/escape.h"
#include "ctl/say.h"
#include "ctl/spec/spec_build.h"
#include "ctl/spec/spec_values.h"

#define WHOLE 10000 /* of shares, and of a maximum */

struct build {
	struct ctl_spec_windows s;
	struct ctl_mount *mounts;
	struct ctl_windows_device *devices;
	char *line, *credential;
};

static int build_command(
	struct build *b, const struct spec_options *o, struct err *e)
{
	static const char *const shell[] = {"cmd", NULL};
	int r = 0;

	if (o->command_line && *o->command)
		return err_set(e, -EINVAL,
			"--command-line and a command exclude each other");
	if (!o->command_line)
		r = escape_args(
			*o->command ? (const char *const *)o->command : shell,
			&b->line, e);
	b->s.command_line = o->command_line ? o->command_line : b->line;
	b->s.terminal = o->terminal;
	if (o->console_size && !o->terminal)
		return err_set(e, -EINVAL,
			"--console-size is for a container with -t");
	if (r == 0 && o->console_size)
		r = spec_parse_console(
			o->console_size, &b->s.height, &b->s.width, e);
	return r;
}

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
		r = spec_parse_windows_device(
			o->devices.v[i], &b->devices[i], e);
	b->s.devices = b->devices;
	b->s.n_devices = o->devices.n;
	return r;
}

static int build_isolation(
	struct build *b, const struct spec_options *o, struct err *e)
{
	b->s.hyperv = o->isolation && strcmp(o->isolation, "hyperv") == 0;
	if (o->isolation && !b->s.hyperv &&
		strcmp(o->isolation, "process") != 0)
		return err_set(e, -EINVAL,
			"--isolation '%s': use process or hyperv",
			o->isolation);
	b->s.utility_vm = o->utility_vm;
	b->s.host_process = o->host_process;
	b->s.inherit_user = o->inherit_user;
	b->s.layers = (const char *const *)o->layers.v;
	b->s.scratch = o->scratch;
	if (!o->scratch || o->layers.n == 0)
		return err_set(e, -EINVAL,
			"%s is missing: an image is layers, --layer each, the "
			"topmost first, and a scratch",
			o->scratch ? "--layer" : "--scratch");
	return 0;
}

/* dockerd: a number of CPUs goes with no other setting. */
static int build_cpu(
	struct build *b, const struct spec_options *o, struct err *e)
{
	struct ctl_windows_cpu *cpu = &b->s.cpu;
	long here = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned host = o->host_cpus ? (unsigned)o->host_cpus : (unsigned)here;
	const char *dropped;
	uint64_t nano = 0;
	int r;

	if (o->cpus && (o->cpu_count || o->cpu_shares || o->cpu_maximum))
		return err_set(e, -EINVAL,
			"--cpus excludes --cpu-count, --cpu-shares and "
			"--cpu-maximum");
	if (o->cpu_shares > WHOLE || o->cpu_maximum > WHOLE)
		return err_set(e, -EINVAL, "--%s must be from 1 to %d",
			o->cpu_shares > WHOLE ? "cpu-shares" : "cpu-maximum",
			WHOLE);
	if (o->cpu_count > INT32_MAX || o->host_cpus > INT32_MAX)
		return err_set(e, -EINVAL, "that many CPUs there are not");
	if (o->cpus) {
		r = spec_parse_cpus(o->cpus, &nano, e);
		if (r == 0)
			r = ctl_windows_cpus(nano, host, b->s.hyperv, cpu, e);
		return r < 0 ? err_prefix(e, "--cpus") : 0;
	}
	*cpu = (struct ctl_windows_cpu){o->cpu_count, (uint16_t)o->cpu_shares,
		(uint16_t)o->cpu_maximum};
	dropped = ctl_windows_cpu_choose(cpu);
	if (dropped)
		ctl_say("warning: Windows takes one setting for CPUs: %s "
			"dropped",
			dropped);
	return 0;
}

static int build_network(
	struct build *b, const struct spec_options *o, struct err *e)
{
	b->s.endpoints = (const char *const *)o->endpoints.v;
	b->s.dns_search = (const char *const *)o->dns_search.v;
	b->s.unqualified_dns = o->unqualified_dns;
	b->s.network_namespace = o->network_namespace;
	if (!o->network)
		return 0;
	if (strncmp(o->network, "container:", 10) != 0 || !o->network[10])
		return err_set(e, -EINVAL,
			"--network '%s': use container:NAME; endpoints and "
			"namespaces have options of their own",
			o->network);
	b->s.shared_container = o->network + 10;
	return 0;
}

static void clear(struct build *b)
{
	spec_free_mounts(b->mounts, b->s.n_mounts);
	free(b->devices);
	free(b->line);
	free(b->credential);
}

int spec_build_windows(struct spec_options *o, char **ret, struct err *e)
{
	struct build b = {
		.s = {.cwd = o->cwd,
			.user = o->user,
			.hostname = o->hostname,
			.root = o->rootfs,
			.env = (const char *const *)o->env,
			.annotations = (const char *const *)o->annotations.v,
			.memory = o->memory,
			.iops = o->iops,
			.bps = o->bps,
			.sandbox_size = o->sandbox_size}};
	int r = build_command(&b, o, e);

	if (r == 0)
		r = build_isolation(&b, o, e);
	if (r == 0)
		r = spec_parse_mounts(&o->mounts, ctl_parse_windows_mount,
			&b.mounts, &b.s.n_mounts, e);
	b.s.mounts = b.mounts;
	if (r == 0)
		r = build_devices(&b, o, e);
	if (r == 0)
		r = build_cpu(&b, o, e);
	if (r == 0)
		r = build_network(&b, o, e);
	if (r == 0 && o->credential)
		r = credential_read(
			o->credential, o->credential_dir, &b.credential, e);
	b.s.credential = b.credential;
	if (r == 0)
		r = ctl_spec_make_windows(&b.s, ret, e);
	clear(&b);
	return r;
}
