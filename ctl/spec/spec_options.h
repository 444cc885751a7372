/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_options.h - the command line of `wispctl spec`.
 */
#ifndef WISP_CTL_SPEC_OPTIONS_H
#define WISP_CTL_SPEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Values of an option that may be given again; v ends with a NULL, or is NULL.
 * The texts are argv's. */
struct spec_list {
	char **v;
	size_t n;
};

/* Texts as they were given, all UTF-8; NULL, 0: not given. */
struct spec_options {
	bool help, windows;
	/* both */
	bool terminal;
	const char *cwd, *hostname, *user, *rootfs, *cpus, *network;
	struct spec_list mounts, devices, annotations, env_args;
	char **env; /* ctl_env_add() */
	size_t n_env;
	uint64_t memory, cpu_shares;
	char **command; /* up to a NULL */
	/* Linux */
	bool read_only;
	const char *new_privileges; /* --no-new-privileges=... */
	const char *cpuset, *seccomp, *cgroup;
	uint64_t pids;
	struct spec_list cap_add, cap_drop, sysctls, id_maps;
	/* Windows */
	bool host_process, inherit_user, unqualified_dns;
	const char *command_line, *isolation, *scratch, *utility_vm;
	const char *console_size, *credential, *credential_dir;
	const char *network_namespace;
	struct spec_list layers, endpoints, dns_search;
	uint64_t cpu_count, cpu_maximum, host_cpus, iops, bps, sandbox_size;
};

/* argv[0] is "spec". -EINVAL with a message; spec_options_clear() in any
 * case. */
int spec_options_parse(
	struct spec_options *ret, int argc, char **argv, struct err *e);
void spec_options_clear(struct spec_options *o);

#endif
