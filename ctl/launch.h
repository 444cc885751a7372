/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h - a shim for a place that was filled.
 */
#ifndef WISP_CTL_LAUNCH_H
#define WISP_CTL_LAUNCH_H

#include "ctl/place.h"
#include "ctl/record.h"

/* Starts the shim, waits until calls can be made, and writes down where it
 * listens. The handle is the caller's as soon as it is there, also if this
 * fails. */
int ctl_launch_shim(struct client *c, const struct ctl_place *p,
	struct ctl_record *r, struct client_shim **ret, struct err *e);

#endif
