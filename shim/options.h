/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - how the operator wants the OCI runtime to be run.
 *
 * They come with Create as an Any (containerd.runc.v1.Options, or
 * runtimeoptions.v1.Options) and are kept in the bundle's options.json, since
 * `delete` is called without them.
 */
#ifndef WISP_SHIM_OPTIONS_H
#define WISP_SHIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/messages.h"
#include "platform/err.h"

struct options {
	char *binary; /* the runtime, by name or path; NULL: the default */
	char *root; /* where it keeps its state; NULL: the default */
	bool systemd_cgroup, no_pivot_root, no_new_keyring;
	uint32_t io_uid, io_gid;
};

/* any may be NULL: all defaults. -EINVAL names an unknown type or a field
 * that is not supported. ret needs options_clear() also on failure. */
int options_unpack(const Any *any, struct options *ret, struct err *e);

/* The bundle's options.json. A missing file is all defaults. */
int options_save(const struct options *o, const char *path, struct err *e);
int options_load(const char *path, struct options *ret, struct err *e);

void options_clear(struct options *o);

#endif
