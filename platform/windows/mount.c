/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/mount.h"

#include <errno.h>

/* A "windows-layer" is made by the host compute service. A rootfs that is a
 * plain folder, which a host-process container has, needs no mount. */
int mount_all(const struct mount_spec *m, size_t n, const char *root,
	const char *scratch, struct err *e)
{
	(void)root;
	(void)scratch;
	if (n == 0)
		return 0;
	return err_set(e, -ENOSYS,
		"mount of type '%s': only a rootfs without mounts is "
		"supported on Windows",
		m->type);
}

int mount_undo_all(const char *root, const char *scratch, struct err *e)
{
	(void)root;
	(void)scratch;
	(void)e;
	return 0;
}

int mount_undo(const char *target, struct err *e)
{
	(void)target;
	(void)e;
	return 0;
}
