/* SPDX-License-Identifier: Apache-2.0 */
#include "util_tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/image/image_layer.h"
#include "ctl/image/image_store.h"
#include "ctl/image/image_stream.h"
#include "util_test.h"

enum { BLOCK = 512, MAX = 1 << 20 };

static char *archive;
static size_t size;

void tar_begin(void)
{
	free(archive);
	archive = calloc(1, MAX);
	ck_assert_ptr_nonnull(archive);
	size = 0;
}

/* pax(1), "ustar Interchange Format" */
static void add_block(char type, const char *name, const char *link, size_t n)
{
	char *h = archive + size;
	unsigned sum = 0, i;

	ck_assert_uint_lt(size + 4 * BLOCK + n, MAX);
	memcpy(h, name, strnlen(name, 100));
	sprintf(h + 100, "%07o", type == '5' ? 0755 : 0644);
	sprintf(h + 108, "%07o", geteuid());
	sprintf(h + 116, "%07o", getegid());
	sprintf(h + 124, "%011o", (unsigned)n);
	sprintf(h + 136, "%011o", 1000000000u);
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257,
		"ustar\0"
		"00",
		8);
	for (i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	sprintf(h + 148, "%06o", sum);
	size += BLOCK;
}

void tar_add(char type, const char *name, const char *text)
{
	size_t n = type == '0' ? strlen(text) : 0;

	add_block(type, name, type == '1' || type == '2' ? text : "", n);
	memcpy(archive + size, text, n);
	size += (n + BLOCK - 1) / BLOCK * BLOCK;
}

void tar_end(void)
{
	mkdir("img", 0700);
	mkdir("root", 0755);
	put_file("img/layer", archive, size + 2 * BLOCK);
	free(archive);
	archive = NULL;
}

struct image_job tar_job(void)
{
	return (struct image_job){.max_bytes = MAX,
		.max_entries = 1000,
		.ordinary = geteuid() != 0};
}

int tar_apply(struct image_tree *t, struct image_job *job, struct err *e)
{
	struct image_digest none = {0};
	struct image_store *store;
	struct image_blob *blob;
	struct image_stream *s;
	int r = image_store_open("img", ".", job, &store, e);

	if (r < 0)
		return r;
	r = image_blob_open(store, "layer", &blob, e);
	if (r == 0) {
		r = image_stream_new(blob, job, &s, e);
		if (r == 0) {
			r = image_layer_apply(t, s, job, e);
			if (r == 0)
				r = image_stream_finish(s, &none, &none, e);
			image_stream_free(s);
		}
		image_blob_close(blob);
	}
	image_store_close(store);
	return r;
}
