/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.h - makes config.json of an OCI bundle (runtime-spec, config.md and
 * config-linux.md), with the defaults that docker and ctr users are used to.
 *
 * ociVersion is 1.0.2: crun 1.8 refuses anything above 1.0.
 */
#ifndef WISP_CTL_SPEC_H
#define WISP_CTL_SPEC_H

#include "ctl/run_options.h"
#include "ctl/user.h"

struct ctl_spec {
	const char *id;     /* also the host name */
	const char *rootfs; /* absolute, or relative to the bundle */
	const char *cgroup; /* cgroupsPath; not for users that are not
			     * root: their containers stay where they are */
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
};

/* The JSON text, NUL-terminated, for the caller to free. -ENOMEM. */
int ctl_spec_make(const struct ctl_spec *s, char **ret);

/* The JSON of a `process` alone, as Exec wants it. */
int ctl_spec_make_process(const struct ctl_spec *s, char **ret);

#endif
