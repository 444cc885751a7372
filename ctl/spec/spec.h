/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.h - makes config.json of an OCI bundle (runtime-spec, config.md and
 * config-linux.md), with the defaults that docker and ctr users are used to.
 *
 * ociVersion is 1.0.2: crun 1.8 refuses anything above 1.0.
 */
#ifndef WISP_CTL_SPEC_H
#define WISP_CTL_SPEC_H

#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "ctl/run_options.h"
#include "ctl/user.h"

/* A device of this host in the container. */
struct ctl_device {
	char type;          /* c or b */
	const char *path;   /* in the container */
	const char *access; /* some of "rwm" */
	unsigned major, minor;
	uint32_t mode, uid, gid;
};

struct ctl_id_map {
	uint32_t container, host, size;
};

/* What is 0 or NULL is not set, unless told; strings are borrowed. */
struct ctl_spec {
	const char *id; /* the host name, too, without hostname */
	const char *hostname;
	const char *rootfs; /* absolute, or relative to the bundle */
	const char *cgroup; /* cgroupsPath; not for users that are not
			     * root: their containers stay where they are.
			     * NULL: the runtime chooses */
	struct ctl_user user;
	uint32_t uid, gid;      /* of the process */
	const uint32_t *groups; /* besides gid, n_groups of them */
	size_t n_groups;
	const char *home;        /* NULL: "/root" */
	const char *stop_signal; /* the image's; NULL: none */
	const char *cwd;         /* NULL: "/" */
	const char *const *args; /* NULL-terminated, at least one */
	const char *const *env;  /* before PATH, HOME, TERM; may be NULL */
	size_t n_env;
	const struct ctl_mount *mounts; /* added to the default ones */
	size_t n_mounts;
	uint64_t memory; /* bytes; 0: no limit */
	bool terminal;

	const char *const *capabilities; /* NULL: docker's set */
	bool may_gain_privileges;
	bool read_only;    /* the rootfs */
	bool host_network; /* no network namespace */
	uint64_t nano_cpus, cpu_shares;
	const char *cpuset;
	int64_t pids;
	const struct ctl_device *devices;
	size_t n_devices;
	const char *const *sysctls;       /* "name=value", up to a NULL */
	const char *const *annotations;   /* likewise */
	const struct ctl_id_map *id_maps; /* a user namespace's, of both uids
					   * and gids */
	size_t n_id_maps;
	yajl_val seccomp; /* linux.seccomp as it is to be */
};

/* The names that docker gives to a container's root, up to a NULL. */
extern const char *const ctl_spec_capabilities[];

/* The JSON text, NUL-terminated, for the caller to free. -ENOMEM; -ELOOP: the
 * seccomp profile is nested too deeply. */
int ctl_spec_make(const struct ctl_spec *s, char **ret);

/* The JSON of a `process` alone, as Exec wants it. */
int ctl_spec_make_process(const struct ctl_spec *s, char **ret);

/* spec_linux.c: the member linux of the open map. */
int ctl_spec_put_linux(yajl_gen g, const struct ctl_spec *s);
/* "name=value" each, as an object; nothing if there are none. */
void ctl_spec_put_pairs(yajl_gen g, const char *key, const char *const *pairs);
/* The same in an object that is open already. */
void ctl_spec_put_members(yajl_gen g, const char *const *pairs);

#endif
