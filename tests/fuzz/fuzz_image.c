/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's archive, as anybody may have made it, up to its layers: the
 * archive's index, indexes, manifests and the configuration in it, and what is
 * made of that and a command line. Headers' checksums are put right first;
 * digests are not, so it is docker's form, which has none, that gets far.
 * tests/fuzz/seed_image.py makes a corpus to begin with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/image/image_run.h"
#include "ctl/image/image_store.h"
#include "platform/file.h"

enum { BLOCK = 512, SUM = 148 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/wisp-fuzz-image.XXXXXX";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void remove_file(void)
{
	unlink(path);
}

static void begin(void)
{
	static bool begun;
	int fd;

	if (begun)
		return;
	begun = true;
	fd = mkstemp(path);
	must(fd >= 0 && close(fd) == 0);
	atexit(remove_file);
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

static void merge(struct image_run *x)
{
	struct image_options o = {0};
	char *command[] = {NULL}, *env[] = {"A=1"};
	size_t i;

	if (image_run_merge(x, &o, command, env, 1, NULL) < 0)
		return;
	must(x->args[0] && x->cwd[0] == '/' && x->n_env > 0);
	for (i = 0; i < x->n_env; i++)
		must(strchr(x->env[i], '=') > x->env[i]);
}

static void check(const struct image *i)
{
	size_t n;

	must(i->n_layers > 0 && i->n_layers == i->config.n_diff_ids);
	for (n = 0; n < i->n_layers; n++)
		must(i->layers[n].name && i->config.diff_ids[n].is_set);
}

static int read_it(struct image_run *x, struct err *e)
{
	struct image_job job = {.max_bytes = 1 << 20, .max_entries = 1000};
	struct image_wish wish = {0};
	struct image_store *s = NULL;
	int r = image_store_open(path, "/tmp", &job, &s, e);

	if (r == 0)
		r = image_read(s, &wish, &x->image, e);
	image_store_close(s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct image_run x = {0};
	struct err e = {0};
	int r;

	must(copy != NULL);
	begin();
	memcpy(copy, data, size);
	fix_sums(copy, size);
	must(file_write(path, copy, size) == 0);
	r = read_it(&x, &e);
	must(r == 0 || (r < 0 && r == e.code && *e.msg));
	if (r == 0) {
		check(&x.image);
		merge(&x);
	}
	image_run_clear(&x);
	free(copy);
	return 0;
}
