/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_options.h - the command line of `wispctl run`, checked.
 */
#ifndef WISP_CTL_RUN_OPTIONS_H
#define WISP_CTL_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/container.h"
#include "ctl/image/image_options.h"

/* A mount the user asks for; strings are the options' own. */
struct ctl_mount {
	char *type, *source, *target;
	char *options; /* joined by ':'; NULL: none */
};

/* Strings that were given as they are point into argv. */
struct ctl_run_options {
	bool help;
	bool remove;                /* --rm */
	bool terminal, interactive; /* -t, -i */
	bool detach;                /* -d; `create` is so in any case */
	bool events, debug;
	bool json;                   /* -o json */
	const char *runtime;         /* NULL: runc, else crun */
	const char *shim;            /* NULL: wisp's */
	const char *rootfs, *bundle; /* NULL: none given */
	struct image_options image;
	const char *name;       /* NULL: made up */
	const char *root;       /* NULL: /run/wisp, or $XDG_RUNTIME_DIR/wisp */
	const char *cwd;        /* NULL: /, or the image's */
	const char *checkpoint; /* restored from; NULL: a new container */
	uint64_t memory;        /* bytes; 0: no limit */
	const char *seccomp; /* a profile's file; NULL: none, or the bundle's */
	bool explain_seccomp; /* --explain-seccomp */
	enum client_dialect dialect;
	char **env; /* "K=V", n_env of them */
	size_t n_env;
	struct ctl_mount *mounts;
	size_t n_mounts;
	char **command; /* NULL-terminated; empty: a default */
};

/* argv[0] is "run" or "create". 0, or -EINVAL with a message that says what is
 * wrong. ret is cleared by the caller in both cases. */
int ctl_run_options_parse(
	struct ctl_run_options *ret, int argc, char **argv, struct err *e);
void ctl_run_options_clear(struct ctl_run_options *o);

void ctl_run_help(void);

/* "512", "64k", "64m", "2g" (with or without a 'b') in bytes. -EINVAL. */
int ctl_parse_size(const char *text, uint64_t *ret);

/* "type=bind,src=/a,dst=/b,options=ro:rbind". src, source; dst, target,
 * destination; ro, readonly. -EINVAL, -ENOMEM. */
int ctl_parse_mount(const char *text, struct ctl_mount *ret, struct err *e);
/* "src=C:\a,dst=C:\b,ro", for another host: type stays NULL. */
int ctl_parse_windows_mount(
	const char *text, struct ctl_mount *ret, struct err *e);
void ctl_mount_clear(struct ctl_mount *m);

#endif
