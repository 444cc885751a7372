/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - what a mount says of the ones before it.
 *
 * containerd's docs/mounts.md, "Format Transformer": Go templates, of which
 * only these are known there and here,
 *
 *     {{ source N }}  {{ target N }}  {{ mount N }}  {{ overlay FROM TO }}
 *
 * N counts from 0; mount is where it is mounted, overlay the places of a range
 * with ':' between them, backwards if FROM is above TO. Spaces may be more or
 * fewer; nothing else of Go's language is understood.
 */
#ifndef WISP_PLATFORM_LINUX_TEMPLATE_H
#define WISP_PLATFORM_LINUX_TEMPLATE_H

#include <stddef.h>

#include "platform/err.h"

struct template_mount {
	const char *source, *target, *point;
};

/* text with all that filled in from the n mounts, in fresh memory. *room is
 * how many bytes it may become, and is what is left then: a short text can ask
 * for a very long one. -EINVAL quotes what is not understood, or out of range;
 * -E2BIG; -ENOMEM. */
int template_fill(const char *text, const struct template_mount *mounts,
	size_t n, size_t *room, char **ret, struct err *e);

#endif
