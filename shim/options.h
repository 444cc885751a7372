/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - how the operator wants the OCI runtime to be run.
 *
 * They come with Create as an Any and are kept in the bundle's options.json,
 * since `delete` is called without them. The Any is one of
 *
 *   containerd.runc.v1.Options, from those who know the runtime as runc's, or
 *   runtimeoptions.v1.Options, from those who do not: its config_body is TOML
 *   (shim/toml.h), as CRI makes it of the `options` section of a runtime in
 *   the daemon's configuration; else its config_path names a TOML file, as of
 *   `ctr run --runtime-config-path`. Both may hold
 *
 *       BinaryName, Root, ShimCgroup,
 *       CriuImagePath, CriuWorkPath                  strings, "" for none
 *       SystemdCgroup, NoPivotRoot, NoNewKeyring     booleans
 *       IoUid, IoGid                                 0 to 4294967295
 *
 *   in any mixture of upper and lower case, which is how containerd looks keys
 *   up where it knows the type. But a key that it does not know is dropped
 *   there, and is an error here: a typing error must not start a container
 *   that is set up in another way than it seems.
 *
 * What a field set to "" asks for is nothing, so those of them that are not
 * supported are refused only where they are set: the daemon's default
 * configuration lists them all.
 */
#ifndef WISP_SHIM_OPTIONS_H
#define WISP_SHIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/messages.h"
#include "platform/err.h"

struct runtime_settings;

struct options {
	char *binary;      /* the runtime, by name or path; NULL: the default */
	char *root;        /* where it keeps its state; NULL: the default */
	char *shim_cgroup; /* where the shim itself is to be; NULL: stays */
	char *criu_image;  /* restored from, if Create names none; NULL: none */
	char *criu_work;   /* CRIU's logs; NULL: a folder in the bundle */
	bool systemd_cgroup, no_pivot_root, no_new_keyring;
	uint32_t io_uid, io_gid;
	/* what is the runtime's own (runtime.h), and not kept; or NULL */
	struct runtime_settings *settings;
};

/* any may be NULL: all defaults. -EINVAL names the unknown type, the field that
 * is not supported, the line in the TOML text, or the file that is not there
 * (never -ENOENT: to a client that would be the container); -EFBIG over 64 KiB
 * of text; -ENOMEM; what else reading the file may give. type_url is not looked
 * at, the text is read for what it says. ret needs options_clear() also on
 * failure. */
int options_unpack(const Any *any, struct options *ret, struct err *e);

/* The bundle's options.json. A missing file is all defaults. */
int options_save(const struct options *o, const char *path, struct err *e);
int options_load(const char *path, struct options *ret, struct err *e);

void options_clear(struct options *o);

#endif
