/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_wide.h - a stack of layers in the form that vmcompute.dll takes.
 */
#ifndef WISP_PLATFORM_WINDOWS_LAYER_WIDE_H
#define WISP_PLATFORM_WINDOWS_LAYER_WIDE_H

#include "platform/windows/layer.h"
#include "platform/windows/layer_api.h"

struct layer_wide {
	wchar_t *scratch, **paths; /* paths: what descriptors borrow */
	struct layer_descriptor *parents;
	ULONG n;
};

/* Fresh memory, with '\\' for '/'. -EINVAL if it is not UTF-8. */
int layer_widen(const char *path, wchar_t **ret, struct err *e);

/* w is zeroed before, and needs layer_wide_clear() also on failure. -EINVAL:
 * a read-only layer is not there. */
int layer_wide_fill(const struct layer_api *api, const struct layer_stack *s,
	struct layer_wide *w, struct err *e);
void layer_wide_clear(struct layer_wide *w);

#endif
