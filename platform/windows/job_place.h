/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_place.h - the folder that containers' files are in, as C:\hpc.
 *
 * What is run from in there runs as whoever a container runs as, so nobody else
 * may put anything there. But below C:\ every user may make folders, and what
 * is made there lets every user change what is in it.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_PLACE_H
#define WISP_PLATFORM_WINDOWS_JOB_PLACE_H

#include "platform/err.h"

/* Makes it for SYSTEM and administrators, others may read; what is above it, as
 * it comes. One that is there must be theirs, or this process's user's: -EPERM.
 */
int place_make(const char *path, struct err *e);

#endif
