/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "ctl/image/image_layer.h"

#define MODE_BITS 07777

/* The name as a system call takes it. */
static const char *base_of(const struct image_spot *at)
{
	return *at->base ? at->base : ".";
}

static int set_owner(const struct image_spot *at, struct archive_entry *entry,
	struct image_job *job, struct err *e)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(e, -EINVAL, "the owner %lld:%lld is no owner",
			(long long)uid, (long long)gid);
	if (fchownat(at->dir, base_of(at), (uid_t)uid, (gid_t)gid,
		    AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (!job->ordinary || (errno != EPERM && errno != EINVAL))
		return err_sys(e, -errno, "set the owner %lld:%lld",
			(long long)uid, (long long)gid);
	image_job_skip(job, IMAGE_SKIP_OWNER, at->path);
	return 0;
}

/* Without the owner's own rights a folder could not be filled, or removed. */
static int set_mode(const struct image_spot *at, struct archive_entry *entry,
	const struct image_job *job, struct err *e)
{
	mode_t mode = archive_entry_perm(entry) & MODE_BITS;

	if (archive_entry_filetype(entry) == AE_IFLNK)
		return 0;
	if (job->ordinary && archive_entry_filetype(entry) == AE_IFDIR)
		mode |= 0700;
	if (fchmodat(at->dir, base_of(at), mode, 0) < 0)
		return err_sys(e, -errno, "set the mode %04o", mode);
	return 0;
}

/* What has a meaning in a container, and none for the host: an overlay's or a
 * security module's attributes would have one. */
static bool is_wanted(const char *name)
{
	if (strncmp(name, "user.overlay.", 13) == 0)
		return false;
	return strncmp(name, "user.", 5) == 0 ||
	       strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* Not on this file system, not for this user, not on such a file. */
static bool may_lack(int error, const char *name, const struct image_job *job)
{
	return error == ENOTSUP ||
	       (error == EPERM &&
		       (job->ordinary || strncmp(name, "user.", 5) == 0));
}

/* There is no lsetxattr() that takes a folder's descriptor. */
static int set_xattrs(const struct image_spot *at, struct archive_entry *entry,
	struct image_job *job, struct err *e)
{
	char path[NAME_MAX + 64];
	const char *name;
	const void *value;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at->dir,
		base_of(at));
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &n) ==
		ARCHIVE_OK) {
		if (is_wanted(name) && lsetxattr(path, name, value, n, 0) == 0)
			continue;
		if (is_wanted(name) && !may_lack(errno, name, job))
			return err_sys(e, -errno,
				"set the extended attribute %.80s", name);
		image_job_skip(job, IMAGE_SKIP_XATTR, at->path);
	}
	return 0;
}

/* A change of the owner takes setuid bits and capabilities away, so it comes
 * first. */
int image_attr_set(const struct image_spot *at, struct archive_entry *entry,
	struct image_job *job, struct err *e)
{
	int r = set_owner(at, entry, job, e);

	if (r == 0)
		r = set_mode(at, entry, job, e);
	return r < 0 ? r : set_xattrs(at, entry, job, e);
}

void image_attr_times(struct archive_entry *entry, struct timespec ret[2])
{
	ret[1] = (struct timespec){
		archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
	ret[0] = ret[1];
	if (archive_entry_atime_is_set(entry))
		ret[0] = (struct timespec){archive_entry_atime(entry),
			archive_entry_atime_nsec(entry)};
}

int image_attr_set_times(
	const struct image_spot *at, const struct timespec times[2])
{
	if (utimensat(at->dir, base_of(at), times, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno != EINVAL && errno != EOVERFLOW)
		return -errno;
	return 0; /* a time that a file cannot have is no time */
}
