/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu.h - what CRIU is told for a checkpoint or a restore, and what it said.
 *
 * The OCI runtime runs CRIU (criu(8)) itself; here is what goes to it as flags
 * (runc-checkpoint(8), runc-restore(8)), and what comes back: an image folder,
 * and a log in the work folder.
 *
 * CRIU restores open TCP connections, file locks and so on only if it is told
 * to, as it was for the checkpoint, but neither an image nor a Create request
 * says what that was. So a checkpoint leaves a small file in its image,
 * criu-options.json, which a restore reads.
 */
#ifndef WISP_SHIM_CRIU_H
#define WISP_SHIM_CRIU_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"
#include "shim/bundle.h"

/* Namespaces that CRIU can be told to leave empty, as flags of one set. */
#define CRIU_NAMESPACES 7

struct criu {
	const char *image;        /* folder, absolute; borrowed */
	const char *work;         /* folder, absolute; borrowed */
	const char *parent;       /* relative to image; NULL: none; borrowed */
	const char *cgroups_mode; /* static; NULL: the runtime's default */
	bool leave_running;
	bool open_tcp, external_unix_sockets, file_locks, terminal;
	bool empty[CRIU_NAMESPACES]; /* by criu_namespace() */
};

/* The name of namespace i, "network" for example. Static. */
const char *criu_namespace(size_t i);

/* -EINVAL names what is not known. */
int criu_set_empty(struct criu *c, const char *ns, struct err *e);
/* "" leaves the default. */
int criu_set_cgroups_mode(struct criu *c, const char *mode, struct err *e);

/* The parent image as CRIU wants it, relative to the image, in buf of n bytes.
 * parent may be absolute, or relative to the image already. Both folders must
 * exist: -EINVAL says which does not. */
int criu_relative(const char *image, const char *parent, char *buf, size_t n,
	struct err *e);

/* criu-options.json of c->image. An image without one, made by somebody else,
 * leaves c as it is. -EINVAL if it is there but makes no sense. */
int criu_save(const struct criu *c, struct err *e);
int criu_load(struct criu *c, struct err *e);

/* The folder in which CRIU works: one of the bundle's, or the operator's own
 * (given, absolute; NULL: none), which stays when it is done. */
struct criu_work {
	char dir[BUNDLE_PATH_MAX];
	bool ours;
};
/* Makes it. -EINVAL says why it cannot be. */
int criu_work_make(struct criu_work *w, const char *bundle, const char *given,
	struct err *e);
/* If it is ours. w may be all 0. */
void criu_work_remove(const struct criu_work *w);

/*
 * Adds to e, which tells that a checkpoint or restore failed, the last errors
 * in the log that CRIU left in its folder, and where that can be read: the
 * log is moved to <bundle>/criu-<log> if the folder is ours and will not
 * stay. log is "dump.log" or "restore.log". Without a log e stays as it
 * is.
 */
void criu_explain(const struct criu_work *w, const char *log,
	const char *bundle, struct err *e);

#endif
