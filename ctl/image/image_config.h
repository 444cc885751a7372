/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_config.h - how an image wants to be run (image-spec, config.md).
 */
#ifndef WISP_CTL_IMAGE_CONFIG_H
#define WISP_CTL_IMAGE_CONFIG_H

#include <stddef.h>
#include <yajl/yajl_tree.h>

#include "ctl/image/image_digest.h"
#include "ctl/image/image_platform.h"

/* Strings are the document's. Lists end with NULL, and are NULL if there is
 * none. */
struct image_config {
	struct image_platform platform;
	struct image_digest *diff_ids; /* of the layers, decompressed */
	size_t n_diff_ids;
	const char **entrypoint, **cmd, **env;
	const char *cwd, *user, *stop_signal; /* NULL: not said */
	yajl_val document;
};

/* Reads it. Consumes document, in any case. */
int image_config_take(
	struct image_config *ret, yajl_val document, struct err *e);
void image_config_clear(struct image_config *c);

#endif
