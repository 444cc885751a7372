/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_values.h - what the options of `wispctl spec` mean that are more than
 * text. All return -EINVAL with a message that names the option.
 */
#ifndef WISP_CTL_SPEC_VALUES_H
#define WISP_CTL_SPEC_VALUES_H

#include "ctl/spec/spec.h"
#include "ctl/spec/spec_options.h"
#include "ctl/spec/spec_windows.h"

#define SPEC_GROUPS_MAX 32

/* "1.5" in 1e-9; up to 9 digits after the point, nothing is rounded. */
int spec_parse_cpus(const char *text, uint64_t *ret, struct err *e);

/* "UID[:GID[:GID...]]"; groups has room for SPEC_GROUPS_MAX. */
int spec_parse_user(const char *text, uint32_t *uid, uint32_t *gid,
	uint32_t *groups, size_t *n_groups, struct err *e);

/* "CONTAINER:HOST:SIZE" */
int spec_parse_id_map(const char *text, struct ctl_id_map *ret, struct err *e);

/* All --mount, by either system's parse(). *ret and *ret_n are what could be
 * parsed, for spec_free_mounts() in any case. Or -ENOMEM. */
int spec_parse_mounts(const struct spec_list *list,
	int (*parse)(const char *text, struct ctl_mount *ret, struct err *e),
	struct ctl_mount **ret, size_t *ret_n, struct err *e);
void spec_free_mounts(struct ctl_mount *mounts, size_t n);

/* "HEIGHTxWIDTH" */
int spec_parse_console(
	const char *text, unsigned *height, unsigned *width, struct err *e);

/* "/dev/a[:/dev/b][:rwm]": a device of this host. text is changed, and pointed
 * into. */
int spec_parse_device(char *text, struct ctl_device *ret, struct err *e);

/* "class/GUID" or "TYPE://ID", likewise. */
int spec_parse_windows_device(
	char *text, struct ctl_windows_device *ret, struct err *e);

/* The sum of docker's capabilities, and those, less these; ALL is all. "KILL"
 * and "CAP_KILL" are the same. The names are constants; ret has room for
 * SPEC_CAPS_MAX, its NULL included. */
#define SPEC_CAPS_MAX 48
int spec_capabilities(const char *const *add, const char *const *drop,
	const char **ret, struct err *e);

/* spec_seccomp.c: a seccomp profile for s, for yajl_tree_free(). A file in the
 * form of linux.seccomp is taken as it is; of Docker's form, which has rules
 * for some capabilities, machines and kernels, what applies to s here. */
int spec_read_seccomp(const char *path, const struct ctl_spec *s, yajl_val *ret,
	struct err *e);

#endif
