/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.h - what the platform needs of an OCI spec to run a process itself.
 *
 * Windows has one command line, not an argument vector: process.commandLine is
 * passed on verbatim, process.args are escaped (by the platform, once). Both at
 * once would be two answers to one question, and are refused.
 *
 * The text CONTAINER_SANDBOX_MOUNT_POINT, as %...% or $env:..., stands for the
 * folder of the container's files in args, commandLine, env and cwd. Where that
 * is, is known when the container has been made. One with a view of its own has
 * no such place.
 */
#ifndef WISP_SHIM_NATIVE_SPEC_H
#define WISP_SHIM_NATIVE_SPEC_H

#include <stdbool.h>

#include "platform/container.h"
#include "platform/mount.h"
#include "shim/native/limits.h"
#include "shim/native/settings.h"

struct native_spec {
	char **args, **env; /* both with a NULL at the end */
	size_t n_args, n_env;
	char *command_line;     /* NULL: args */
	char *cwd;              /* NULL: the default */
	char *user;             /* process.user.username; or NULL */
	uint32_t width, height; /* of its console; 0: the usual */
	char *root; /* of config.json: where its files are; or NULL */
	/* The layers that its files are in: those that the shim has mounted, or
	 * windows.layerFolders. path is root then. Without any it is NULL. */
	struct mount_rootfs rootfs;
	char **layers; /* windows.layerFolders: the scratch is the last */
	size_t n_layers;
	char *root_location; /* the annotation hostprocess-rootfs-location */
	struct container_mount *mounts; /* their texts are ours, too */
	size_t n_mounts;
	bool host_process; /* the annotation that asks for no isolation */
	bool is_linux;     /* it has "linux": it is for a virtual machine */
	bool inherit_user; /* the annotation hostprocess-inherit-user */
	struct container_limits limits;
	bool no_memory, has_nul; /* for those who read it */
};

#define NATIVE_CONSOLE_MAX 32767

/* A container's config.json. settings, or NULL, have the annotations that hold
 * where it has none of its own. Needs native_spec_clear() also on failure. */
int native_spec_read(const char *bundle,
	const struct runtime_settings *settings, struct native_spec *ret,
	struct err *e);

/* A process alone, as JSON in a file: an exec's. */
int native_spec_read_process(
	const char *path, struct native_spec *ret, struct err *e);

/* Puts the folder into the texts; NULL: there is none, they stay. -ENOMEM. */
int native_spec_place(
	struct native_spec *s, const char *mount_point, struct err *e);

void native_spec_clear(struct native_spec *s);

#endif
