/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer of an image, as anybody may have made it, is unpacked beside a folder
 * that is not its business. Headers' checksums are put right first, or hardly
 * any would be read. tests/fuzz/seed_layer.py makes a corpus to begin with.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/image/image_layer.h"
#include "ctl/image/image_store.h"
#include "ctl/image/image_stream.h"
#include "ctl/place.h"
#include "platform/file.h"

enum { BLOCK = 512, SUM = 148 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char scratch[] = "/tmp/wisp-fuzz-layer.XXXXXX";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void remove_scratch(void)
{
	must(chdir("/") == 0);
	ctl_remove_tree(scratch, NULL);
}

static void begin(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	must(mkdtemp(scratch) != NULL);
	atexit(remove_scratch);
	must(chdir(scratch) == 0 && mkdir("img", 0700) == 0 &&
		mkdir("victim", 0700) == 0 &&
		file_write("victim/old", "old", 3) == 0);
}

static void fix_sums(uint8_t *data, size_t size)
{
	char text[8];
	size_t at, i;
	unsigned sum;

	for (at = 0; at + BLOCK <= size; at += BLOCK) {
		if (memcmp(data + at + 257, "ustar", 5) != 0)
			continue;
		memset(data + at + SUM, ' ', 8);
		for (sum = 0, i = 0; i < BLOCK; i++)
			sum += data[at + i];
		snprintf(text, sizeof(text), "%06o", sum);
		memcpy(data + at + SUM, text, 7);
	}
}

static int apply(struct image_tree *t, struct err *e)
{
	struct image_job job = {
		.max_bytes = 1 << 20, .max_entries = 1000, .ordinary = true};
	struct image_digest none = {0};
	struct image_store *store;
	struct image_blob *blob;
	struct image_stream *s;
	int r;

	must(image_store_open("img", ".", &job, &store, e) == 0);
	must(image_blob_open(store, "layer", &blob, e) == 0);
	r = image_stream_new(blob, &job, &s, e);
	if (r == 0) {
		r = image_layer_apply(t, s, &job, e);
		if (r == 0)
			r = image_stream_finish(s, &none, &none, e);
		image_stream_free(s);
	}
	image_blob_close(blob);
	image_store_close(store);
	return r;
}

static unsigned count(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	must(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* What is not the tree's is as it was, and the tree can be removed. */
static void check(void)
{
	struct stat st;
	char old[8];

	must(count(".") == 3 && count("victim") == 1);
	must(file_read_into("victim/old", old, sizeof(old)) == 0);
	must(strcmp(old, "old") == 0);
	must(stat("victim/old", &st) == 0 && st.st_nlink == 1);
	must(stat("victim", &st) == 0 && (st.st_mode & 07777) == 0700);
	must(ctl_remove_tree("root", NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct image_tree t;
	struct err e = {0};
	int r;

	must(copy != NULL);
	begin();
	memcpy(copy, data, size);
	fix_sums(copy, size);
	must(file_write("img/layer", copy, size) == 0);
	must(mkdir("root", 0755) == 0);
	must(image_tree_open(&t, "root", &e) == 0);
	r = apply(&t, &e);
	must(r <= 0 && (r == 0 || (r == e.code && *e.msg)));
	image_tree_close(&t);
	check();
	free(copy);
	return 0;
}
