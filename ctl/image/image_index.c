/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/image/image_store.h"

#define BLOCK (128u << 10)
#define FILES_MAX 65536
#define LINKS_MAX 8

struct file {
	char *name;
	char *link; /* NULL: it is a file */
	int64_t at;
};

struct image_index {
	struct file *files;
	size_t n, room;
};

void image_index_free(struct image_index *x)
{
	size_t i;

	if (!x)
		return;
	for (i = 0; i < x->n; i++) {
		free(x->files[i].name);
		free(x->files[i].link);
	}
	free(x->files);
	free(x);
}

/* "./a//b/../c" is "a/c"; false if it leads out. ret has PATH_MAX bytes. */
static bool normalize(const char *name, char *ret)
{
	size_t n, len = 0;

	for (; *name; name += n + strspn(name + n, "/")) {
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.'))
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.') {
			if (len == 0)
				return false;
			while (len > 0 && ret[--len] != '/')
				;
			continue;
		}
		if (len + n + 2 > PATH_MAX)
			return false;
		if (len > 0)
			ret[len++] = '/';
		memcpy(ret + len, name, n);
		len += n;
	}
	ret[len] = '\0';
	return true;
}

static int add(struct image_index *x, const char *name, const char *link,
	int64_t at, struct err *e)
{
	size_t room = x->room ? 2 * x->room : 64;
	struct file *files = x->files;

	if (x->n == FILES_MAX)
		return err_set(e, -EFBIG, "more than %d files", FILES_MAX);
	if (x->n == x->room) {
		files = realloc(files, room * sizeof(*files));
		if (!files)
			return err_sys(e, -ENOMEM, "read it");
		x->files = files;
		x->room = room;
	}
	files[x->n] =
		(struct file){strdup(name), link ? strdup(link) : NULL, at};
	if (!files[x->n].name || (link && !files[x->n].link)) {
		free(files[x->n].name);
		free(files[x->n].link);
		return err_sys(e, -ENOMEM, "read it");
	}
	x->n++;
	return 0;
}

/* Names that lead out are never asked for. */
static int add_entry(struct image_index *x, struct archive_entry *entry,
	int64_t at, struct err *e)
{
	const char *name = archive_entry_pathname(entry), *slash;
	const char *hard = archive_entry_hardlink(entry);
	const char *soft = archive_entry_symlink(entry);
	char own[PATH_MAX], to[PATH_MAX], both[2 * PATH_MAX];

	if (!name || !normalize(name, own))
		return 0;
	if (hard)
		return normalize(hard, to) ? add(x, own, to, at, e) : 0;
	if (soft && archive_entry_filetype(entry) == AE_IFLNK) {
		slash = strrchr(own, '/');
		snprintf(both, sizeof(both), "%.*s/%s",
			(int)(slash ? slash - own : 0), own, soft);
		return normalize(both, to) ? add(x, own, to, at, e) : 0;
	}
	return archive_entry_filetype(entry) == AE_IFREG
		       ? add(x, own, NULL, at, e)
		       : 0;
}

static int read_entries(struct archive *a, struct image_index *x,
	struct image_job *job, struct err *e)
{
	struct archive_entry *entry;
	int r, rc = 0;

	while (rc == 0) {
		r = archive_read_next_header(a, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		if (!image_archive_ok(r))
			return image_archive_error(
				a, "it is no tar archive, or damaged", e);
		rc = add_entry(x, entry, archive_read_header_position(a), e);
		if (rc == 0)
			rc = image_job_count(job, 0, 0, e);
	}
	return rc;
}

static int read_index(
	int fd, struct image_index *x, struct image_job *job, struct err *e)
{
	struct archive *a = archive_read_new();
	int r;

	if (!a)
		return err_sys(e, -ENOMEM, "read it");
	archive_read_support_format_tar(a);
	if (archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
		r = image_archive_error(a, "it is no tar archive", e);
	else
		r = read_entries(a, x, job, e);
	archive_read_free(a);
	return r;
}

static int nameless_file(const char *folder, struct err *e)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/image.XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_sys(
			e, -errno, "a file to decompress to in '%s'", folder);
	unlink(path);
	return fd;
}

static int write_all(int fd, const char *data, size_t n, struct err *e)
{
	ssize_t w;

	for (; n > 0; data += w, n -= (size_t)w) {
		w = write(fd, data, n);
		if (w < 0 && errno != EINTR)
			return err_sys(e, -errno, "decompress it");
		if (w < 0)
			w = 0;
	}
	return 0;
}

static int copy_data(
	struct archive *a, int to, struct image_job *job, struct err *e)
{
	const void *data;
	la_int64_t at;
	size_t n;
	int r, rc = 0;

	while (rc == 0) {
		r = archive_read_data_block(a, &data, &n, &at);
		if (r == ARCHIVE_EOF)
			return 0;
		if (!image_archive_ok(r))
			return image_archive_error(a, "decompress it", e);
		rc = write_all(to, data, n, e);
		if (rc == 0)
			rc = image_job_count(job, n, 0, e);
	}
	return rc;
}

static int decompress(struct archive *a, int *fd, const char *scratch,
	struct image_job *job, struct err *e)
{
	struct archive_entry *entry;
	int to, r;

	if (archive_read_open_fd(a, *fd, BLOCK) != ARCHIVE_OK ||
		!image_archive_ok(archive_read_next_header(a, &entry)))
		return image_archive_error(a, "it is empty or damaged", e);
	if (archive_filter_count(a) <= 1)
		return 0;
	to = nameless_file(scratch, e);
	if (to < 0)
		return to;
	r = copy_data(a, to, job, e);
	if (r < 0) {
		close(to);
		return r;
	}
	close(*fd);
	*fd = to;
	return 0;
}

static int make_searchable(
	int *fd, const char *scratch, struct image_job *job, struct err *e)
{
	struct archive *a = archive_read_new();
	int r;

	if (!a)
		return err_sys(e, -ENOMEM, "read it");
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_format_raw(a);
	r = decompress(a, fd, scratch, job, e);
	archive_read_free(a);
	if (r == 0 && lseek(*fd, 0, SEEK_SET) < 0)
		r = err_sys(e, -errno, "read it");
	return r;
}

int image_index_read(int *fd, const char *scratch, struct image_job *job,
	struct image_index **ret, struct err *e)
{
	struct image_index *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return err_sys(e, -ENOMEM, "read it");
	r = make_searchable(fd, scratch, job, e);
	if (r == 0)
		r = read_index(*fd, x, job, e);
	if (r < 0)
		image_index_free(x);
	else
		*ret = x;
	return r;
}

/* Of two with one name the later one counts. */
static const struct file *look_up(const struct image_index *x, const char *name)
{
	size_t i;

	for (i = x->n; i > 0; i--)
		if (strcmp(x->files[i - 1].name, name) == 0)
			return &x->files[i - 1];
	return NULL;
}

int image_index_find(const struct image_index *x, const char *name,
	int64_t *ret_at, struct err *e)
{
	const struct file *f = NULL;
	char own[PATH_MAX];
	unsigned links;

	if (normalize(name, own))
		f = look_up(x, own);
	for (links = 0; f && f->link && links < LINKS_MAX; links++)
		f = look_up(x, f->link);
	if (!f)
		return err_set(e, -ENOENT, "it has no '%s'", name);
	if (f->link)
		return err_set(e, -ELOOP, "'%s' is a loop of links", name);
	*ret_at = f->at;
	return 0;
}
