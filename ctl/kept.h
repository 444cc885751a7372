/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - what `wispctl run` without --rm leaves to be looked at: a bundle
 * with config.json, and the rootfs that was made for it.
 */
#ifndef WISP_CTL_KEPT_H
#define WISP_CTL_KEPT_H

#include "platform/err.h"

/* Removes both. -ENOENT, with no message: there is none of that name, or it
 * belongs to a container that is there. */
int ctl_kept_remove(const char *root, const char *id, struct err *e);

#endif
