/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "ctl/image/image_platform.h"
#include "ctl/run_options.h"

static int set_files(struct image_options *o, const char *arg, struct err *e)
{
	char *end;

	errno = 0;
	o->max_entries = strtoull(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end || errno || !o->max_entries)
		return err_set(e, -EINVAL,
			"--image-max-files '%s': use a number above 0", arg);
	return 1;
}

int image_options_set(
	struct image_options *o, int opt, const char *arg, struct err *e)
{
	struct image_platform p;

	switch (opt) {
	case IMAGE_OPT_PATH:
		o->path = arg;
		return 1;
	case IMAGE_OPT_TAG:
		o->tag = arg;
		return 1;
	case IMAGE_OPT_PLATFORM:
		o->platform = arg;
		return image_platform_parse(arg, &p, e) < 0 ? -EINVAL : 1;
	case IMAGE_OPT_ENTRYPOINT:
		o->entrypoint = arg;
		return 1;
	case IMAGE_OPT_MAX_SIZE:
		if (ctl_parse_size(arg, &o->max_bytes) < 0 || !o->max_bytes)
			return err_set(e, -EINVAL,
				"--image-max-size '%s': use bytes, or 512k, "
				"64m, 2g",
				arg);
		return 1;
	case IMAGE_OPT_MAX_FILES:
		return set_files(o, arg, e);
	default:
		return 0;
	}
}

int image_options_check(const struct image_options *o, struct err *e)
{
	if (!o->path && (o->tag || o->platform || o->entrypoint ||
				o->max_bytes || o->max_entries))
		return err_set(e, -EINVAL,
			"--tag, --platform, --entrypoint, --image-max-size and "
			"--image-max-files are for --image");
	return 0;
}
