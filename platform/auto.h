/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto.h - variables that clean up after themselves when they go out of scope.
 *
 *     auto_free char *path = NULL;
 *     ...
 *     x->path = ptr_take(&path);
 */
#ifndef WISP_PLATFORM_AUTO_H
#define WISP_PLATFORM_AUTO_H

#include <stdlib.h>

static inline void auto_free_ptr(void *p)
{
	free(*(void **)p);
}

#define auto_free __attribute__((cleanup(auto_free_ptr)))

/* Moves a pointer out of its variable, which becomes NULL. */
#define ptr_take(p)                             \
	({                                      \
		__typeof__(*(p)) taken_ = *(p); \
		*(p) = NULL;                    \
		taken_;                         \
	})

#endif
