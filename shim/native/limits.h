/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - the limits of a container, out of config.json.
 *
 * They are in windows.resources (config-windows.md) and in annotations, which
 * win (hcsshim: pkg/annotations):
 *
 *   io.microsoft.container.memory.sizeinmb
 *   io.microsoft.container.processor.count, .limit, .weight
 *   io.microsoft.container.storage.qos.bandwidthmaximum, .iopsmaximum
 *
 * 0 is none. A value that is no whole number, or too large for what it is, is
 * an error: a limit must not get lost.
 */
#ifndef WISP_SHIM_NATIVE_LIMITS_H
#define WISP_SHIM_NATIVE_LIMITS_H

#include "platform/container.h"
#include "platform/json.h"

struct native_limits {
	struct container_limits spec, annotated;
	char wrong[192]; /* the first bad one; "": all are fine */
};

/* A value of config.json with its path; those that are no limits are ignored.
 */
void native_limits_value(struct native_limits *l, const char *path,
	enum json_type type, const char *text, size_t n);

/* Both as one. -EINVAL names the bad one. */
int native_limits_merge(const struct native_limits *l,
	struct container_limits *ret, struct err *e);

/* The limits of resources as JSON in a file (config-windows.md, "resources");
 * what is not in it stays as it is. A new CPU limit replaces an old one of
 * another kind. */
int native_limits_read(
	const char *path, struct container_limits *to, struct err *e);

#endif
