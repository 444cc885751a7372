/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_job.h"

#include <errno.h>
#include <stdio.h>

#include "ctl/say.h"

int image_job_count(
	struct image_job *j, uint64_t bytes, uint64_t entries, struct err *e)
{
	j->bytes += bytes;
	j->entries += entries;
	if (j->bytes > j->max_bytes)
		return err_set(e, -EFBIG,
			"the image unpacks to more than %llu bytes; allow more "
			"with --image-max-size",
			(unsigned long long)j->max_bytes);
	if (j->entries > j->max_entries)
		return err_set(e, -EFBIG,
			"the image has more than %llu entries; allow more with "
			"--image-max-files",
			(unsigned long long)j->max_entries);
	return j->tick ? j->tick(j, e) : 0;
}

void image_job_skip(struct image_job *j, enum image_skip what, const char *name)
{
	if (j->skipped[what]++ == 0)
		snprintf(j->first[what], sizeof(j->first[what]), "%s", name);
}

void image_job_warn(const struct image_job *j, const char *name)
{
	static const char *const said[] = {
		[IMAGE_SKIP_OWNER] = "owners cannot be set by this user, and "
				     "are this user instead",
		[IMAGE_SKIP_DEVICE] =
			"devices cannot be made by this user, and are left out",
		[IMAGE_SKIP_XATTR] = "extended attributes cannot be set here, "
				     "and are left out",
		[IMAGE_SKIP_SOCKET] = "sockets are left out",
	};
	size_t i;

	for (i = 0; i < IMAGE_N_SKIPS; i++)
		if (j->skipped[i])
			ctl_say("warning: --image '%s': %s (%u, the first is "
				"'%s')",
				name, said[i], j->skipped[i], j->first[i]);
}
