/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sha2.h>
#include <stdlib.h>

#include "ctl/image/image_store.h"

struct image_stream {
	struct image_blob *blob;
	struct image_job *job;
	struct archive *raw;
	SHA2_CTX stored, plain;
	bool ended;
	struct err err; /* of the blob, while libarchive asks for it */
};

static ssize_t read_stored(
	struct image_stream *s, const void **ret, struct err *e)
{
	ssize_t n = image_blob_read(s->blob, ret, e);

	if (n <= 0)
		return n;
	SHA256Update(&s->stored, *ret, (size_t)n);
	s->job->done += (uint64_t)n;
	return n;
}

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
	struct image_stream *s = arg;
	ssize_t n = read_stored(s, ret, &s->err);

	if (n < 0)
		archive_set_error(a, (int)-n, "%s", s->err.msg);
	return n;
}

static int raw_error(struct image_stream *s, struct err *e)
{
	if (!s->err.code)
		return image_archive_error(s->raw, "decompress it", e);
	if (e)
		*e = s->err;
	return s->err.code;
}

static int open_raw(struct image_stream *s, struct err *e)
{
	struct archive_entry *entry;
	int r;

	archive_read_support_filter_gzip(s->raw);
	archive_read_support_filter_zstd(s->raw);
	archive_read_support_filter_xz(s->raw);
	archive_read_support_filter_bzip2(s->raw);
	archive_read_support_format_raw(s->raw);
	archive_read_support_format_empty(s->raw);
	if (archive_read_open(s->raw, s, NULL, on_read, NULL) != ARCHIVE_OK)
		return raw_error(s, e);
	r = archive_read_next_header(s->raw, &entry);
	s->ended = r == ARCHIVE_EOF; /* nothing at all */
	return s->ended || image_archive_ok(r) ? 0 : raw_error(s, e);
}

int image_stream_new(struct image_blob *blob, struct image_job *job,
	struct image_stream **ret, struct err *e)
{
	struct image_stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_sys(e, -ENOMEM, "read it");
	s->blob = blob;
	s->job = job;
	SHA256Init(&s->stored);
	SHA256Init(&s->plain);
	s->raw = archive_read_new();
	r = s->raw ? open_raw(s, e) : err_sys(e, -ENOMEM, "read it");
	if (r < 0)
		image_stream_free(s);
	else
		*ret = s;
	return r;
}

void image_stream_free(struct image_stream *s)
{
	if (!s)
		return;
	archive_read_free(s->raw);
	free(s);
}

ssize_t image_stream_read(
	struct image_stream *s, const void **ret, struct err *e)
{
	la_int64_t at;
	size_t n = 0;
	int r = ARCHIVE_OK, rc;

	while (!s->ended && r == ARCHIVE_OK && n == 0)
		r = archive_read_data_block(s->raw, ret, &n, &at);
	s->ended |= r == ARCHIVE_EOF;
	if (s->ended)
		return 0;
	if (!image_archive_ok(r))
		return raw_error(s, e);
	SHA256Update(&s->plain, *ret, n);
	rc = image_job_count(s->job, n, 0, e);
	return rc < 0 ? rc : (ssize_t)n;
}

int image_stream_finish(struct image_stream *s,
	const struct image_digest *digest, const struct image_digest *diff_id,
	struct err *e)
{
	uint8_t got[IMAGE_DIGEST_LEN];
	const void *piece;
	ssize_t n;
	int r;

	do
		n = image_stream_read(s, &piece, e);
	while (n > 0);
	while (n == 0 && (n = read_stored(s, &piece, e)) > 0)
		n = 0;
	if (n < 0)
		return (int)n;
	SHA256Final(got, &s->stored);
	r = image_digest_check(digest, got, "it", e);
	if (r < 0)
		return r;
	SHA256Final(got, &s->plain);
	return image_digest_check(diff_id, got, "what it unpacks to", e);
}
