/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_digest.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "sha256:"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool image_digest_parse_hex(const char *hex, size_t n, struct image_digest *ret)
{
	struct image_digest d = {.is_set = true};
	size_t i;

	if (n != 2 * IMAGE_DIGEST_LEN)
		return false;
	for (i = 0; i < IMAGE_DIGEST_LEN; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = d;
	return true;
}

int image_digest_parse(
	const char *text, struct image_digest *ret, struct err *e)
{
	size_t n = strlen(PREFIX);

	if (text && strncmp(text, PREFIX, n) == 0 &&
		image_digest_parse_hex(text + n, strlen(text + n), ret))
		return 0;
	return err_set(e, -EINVAL,
		"'%.80s' is no digest of the kind sha256:HEX, the only one "
		"that is known here",
		text ? text : "");
}

void image_digest_text(
	const struct image_digest *d, char ret[IMAGE_DIGEST_TEXT_MAX])
{
	size_t i, n = strlen(PREFIX);

	strcpy(ret, PREFIX);
	for (i = 0; i < IMAGE_DIGEST_LEN; i++)
		sprintf(ret + n + 2 * i, "%02x", d->bytes[i]);
}

bool image_digest_is_same(
	const struct image_digest *a, const struct image_digest *b)
{
	return a->is_set && b->is_set &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int image_digest_check(const struct image_digest *want,
	const uint8_t got[IMAGE_DIGEST_LEN], const char *what, struct err *e)
{
	char wanted[IMAGE_DIGEST_TEXT_MAX], found[IMAGE_DIGEST_TEXT_MAX];
	struct image_digest d = {.is_set = true};

	memcpy(d.bytes, got, sizeof(d.bytes));
	if (!want->is_set || image_digest_is_same(want, &d))
		return 0;
	image_digest_text(want, wanted);
	image_digest_text(&d, found);
	return err_set(e, -EBADMSG,
		"%s is damaged: its digest is %s, and should be %s", what,
		found, wanted);
}

int image_digest_check_data(const struct image_digest *want, const void *data,
	size_t n, const char *what, struct err *e)
{
	uint8_t got[IMAGE_DIGEST_LEN];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, n);
	SHA256Final(got, &ctx);
	return image_digest_check(want, got, what, e);
}
