/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locate.h - find the shim of a container, whoever started it.
 *
 * scan.h tells all shims; here is the one that has a container, and the way to
 * talk to it.
 */
#ifndef WISP_CTL_LOCATE_H
#define WISP_CTL_LOCATE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/shim.h"
#include "platform/err.h"

struct ctl_shim {
	int64_t pid; /* 0: not known */
	char ns[128];
	char id[128];      /* of the container that was asked for, in full */
	char bundle[1024]; /* its folder, as the shim's process sees it */
	char via[512];     /* the same, as we can open it; "" if it is gone */
	char address[512]; /* of the shim; "" if its bundle does not tell */
	unsigned version;  /* of its API */
	bool takes_signal; /* SIGUSR1 has it write a dump */
};

/* id may be the beginning of one, if there is only one such. ns NULL: any.
 * -ENOENT; -EEXIST: there are several, which the message names. */
int ctl_locate(
	const char *ns, const char *id, struct ctl_shim *ret, struct err *e);

/* The same for a container that a scan has found. */
struct scan_container;
struct scan_shim;
void ctl_locate_take(const struct scan_shim *shim,
	const struct scan_container *c, struct ctl_shim *ret);

/* Connects to it. As client_shim_connect(). s must outlive the connection. */
int ctl_locate_connect(struct client *c, const struct ctl_shim *s,
	struct client_shim **ret, struct err *e);

#endif
