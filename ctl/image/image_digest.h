/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_digest.h - "sha256:" and 64 hexadecimal digits (image-spec,
 * descriptor.md, "Digests").
 */
#ifndef WISP_CTL_IMAGE_DIGEST_H
#define WISP_CTL_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

#define IMAGE_DIGEST_LEN 32
#define IMAGE_DIGEST_TEXT_MAX 72

struct image_digest {
	uint8_t bytes[IMAGE_DIGEST_LEN];
	bool is_set;
};

/* -EINVAL; other algorithms are refused, too. text may be NULL. */
int image_digest_parse(
	const char *text, struct image_digest *ret, struct err *e);

/* 64 digits alone, of n bytes of text. */
bool image_digest_parse_hex(
	const char *hex, size_t n, struct image_digest *ret);

void image_digest_text(
	const struct image_digest *d, char ret[IMAGE_DIGEST_TEXT_MAX]);

bool image_digest_is_same(
	const struct image_digest *a, const struct image_digest *b);

/* -EBADMSG unless what was read is what was wanted; nothing wanted is fine. */
int image_digest_check(const struct image_digest *want,
	const uint8_t got[IMAGE_DIGEST_LEN], const char *what, struct err *e);

/* The same for data that is in memory. */
int image_digest_check_data(const struct image_digest *want, const void *data,
	size_t n, const char *what, struct err *e);

#endif
