/* SPDX-License-Identifier: Apache-2.0 */
/*
 * details.h - what the system knows of all its processes, at one moment.
 *
 * Windows: NtQuerySystemInformation(SystemProcessInformation), as hcsshim has
 * it. On Linux nobody asks: -ENOSYS.
 */
#ifndef WISP_PLATFORM_DETAILS_H
#define WISP_PLATFORM_DETAILS_H

#include <stdint.h>
#include <time.h>

struct process_details {
	char image[1024]; /* the program's name, without its folder */
	struct timespec born;
	uint64_t user_100ns, kernel_100ns;
	uint64_t commit_bytes;
	/* of what is in memory: its own, and what others have, too */
	uint64_t private_bytes, shared_bytes;
};

struct details;
int details_take(struct details **ret);

/* -ESRCH: there was none. */
int details_find(
	const struct details *d, int64_t pid, struct process_details *ret);

/* NULL is fine. */
void details_free(struct details *d);

#endif
