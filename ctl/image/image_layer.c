/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl/image/image_store.h"
#include "ctl/image/image_stream.h"

#define HIDE ".wh."
#define HIDE_ALL ".wh..wh..opq"
#define AUFS ".wh..wh." /* its own files, which are nobody's */

/* A folder gets its times when nothing is put into it any more. */
struct late {
	char *path;
	struct timespec times[2];
};

struct layer {
	struct image_tree *tree;
	struct image_stream *stream;
	struct image_job *job;
	struct archive *a;
	struct late *late;
	size_t n_late, room;
	struct err err; /* of the stream, while libarchive asks for it */
};

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
	struct layer *l = arg;
	ssize_t n = image_stream_read(l->stream, ret, &l->err);

	if (n < 0)
		archive_set_error(a, (int)-n, "%s", l->err.msg);
	return n;
}

/* The stream's own message is better than libarchive's. */
static int tar_error(struct layer *l, const char *what, struct err *e)
{
	if (!l->err.code)
		return image_archive_error(l->a, what, e);
	if (e)
		*e = l->err;
	return l->err.code;
}

static int put_off(struct layer *l, const char *path,
	struct archive_entry *entry, struct err *e)
{
	size_t room = l->room ? 2 * l->room : 64;
	struct late *late = l->late;

	if (l->n_late == l->room) {
		late = realloc(late, room * sizeof(*late));
		if (!late)
			return err_sys(e, -ENOMEM, "set its times");
		l->late = late;
		l->room = room;
	}
	late[l->n_late].path = strdup(path);
	if (!late[l->n_late].path)
		return err_sys(e, -ENOMEM, "set its times");
	image_attr_times(entry, late[l->n_late++].times);
	return 0;
}

/* It may be gone, or be something else by now. */
static int set_late(struct layer *l, const struct late *late, struct err *e)
{
	struct image_spot at;
	struct stat st;
	int r = 0;

	if (image_tree_find(l->tree, late->path, false, &at, NULL) < 0)
		return 0;
	if (strcmp(at.path, late->path) == 0 &&
		fstatat(at.dir, *at.base ? at.base : ".", &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode))
		r = image_attr_set_times(&at, late->times);
	image_spot_close(&at);
	return r < 0 ? err_sys(e, r, "'%s': set its times", late->path) : 0;
}

static int hide(struct layer *l, const struct image_spot *at, struct err *e)
{
	struct image_spot hidden = {.dir = at->dir};
	size_t n = (size_t)(at->base - at->path);

	memcpy(hidden.path, at->path, n);
	strcpy(hidden.path + n, at->base + strlen(HIDE));
	hidden.base = hidden.path + n;
	return image_tree_hide(l->tree, &hidden, e);
}

/* What is beside the marker, which has the place at. */
static int hide_all(struct layer *l, const struct image_spot *at, struct err *e)
{
	size_t n = (size_t)(at->base - at->path);
	char folder[IMAGE_PATH_MAX];

	memcpy(folder, at->path, n);
	folder[n > 0 ? n - 1 : 0] = '\0';
	return image_tree_hide_all(l->tree, at->dir, folder, e);
}

/* A marker hides something of what is there; with no such folder, nothing. */
static int apply_marker(
	struct layer *l, const char *name, const char *base, struct err *e)
{
	const char *hidden = base + strlen(HIDE);
	struct err why = {0};
	struct image_spot at;
	int r;

	if (strcmp(hidden, "") == 0 || strcmp(hidden, ".") == 0 ||
		strcmp(hidden, "..") == 0)
		return err_set(e, -EINVAL,
			"a whiteout of a folder by itself is refused");
	r = image_tree_find(l->tree, name, false, &at, &why);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(e, r, "%s", why.msg);
	r = strcmp(base, HIDE_ALL) == 0 ? hide_all(l, &at, e) : hide(l, &at, e);
	image_spot_close(&at);
	return r;
}

static int apply_root(
	struct layer *l, struct archive_entry *entry, struct err *e)
{
	struct image_spot at;
	int r;

	if (archive_entry_filetype(entry) != AE_IFDIR ||
		archive_entry_hardlink(entry))
		return err_set(e, -EINVAL, "the root must be a folder");
	r = image_tree_find(l->tree, "", false, &at, e);
	if (r < 0)
		return r;
	r = image_attr_set(&at, entry, l->job, e);
	image_spot_close(&at);
	return r < 0 ? r : put_off(l, "", entry, e);
}

static int apply_plain(struct layer *l, const char *name,
	struct archive_entry *entry, struct err *e)
{
	struct image_spot at;
	int r = image_tree_find(l->tree, name, true, &at, e);

	if (r < 0)
		return r;
	r = image_entry_make(l->tree, &at, l->a, entry, l->job, e);
	if (r < 0 && l->err.code && e)
		*e = l->err;
	if (r == 0 && image_tree_mark(l->tree, at.path) < 0)
		r = err_sys(e, -ENOMEM, "remember it");
	if (r == 0 && archive_entry_filetype(entry) == AE_IFDIR &&
		!archive_entry_hardlink(entry))
		r = put_off(l, at.path, entry, e);
	image_spot_close(&at);
	return r;
}

/* A folder on the way whose name is a marker's. */
static bool is_in_marker(const char *name)
{
	const char *slash;

	for (; (slash = strchr(name, '/')); name = slash + 1)
		if (strncmp(name, HIDE, strlen(HIDE)) == 0)
			return true;
	return false;
}

static int apply_named(struct layer *l, const char *name,
	struct archive_entry *entry, struct err *e)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	bool is_aufs = strncmp(base, AUFS, strlen(AUFS)) == 0;

	if (*name == '\0')
		return apply_root(l, entry, e);
	if (strncmp(name, AUFS, strlen(AUFS)) == 0 && slash)
		return 0;
	if (is_in_marker(name))
		return err_set(e, -EINVAL,
			"names that begin with '" HIDE "' mean whiteouts");
	if (is_aufs && strcmp(base, HIDE_ALL) != 0)
		return 0;
	if (strncmp(base, HIDE, strlen(HIDE)) == 0)
		return apply_marker(l, name, base, e);
	return apply_plain(l, name, entry, e);
}

static int apply_entry(
	struct layer *l, struct archive_entry *entry, struct err *e)
{
	const char *given = archive_entry_pathname(entry);
	char name[IMAGE_PATH_MAX];
	int r = image_job_count(l->job, 0, 1, e);

	if (r < 0)
		return r;
	if (!given || !*given)
		return err_set(e, -EINVAL, "an entry has no name");
	r = image_name_clean(given, name, e);
	if (r == 0)
		r = apply_named(l, name, entry, e);
	if (r < 0 && r != -ECANCELED)
		err_prefix(e, "'%.300s'", given);
	return r;
}

static int apply_entries(struct layer *l, struct err *e)
{
	struct archive_entry *entry;
	int r, rc = 0;

	while (rc == 0) {
		r = archive_read_next_header(l->a, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		if (!image_archive_ok(r))
			return tar_error(l, "no tar archive, or damaged", e);
		rc = apply_entry(l, entry, e);
	}
	return rc;
}

static int read_layer(struct layer *l, struct err *e)
{
	size_t i;
	int r;

	archive_read_support_format_tar(l->a);
	archive_read_support_format_empty(l->a);
	if (archive_read_open(l->a, l, NULL, on_read, NULL) != ARCHIVE_OK)
		return tar_error(l, "no tar archive", e);
	r = apply_entries(l, e);
	for (i = 0; i < l->n_late && r == 0; i++)
		r = set_late(l, &l->late[i], e);
	return r;
}

int image_layer_apply(struct image_tree *t, struct image_stream *s,
	struct image_job *job, struct err *e)
{
	struct layer l = {.tree = t, .stream = s, .job = job};
	int r;

	image_tree_new_layer(t);
	l.a = archive_read_new();
	r = l.a ? read_layer(&l, e) : err_sys(e, -ENOMEM, "read it");
	archive_read_free(l.a);
	while (l.n_late > 0)
		free(l.late[--l.n_late].path);
	free(l.late);
	return r;
}
