/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own.h - the containers below the root folder.
 */
#ifndef WISP_CTL_OWN_H
#define WISP_CTL_OWN_H

#include <stddef.h>

#include "platform/err.h"

struct ctl_own {
	char **ids; /* in their alphabet's order */
	size_t n;
};

/* root NULL: see ctl_place_init(). That there is none is fine. To be cleared,
 * also after an error. */
int ctl_own_list(struct ctl_own *ret, const char *root, struct err *e);
void ctl_own_clear(struct ctl_own *o);

#endif
