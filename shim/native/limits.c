/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"

#define RESOURCES_MAX (1024 * 1024)
#define RESOURCES "windows.resources."
#define ANNOTATION "annotations.io.microsoft.container."
#define AT(member) offsetof(struct container_limits, member)

static const struct limit {
	const char *resource, *annotation;
	size_t at;
	bool wide;      /* 64 bits */
	unsigned shift; /* of the annotation, to the left */
} limits[] = {
	{"memory.limit", "memory.sizeinmb", AT(memory_bytes), true, 20},
	{"cpu.count", "processor.count", AT(cpu_count), false, 0},
	{"cpu.maximum", "processor.limit", AT(cpu_maximum), false, 0},
	{"cpu.shares", "processor.weight", AT(cpu_weight), false, 0},
	{"storage.bps", "storage.qos.bandwidthmaximum", AT(io_bandwidth), true,
		0},
	{"storage.iops", "storage.qos.iopsmaximum", AT(io_operations), true, 0},
};

/* Only digits, and no more than max. */
static bool number(const char *text, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || v > (max - digit) / 10)
			return false;
		v = 10 * v + digit;
	}
	*ret = v;
	return n > 0;
}

static void set(struct native_limits *l, const struct limit *limit,
	bool annotated, const char *path, const char *text, size_t n)
{
	uint64_t max = limit->wide ? UINT64_MAX : UINT32_MAX, v;
	unsigned shift = annotated ? limit->shift : 0;
	char *at = (char *)(annotated ? &l->annotated : &l->spec) + limit->at;

	if (!number(text, n, max >> shift, &v)) {
		if (!*l->wrong)
			snprintf(l->wrong, sizeof(l->wrong),
				"'%s' is '%.*s', but it must be a number from "
				"0 to %llu",
				path, n < 40 ? (int)n : 40, text,
				(unsigned long long)(max >> shift));
		return;
	}
	if (limit->wide)
		*(uint64_t *)(void *)at = v << shift;
	else
		*(uint32_t *)(void *)at = (uint32_t)v;
}

void native_limits_value(struct native_limits *l, const char *path,
	enum json_type type, const char *text, size_t n)
{
	bool annotated = strncmp(path, ANNOTATION, strlen(ANNOTATION)) == 0;
	const char *prefix = annotated ? ANNOTATION : RESOURCES, *name;
	size_t i;

	if (type == JSON_NULL || type == JSON_OBJECT ||
		strncmp(path, prefix, strlen(prefix)) != 0)
		return;
	name = path + strlen(prefix);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(name, annotated ? limits[i].annotation
					   : limits[i].resource) == 0)
			set(l, &limits[i], annotated, path, text, n);
}

static void take(struct container_limits *to, const struct container_limits *x)
{
	if (x->memory_bytes)
		to->memory_bytes = x->memory_bytes;
	if (x->io_bandwidth)
		to->io_bandwidth = x->io_bandwidth;
	if (x->io_operations)
		to->io_operations = x->io_operations;
}

int native_limits_merge(const struct native_limits *l,
	struct container_limits *ret, struct err *e)
{
	if (*l->wrong)
		return err_set(e, -EINVAL, "%s", l->wrong);
	*ret = l->spec;
	take(ret, &l->annotated);
	if (l->annotated.cpu_count)
		ret->cpu_count = l->annotated.cpu_count;
	if (l->annotated.cpu_maximum)
		ret->cpu_maximum = l->annotated.cpu_maximum;
	if (l->annotated.cpu_weight)
		ret->cpu_weight = l->annotated.cpu_weight;
	return 0;
}

static void on_resource(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	char full[JSON_PATH_MAX + 32];

	snprintf(full, sizeof(full), RESOURCES "%s", path);
	native_limits_value(arg, full, type, text, n);
}

int native_limits_read(
	const char *path, struct container_limits *to, struct err *e)
{
	struct native_limits l = {0};
	struct container_limits now = {0};
	auto_free char *text = NULL;
	size_t n;
	int r = file_read(path, RESOURCES_MAX, &text, &n, e);

	if (r == 0)
		r = json_scan(text, n, on_resource, &l, e);
	if (r == 0)
		r = native_limits_merge(&l, &now, e);
	if (r < 0)
		return r;
	take(to, &now);
	if (now.cpu_count || now.cpu_maximum || now.cpu_weight) {
		to->cpu_count = now.cpu_count;
		to->cpu_maximum = now.cpu_maximum;
		to->cpu_weight = now.cpu_weight;
	}
	return 0;
}
