/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - the folder of a container: what the shim reads in it and leaves.
 *
 * The OCI runtime specification's bundle.md: config.json and rootfs. The shim
 * adds init.pid, runtime, options.json, exit-status, and address; cgroup, if
 * the OCI runtime is to make one; while there are such mounts, a folder mounts;
 * at last released: nothing of the container is left.
 */
#ifndef WISP_SHIM_BUNDLE_H
#define WISP_SHIM_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "platform/err.h"

#define BUNDLE_PATH_MAX 4096
#define BUNDLE_PID "init.pid"
#define BUNDLE_RUNTIME "runtime"
#define BUNDLE_OPTIONS "options.json"
#define BUNDLE_RELEASED "released"

/* Where the container's files are mounted, and what these mounts consist of. */
#define BUNDLE_ROOTFS "rootfs"
#define BUNDLE_MOUNTS "mounts"

struct bundle {
	char *dir;              /* absolute */
	bool own_pid_namespace; /* the container gets one made for it */
	/* Who root in the container is outside, if it has a user namespace with
	 * a map for it; else 0. */
	uint32_t root_uid, root_gid;
	char *group; /* containers of one group share a shim; NULL: none */
	/* linux.cgroupsPath is "[SLICE.slice]:PREFIX:NAME", as only the systemd
	 * driver of runc and crun reads it (runc's docs/systemd.md) */
	bool systemd_cgroup;
	char *cgroup;       /* linux.cgroupsPath, or NULL */
	char *stdio_policy; /* the annotation of io/policy.h, or NULL */
	bool explain;       /* the annotation of explain.h is "true" */
};

/*
 * Reads config.json. dir must be absolute, without "..", and a folder.
 * -EINVAL says what is wrong in it, with line and column; -ENOENT that it is
 * not there. ret needs bundle_clear() only on success.
 */
int bundle_open(const char *dir, struct bundle *ret, struct err *e);

void bundle_clear(struct bundle *b);

/* dir/name in a buffer of BUNDLE_PATH_MAX bytes; -ENAMETOOLONG. */
int bundle_path(const char *dir, const char *name, char *buf);

/* A small text file in it, written whole. */
int bundle_write(
	const char *dir, const char *name, const char *text, struct err *e);
void bundle_remove(const char *dir, const char *name);

/* Notes that there is no cgroup yet where the container's is to be, so that it
 * can go with the container; and has it go, if it is still there, and empty. */
int bundle_note_cgroup(const struct bundle *b, struct err *e);
void bundle_remove_cgroup(const char *dir);

/* Undoes all mounts in it: mount_undo_all(). */
int bundle_unmount(const char *dir, struct err *e);

/* How init ended, so that it is known whatever happens to the shim. Writing it
 * allocates nothing. Reading gives -ENOENT if init has not ended. */
int bundle_write_exit(const char *dir, int64_t pid, uint32_t status,
	const struct timespec *at);
int bundle_read_exit(const char *dir, int64_t *ret_pid, uint32_t *ret_status,
	struct timespec *ret_at);

#endif
