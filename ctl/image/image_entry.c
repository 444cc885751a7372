/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ctl/image/image_layer.h"
#include "ctl/image/image_store.h"

/* Everything but data is written later; holes stay holes. */
static int write_at(int fd, const char *data, size_t n, la_int64_t at)
{
	ssize_t w;

	for (; n > 0; data += w, at += w, n -= (size_t)w) {
		w = pwrite(fd, data, n, at);
		if (w < 0 && errno != EINTR)
			return -errno;
		if (w < 0)
			w = 0;
	}
	return 0;
}

static int write_data(int fd, struct archive *a, struct err *e)
{
	const void *data;
	la_int64_t at;
	size_t n;
	int r, rc;

	for (;;) {
		r = archive_read_data_block(a, &data, &n, &at);
		if (r == ARCHIVE_EOF)
			return 0;
		if (!image_archive_ok(r))
			return image_archive_error(a, "", e);
		rc = write_at(fd, data, n, at);
		if (rc < 0)
			return err_sys(e, rc, "write it");
	}
}

static int make_file(const struct image_spot *at, struct archive *a,
	struct archive_entry *entry, struct err *e)
{
	int fd = openat(at->dir, at->base,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, -errno, "make it");
	r = write_data(fd, a, e);
	if (r == 0 && ftruncate(fd, archive_entry_size(entry)) < 0)
		r = err_sys(e, -errno, "give it its size");
	if (close(fd) < 0 && r == 0)
		r = err_sys(e, -errno, "write it");
	return r;
}

static int make_hard_link(struct image_tree *t, const struct image_spot *at,
	const char *to, struct err *e)
{
	char name[IMAGE_PATH_MAX];
	struct image_spot target = {.dir = -1};
	struct stat st;
	int r = image_name_clean(to, name, e);

	if (r == 0)
		r = image_tree_find(t, name, false, &target, e);
	if (r < 0 || !target.base)
		return err_prefix(e, "hard link to '%.200s'", to);
	if (fstatat(target.dir, target.base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	else if (strcmp(target.path, at->path) != 0)
		r = image_tree_remove(at, NULL);
	if (r == 0 && strcmp(target.path, at->path) != 0 &&
		linkat(target.dir, target.base, at->dir, at->base, 0) < 0)
		r = -errno;
	if (r < 0)
		err_sys(e, r, "hard link to '%.200s'", to);
	image_spot_close(&target);
	return r;
}

/* 1: it is left out. */
static int make_device(const struct image_spot *at, struct archive_entry *entry,
	struct image_job *job, struct err *e)
{
	mode_t type = archive_entry_filetype(entry);
	dev_t dev = type == AE_IFIFO ? 0
				     : makedev(archive_entry_rdevmajor(entry),
					       archive_entry_rdevminor(entry));

	if (mknodat(at->dir, at->base, type | 0600, dev) == 0)
		return 0;
	if (errno != EPERM || !job->ordinary || type == AE_IFIFO)
		return err_sys(e, -errno, "make the %s",
			type == AE_IFIFO ? "FIFO" : "device");
	image_job_skip(job, IMAGE_SKIP_DEVICE, at->path);
	return 1;
}

static int make_folder(const struct image_spot *at, struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(at->dir, at->base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode))
		return 0;
	r = image_tree_remove(at, e);
	if (r == 0 && mkdirat(at->dir, at->base, 0700) < 0)
		r = err_sys(e, -errno, "make the folder");
	return r;
}

static int make_new(const struct image_spot *at, struct archive *a,
	struct archive_entry *entry, struct image_job *job, struct err *e)
{
	const char *to = archive_entry_symlink(entry);
	int r = image_tree_remove(at, e);

	if (r < 0)
		return r;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(at, a, entry, e);
	case AE_IFLNK:
		if (!to || !*to)
			return err_set(e, -EINVAL, "the link leads nowhere");
		return symlinkat(to, at->dir, at->base) < 0
			       ? err_sys(e, -errno, "make the link")
			       : 0;
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return make_device(at, entry, job, e);
	default: /* no archive of the kinds that are read has it */
		image_job_skip(job, IMAGE_SKIP_SOCKET, at->path);
		return 1;
	}
}

int image_entry_make(struct image_tree *t, const struct image_spot *at,
	struct archive *a, struct archive_entry *entry, struct image_job *job,
	struct err *e)
{
	const char *to = archive_entry_hardlink(entry);
	bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;
	struct timespec times[2];
	int r;

	if (to)
		return make_hard_link(t, at, to, e);
	r = is_folder ? make_folder(at, e) : make_new(at, a, entry, job, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = image_attr_set(at, entry, job, e);
	if (r < 0 || is_folder)
		return r;
	image_attr_times(entry, times);
	r = image_attr_set_times(at, times);
	return r < 0 ? err_sys(e, r, "set its times") : 0;
}
