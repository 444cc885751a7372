/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shims_show.h - shims as people, or programs, read them. On stdout.
 */
#ifndef WISP_CTL_SHIMS_SHOW_H
#define WISP_CTL_SHIMS_SHOW_H

#include "ctl/shim_look.h"

/* A table and a line of totals. -ENOMEM. */
int shims_show(const struct shim_look *looks, size_t n);

/* {"shims": [...], "total": {...}}. -ENOMEM. */
int shims_show_json(const struct shim_look *looks, size_t n);

#endif
