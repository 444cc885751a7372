/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/details.h"

#include <errno.h>

int details_take(struct details **ret)
{
	(void)ret;
	return -ENOSYS;
}

int details_find(
	const struct details *d, int64_t pid, struct process_details *ret)
{
	(void)d;
	(void)pid;
	(void)ret;
	return -ENOSYS;
}

void details_free(struct details *d)
{
	(void)d;
}
