/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.h - points in time, as people and programs write them.
 */
#ifndef WISP_CTL_WHEN_H
#define WISP_CTL_WHEN_H

#include <time.h>

/* "2026-11-21T23:24:41.5Z", also with +01:00 or without seconds' parts (RFC
 * 3339); seconds since 1970, "1795303481.5"; or how long ago: "90s", "10m",
 * "1h30m", "2d". -EINVAL. */
int ctl_when_parse(const char *text, struct timespec *ret);

#endif
