/* SPDX-License-Identifier: Apache-2.0 */
#include "client/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int client_fifo_make(const char *path, struct err *e)
{
	if (mkfifo(path, 0600) < 0)
		return err_sys(e, -errno, "make FIFO '%s'", path);
	return 0;
}

static int fifo_open(const char *path, int how, struct err *e)
{
	int fd = open(path, how | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? err_sys(e, -errno, "open FIFO '%s'", path) : fd;
}

int client_fifo_open_output(const char *path, struct err *e)
{
	return fifo_open(path, O_RDONLY, e);
}

int client_fifo_open_input(const char *path, struct err *e)
{
	return fifo_open(path, O_RDWR, e);
}
