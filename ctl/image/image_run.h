/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_run.h - from an image to a tree and the process that runs in it: what
 * `wispctl run --image` adds to run.
 */
#ifndef WISP_CTL_IMAGE_RUN_H
#define WISP_CTL_IMAGE_RUN_H

#include "ctl/image/image.h"
#include "ctl/image/image_options.h"
#include "ctl/image/image_user.h"

struct image_run {
	struct image image;
	struct image_user user;
	const char **args; /* to NULL; the image's, or what was given instead */
	const char **env;  /* "K=V", n_env of them */
	size_t n_env;
	char *cwd;
};

/*
 * Unpacks the image into folder/rootfs; both folders are made. The outer one
 * is for the owner alone, so that nobody else on the host gets at the setuid
 * programs in it. command is what the user wants run (empty: nothing said),
 * env what is to be added to the image's. What was left out is told on stderr.
 * On failure the caller removes the folder. ret is cleared by the caller in
 * any case; strings of command and env are borrowed.
 */
int image_run_prepare(struct image_run *ret, const struct image_options *o,
	const char *folder, struct image_job *job, char *const *command,
	char *const *env, size_t n_env, struct err *e);
void image_run_clear(struct image_run *x);

/* image_merge.c: args, env and cwd of the image and of the command line. */
int image_run_merge(struct image_run *x, const struct image_options *o,
	char *const *command, char *const *env, size_t n_env, struct err *e);

#endif
