/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_platform.h - "os/architecture" or "os/architecture/variant", in Go's
 * words (image-spec, image-index.md, "platform").
 */
#ifndef WISP_CTL_IMAGE_PLATFORM_H
#define WISP_CTL_IMAGE_PLATFORM_H

#include <stdbool.h>

#include "platform/err.h"

struct image_platform {
	char os[32], arch[32], variant[32]; /* "": not said */
};

/* text NULL: this host's. -EINVAL. */
int image_platform_parse(
	const char *text, struct image_platform *ret, struct err *e);

/* Strings of a document; NULL: not said. */
void image_platform_set(struct image_platform *p, const char *os,
	const char *arch, const char *variant);

/* What is not said on one side agrees with everything. */
bool image_platform_fits(
	const struct image_platform *want, const struct image_platform *have);

#define IMAGE_PLATFORM_TEXT_MAX 100
const char *image_platform_text(
	const struct image_platform *p, char buf[IMAGE_PLATFORM_TEXT_MAX]);

#endif
