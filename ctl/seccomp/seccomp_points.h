/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_points.h - the arguments with which a profile's verdict on a call may
 * change: about the values in its conditions, bit by bit for masks.
 */
#ifndef WISP_CTL_SECCOMP_POINTS_H
#define WISP_CTL_SECCOMP_POINTS_H

#include "ctl/seccomp/seccomp_profile.h"
#include "platform/seccomp.h"

typedef void (*sec_point_cb)(const struct seccomp_call *call, void *arg);

/* call has architecture and number; its arguments are varied. */
void sec_points_each(const struct sec_profile *p, const char *name,
	const struct seccomp_call *call, sec_point_cb cb, void *arg);

#endif
