/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "platform/linux/fd.h"

/* Between finding a free device and taking it, others may take it. */
#define TRIES 100

/* LOOP_CONFIGURE is one step, since Linux 5.8; before, it was two. */
static int configure(int dev, int file, unsigned flags)
{
	struct loop_config config = {.fd = (unsigned)file};
	int r;

	config.info.lo_flags = flags;
	if (ioctl(dev, LOOP_CONFIGURE, &config) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOTTY && errno != ENOSYS)
		return -errno;
	if (ioctl(dev, LOOP_SET_FD, file) < 0)
		return -errno;
	if (ioctl(dev, LOOP_SET_STATUS64, &config.info) == 0)
		return 0;
	r = -errno;
	ioctl(dev, LOOP_CLR_FD, 0);
	return r;
}

static int attach_one(
	int control, int file, unsigned flags, char *buf, size_t n)
{
	int index = ioctl(control, LOOP_CTL_GET_FREE), r;
	auto_fd int dev = -1;

	if (index < 0)
		return -errno;
	snprintf(buf, n, "/dev/loop%d", index);
	dev = open(buf,
		(flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (dev < 0)
		return -errno;
	r = configure(dev, file, flags);
	return r < 0 ? r : fd_take(&dev);
}

int loop_attach(const char *file, bool read_only, bool direct, char *buf,
	size_t n, struct err *e)
{
	unsigned flags = LO_FLAGS_AUTOCLEAR |
			 (read_only ? LO_FLAGS_READ_ONLY : 0) |
			 (direct ? LO_FLAGS_DIRECT_IO : 0);
	auto_fd int control = -1, fd = -1;
	int i, r = -EBUSY;

	fd = open(file, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "image '%s'", file);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return err_sys(e, -errno, "/dev/loop-control");
	for (i = 0; i < TRIES && r == -EBUSY; i++)
		r = attach_one(control, fd, flags, buf, n);
	return r < 0 ? err_sys(e, r, "loop device for '%s'", file) : r;
}
