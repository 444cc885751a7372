/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - one process at a time in a folder.
 */
#ifndef WISP_PLATFORM_LINUX_LOCK_H
#define WISP_PLATFORM_LINUX_LOCK_H

#include "platform/err.h"

/* Makes a folder for this user only (0700), with its parents (0711), and locks
 * it (flock(2)) until host_unlock_dir(). -ETIMEDOUT after timeout_ms. */
int host_lock_dir(const char *dir, int timeout_ms, int *ret, struct err *e);
void host_unlock_dir(int lock);

#endif
