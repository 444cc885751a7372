/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_store.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/image/image_index.h"
#include "platform/file.h"

#define BLOCK (128u << 10)

struct image_store {
	int fd; /* of the folder, or of an archive that can be searched */
	struct image_index *index; /* NULL: a folder */
};

struct image_blob {
	int fd;            /* of a folder's file, or -1 */
	struct archive *a; /* of an archive's */
	uint64_t size, n_read;
	char buf[];
};

bool image_archive_ok(int r)
{
	return r == ARCHIVE_OK || r == ARCHIVE_WARN;
}

int image_archive_error(struct archive *a, const char *what, struct err *e)
{
	const char *text = archive_error_string(a);
	int code = archive_errno(a);

	/* libarchive's own are EINVAL, or ARCHIVE_ERRNO_MISC, -1 */
	return err_set(e, code > 0 && code != EILSEQ ? -code : -EBADMSG,
		"%s%s%s", what, *what ? ": " : "",
		text ? text : "it cannot be read");
}

int image_store_open(const char *path, const char *scratch,
	struct image_job *job, struct image_store **ret, struct err *e)
{
	struct image_store *s = calloc(1, sizeof(*s));
	struct stat st;
	int r = 0;

	if (!s)
		return err_sys(e, -ENOMEM, "open it");
	s->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		r = err_sys(e, -errno, "open it");
	else if (S_ISREG(st.st_mode))
		r = image_index_read(&s->fd, scratch, job, &s->index, e);
	else if (!S_ISDIR(st.st_mode))
		r = err_set(e, -EINVAL, "it is neither a file nor a folder");
	if (r < 0)
		image_store_close(s);
	else
		*ret = s;
	return r;
}

void image_store_close(struct image_store *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	image_index_free(s->index);
	free(s);
}

bool image_store_has(const struct image_store *s, const char *name)
{
	int64_t at;

	if (s->index)
		return image_index_find(s->index, name, &at, NULL) == 0;
	return faccessat(s->fd, name, F_OK, 0) == 0;
}

static int open_in_folder(
	const struct image_store *s, const char *name, struct image_blob *b)
{
	struct stat st;

	b->fd = openat(
		s->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (b->fd < 0 || fstat(b->fd, &st) < 0)
		return -errno;
	b->size = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

static int open_in_archive(const struct image_store *s, const char *name,
	struct image_blob *b, struct err *e)
{
	struct archive_entry *entry;
	int64_t at;
	int r = image_index_find(s->index, name, &at, e);

	if (r < 0)
		return r;
	b->a = archive_read_new();
	if (!b->a)
		return err_sys(e, -ENOMEM, "read '%s'", name);
	if (lseek(s->fd, at, SEEK_SET) < 0)
		return err_sys(e, -errno, "read '%s'", name);
	archive_read_support_format_tar(b->a);
	if (archive_read_open_fd(b->a, s->fd, BLOCK) != ARCHIVE_OK ||
		!image_archive_ok(archive_read_next_header(b->a, &entry)))
		return image_archive_error(b->a, name, e);
	b->size = (uint64_t)archive_entry_size(entry);
	return 0;
}

int image_blob_open(const struct image_store *s, const char *name,
	struct image_blob **ret, struct err *e)
{
	struct image_blob *b = malloc(sizeof(*b) + (s->index ? 0 : BLOCK));
	int r;

	if (!b)
		return err_sys(e, -ENOMEM, "read '%s'", name);
	*b = (struct image_blob){.fd = -1};
	if (file_goes_up(name) || *name == '/') {
		r = err_set(e, -EINVAL, "'%s' is outside of the image", name);
	} else if (s->index) {
		r = open_in_archive(s, name, b, e);
	} else {
		r = open_in_folder(s, name, b);
		if (r == -ENOENT)
			err_set(e, r, "it has no '%s'", name);
		else if (r == -EINVAL)
			err_set(e, r, "'%s' is not a file", name);
		else if (r < 0)
			err_sys(e, r, "open '%s'", name);
	}
	if (r < 0)
		image_blob_close(b);
	else
		*ret = b;
	return r;
}

void image_blob_close(struct image_blob *b)
{
	if (!b)
		return;
	if (b->fd >= 0)
		close(b->fd);
	archive_read_free(b->a);
	free(b);
}

uint64_t image_blob_size(const struct image_blob *b)
{
	return b->size;
}

static ssize_t read_file(struct image_blob *b, const void **ret, struct err *e)
{
	ssize_t n;

	do
		n = read(b->fd, b->buf, BLOCK);
	while (n < 0 && errno == EINTR);
	*ret = b->buf;
	return n < 0 ? err_sys(e, -errno, "read") : n;
}

static ssize_t read_entry(struct image_blob *b, const void **ret, struct err *e)
{
	la_int64_t at;
	size_t n;
	int r;

	do
		r = archive_read_data_block(b->a, ret, &n, &at);
	while (r == ARCHIVE_OK && n == 0);
	if (r == ARCHIVE_EOF)
		return 0;
	if (!image_archive_ok(r))
		return image_archive_error(b->a, "", e);
	if ((uint64_t)at != b->n_read)
		return err_set(e, -EBADMSG, "it has holes");
	return (ssize_t)n;
}

ssize_t image_blob_read(struct image_blob *b, const void **ret, struct err *e)
{
	ssize_t n = b->a ? read_entry(b, ret, e) : read_file(b, ret, e);

	if (n > 0)
		b->n_read += (uint64_t)n;
	return n;
}

static int read_all(struct image_blob *b, char *to, size_t size, struct err *e)
{
	const void *piece;
	ssize_t n;
	size_t have = 0;

	while ((n = image_blob_read(b, &piece, e)) > 0) {
		if ((size_t)n > size - have)
			return err_set(e, -EBADMSG, "it changed meanwhile");
		memcpy(to + have, piece, (size_t)n);
		have += (size_t)n;
	}
	if (n == 0 && have < size)
		return err_set(e, -EBADMSG, "it ends too soon");
	return (int)n;
}

int image_store_read(const struct image_store *s, const char *name, size_t max,
	char **ret, size_t *ret_n, struct err *e)
{
	struct image_blob *b = NULL;
	char *text = NULL;
	int r = image_blob_open(s, name, &b, e);
	size_t size;

	if (!b)
		return r;
	size = (size_t)b->size;
	if (b->size > max)
		r = err_set(e, -EFBIG, "it has more than %zu bytes", max);
	else if (!(text = malloc(size + 1)))
		r = err_sys(e, -ENOMEM, "read it");
	else
		r = read_all(b, text, size, e);
	image_blob_close(b);
	if (r < 0 || !text) {
		free(text);
		err_prefix(e, "'%s'", name);
		return r;
	}
	text[size] = '\0';
	*ret = text;
	*ret_n = size;
	return 0;
}
