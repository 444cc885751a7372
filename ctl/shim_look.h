/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_look.h - what a shim is, costs, and has lost, seen from outside.
 */
#ifndef WISP_CTL_SHIM_LOOK_H
#define WISP_CTL_SHIM_LOOK_H

#include "ctl/scan.h"
#include "platform/look.h"

/* What a shim can't be without: as bits. */
enum {
	SHIM_LOST_DAEMON = 1, /* nobody listens at its daemon's socket */
	SHIM_LOST_BUNDLE = 2, /* all its bundles are gone, and so its tasks */
	SHIM_LOST_TASK = 4,   /* it is a minute old, and never had a task */
};

struct shim_look {
	const struct scan_shim *shim; /* borrowed */
	char kind[64];      /* "wisp"; of others "runc-v2", "kata-v2", ... */
	char group[128];    /* of its containers, a pod's name; or "" */
	char daemon[512];   /* the daemon's socket, or "" if that is not told */
	int64_t daemon_pid; /* who listens there; 0: not known */
	char daemon_name[32]; /* of that process, or "" */
	bool daemon_listens;
	bool replaced; /* its program is no longer what it was started from */
	size_t tasks;  /* how many of its containers run */
	struct look_memory memory;
	int fds; /* -1: it can't be told */
	unsigned lost;
};

void shim_look(const struct scan_shim *s, struct shim_look *ret);

#endif
