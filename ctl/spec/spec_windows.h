/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_windows.h - makes config.json for a Windows host (runtime-spec,
 * config-windows.md), by the rules of dockerd and of hcsshim there.
 *
 * Of the two ways to say what is run, only commandLine is written: Windows has
 * one line, not an argument vector, and this one is unambiguous (escape.h).
 * Nothing here is about the host it runs on; it also compiles for Windows.
 */
#ifndef WISP_CTL_SPEC_WINDOWS_H
#define WISP_CTL_SPEC_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/run_options.h"
#include "platform/err.h"

/* At most one of them is not 0: Windows takes one setting. */
struct ctl_windows_cpu {
	uint64_t count;   /* of processors */
	uint16_t shares;  /* weight against others, to 10000 */
	uint16_t maximum; /* of all processors' time, in 1/10000 */
};

struct ctl_windows_device {
	const char *type; /* "class", "vpci-instance-id", ... */
	const char *id;
};

/* Strings are borrowed; NULL and 0: not there, unless told. */
struct ctl_spec_windows {
	const char *command_line;
	const char *cwd; /* NULL: C:\ */
	const char *user;
	const char *hostname;
	const char *root; /* volume; its last backslash may be missing */
	bool terminal;
	unsigned height, width; /* of the terminal */
	const char *const *env; /* NULL-terminated */
	const struct ctl_mount *mounts;
	size_t n_mounts;
	const char *const *annotations; /* "name=value" */

	const char *const *layers; /* topmost first */
	const char *scratch;       /* a host process container may have none */
	bool hyperv;
	const char *utility_vm;
	bool host_process, inherit_user;

	struct ctl_windows_cpu cpu;
	uint64_t memory;        /* bytes */
	uint64_t iops, bps;     /* of the system drive, in a second */
	uint64_t sandbox_size;  /* bytes */
	const char *credential; /* a JSON object, as text: credential.h */
	const struct ctl_windows_device *devices;
	size_t n_devices;
	const char *const *endpoints;
	const char *const *dns_search;
	bool unqualified_dns;
	const char *shared_container; /* whose network it uses */
	const char *network_namespace;
};

/* The JSON text, for the caller to free. -EINVAL: what is there must not be
 * together; -ENOMEM. */
int ctl_spec_make_windows(
	const struct ctl_spec_windows *s, char **ret, struct err *e);

/* What dockerd makes of a number of CPUs, in 1e-9: without a hypervisor a
 * maximum, of the host's CPUs and at least 1; with one a count, rounded up.
 * -EINVAL: more than the host has. */
int ctl_windows_cpus(uint64_t nano_cpus, unsigned host_cpus, bool hyperv,
	struct ctl_windows_cpu *ret, struct err *e);

/* If several are set, count goes before shares before maximum, as dockerd has
 * it; the others become 0. Returns what was dropped, for a warning, or NULL. */
const char *ctl_windows_cpu_choose(struct ctl_windows_cpu *cpu);

#endif
