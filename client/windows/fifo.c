/* SPDX-License-Identifier: Apache-2.0 */
#include "client/fifo.h"

/* A pipe is made by who serves it, and goes with its last end. */
int client_fifo_make(const char *path, struct err *e)
{
	(void)path;
	(void)e;
	return 0;
}
