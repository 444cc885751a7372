/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - folders of one's own: with a name that nobody has, and a lock that
 * says that somebody is at work in there.
 */
#ifndef WISP_PLATFORM_LOCK_H
#define WISP_PLATFORM_LOCK_H

struct file_lock;

/* Makes a folder for root alone; the XXXXXX that path ends with become what
 * makes its name a new one (mkdtemp(3)). */
int file_make_new_folder(char *path);

/* A lock that ends with this process, if not before: flock(2) of the folder; on
 * Windows, a file called "lock" in it that nobody else can open, and that is
 * gone with the lock. -EWOULDBLOCK: somebody has it. */
int file_lock_folder(const char *path, struct file_lock **ret);

/* NULL is fine. */
void file_unlock(struct file_lock *l);

#endif
