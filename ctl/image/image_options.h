/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_options.h - what a command line says of an image.
 */
#ifndef WISP_CTL_IMAGE_OPTIONS_H
#define WISP_CTL_IMAGE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"

struct image_options {
	const char *path;       /* --image; NULL: none */
	const char *tag;        /* --tag */
	const char *platform;   /* --platform; NULL: the host's */
	const char *entrypoint; /* --entrypoint; NULL: the image's, "": none */
	uint64_t max_bytes;     /* --image-max-size; 0: the default */
	uint64_t max_entries;   /* --image-max-files; 0: the default */
};

/* For getopt_long(3): names and values of the options above. */
enum {
	IMAGE_OPT_PATH = 512,
	IMAGE_OPT_TAG,
	IMAGE_OPT_PLATFORM,
	IMAGE_OPT_ENTRYPOINT,
	IMAGE_OPT_MAX_SIZE,
	IMAGE_OPT_MAX_FILES,
};

/* clang-format off */
#define IMAGE_LONG_OPTIONS \
	{"image", required_argument, NULL, IMAGE_OPT_PATH}, \
	{"tag", required_argument, NULL, IMAGE_OPT_TAG}, \
	{"platform", required_argument, NULL, IMAGE_OPT_PLATFORM}, \
	{"entrypoint", required_argument, NULL, IMAGE_OPT_ENTRYPOINT}, \
	{"image-max-size", required_argument, NULL, IMAGE_OPT_MAX_SIZE}, \
	{"image-max-files", required_argument, NULL, IMAGE_OPT_MAX_FILES}
/* clang-format on */

/* 1: it was one of these; 0: it was not; -EINVAL. */
int image_options_set(
	struct image_options *o, int opt, const char *arg, struct err *e);

/* Whether they make sense together: all others need --image. */
int image_options_check(const struct image_options *o, struct err *e);

/* A paragraph of `--help`. */
#define IMAGE_HELP                                                             \
	"\nImage:\n"                                                           \
	"      --image PATH    run an OCI image layout (a folder, or an "      \
	"archive "                                                             \
	"of one)\n                      or what `docker save` wrote; its "     \
	"command, environment,\n                      user and folder are "    \
	"the defaults\n"                                                       \
	"      --tag NAME      which, if it holds several: b:1, or 1\n"        \
	"      --platform P    linux/arm64, ... (default: this host's)\n"      \
	"      --entrypoint X  run X instead of the image's entrypoint\n"      \
	"      --image-max-size SIZE, --image-max-files N   refuse more than " \
	"this\n                      (default: 32g, 2000000)\n"

#endif
