/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - numbers of a container as a message that a client understands.
 */
#ifndef WISP_SHIM_STATS_H
#define WISP_SHIM_STATS_H

#include <stddef.h>
#include <stdint.h>

struct stat_sink;

/* Runs read() once, with a sink that packs what it is told as protobuf. *ret is
 * freshly allocated; it may be NULL when *ret_n is 0. -ENOMEM. */
int metrics_pack(void (*read)(void *arg, struct stat_sink *sink), void *arg,
	uint8_t **ret, size_t *ret_n);

#endif
