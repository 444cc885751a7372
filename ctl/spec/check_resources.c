/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources: limits that the kernel refuses, or that fight each other. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/spec/check.h"

#define LITTLE_MEMORY (4ll << 20)
#define CPU_MAX 65535

static bool number(const struct doc_node *map, const char *key, long long *ret)
{
	return doc_int(doc_get(map, key), ret);
}

static void check_least(struct check *c, const struct doc_node *map,
	const char *key, long long least)
{
	long long n;

	if (number(map, key, &n) && n < least) {
		check_error(c, doc_get(map, key), "%lld must not be below %lld",
			n, least);
		if (least == -1)
			check_hint(c, "-1 is for no limit");
	}
}

static void check_swap(struct check *c, const struct doc_node *m)
{
	const struct doc_node *v = doc_get(m, "swap");
	long long swap, limit = 0;

	if (!doc_int(v, &swap) || swap <= 0)
		return;
	if (!number(m, "limit", &limit) || limit <= 0) {
		check_error(c, v, "is set, but memory.limit is not");
		check_hint(c, "swap is the limit of memory and swap together");
	} else if (swap < limit) {
		check_error(
			c, v, "%lld is below memory.limit, %lld", swap, limit);
		check_hint(c,
			"it is the limit of memory and swap together: "
			"write %lld for no swap",
			limit);
	}
}

static void check_memory(struct check *c, const struct doc_node *m)
{
	static const char *const limits[] = {
		"limit", "reservation", "swap", "kernel", "kernelTCP"};
	long long limit = 0, n;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		check_least(c, m, limits[i], -1);
	check_swap(c, m);
	if (number(m, "limit", &limit) && limit > 0 && limit < LITTLE_MEMORY) {
		check_warn(c, doc_get(m, "limit"),
			"%lld bytes may be too few for the runtime to start a "
			"process",
			limit);
		check_hint(c, "the unit is bytes: 64 MiB is 67108864");
	}
	if (limit > 0 && number(m, "reservation", &n) && n > limit)
		check_warn(c, doc_get(m, "reservation"),
			"%lld is above memory.limit, %lld", n, limit);
	if (number(m, "swappiness", &n) && (unsigned long long)n > 100)
		check_error(c, doc_get(m, "swappiness"),
			"%s must be from 0 to 100",
			doc_get(m, "swappiness")->text);
	if (doc_is_true(doc_get(m, "disableOOMKiller")) && limit <= 0)
		check_warn(c, doc_get(m, "disableOOMKiller"),
			"without memory.limit can bring down the host");
	if (doc_get(m, "kernel"))
		check_warn_key(c, doc_get(m, "kernel"),
			"is not used any more: runtimes ignore it");
}

/* "0-3,7" */
static bool read_cpus(const char *p, unsigned long *max)
{
	unsigned long a, b;
	char *end;

	*max = 0;
	while (true) {
		if (!isdigit((unsigned char)*p))
			return false;
		a = b = strtoul(p, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			b = strtoul(end + 1, &end, 10);
		}
		if (b < a || b > CPU_MAX)
			return false;
		*max = b > *max ? b : *max;
		if (!*end || (*end == '\n' && !end[1]))
			return true;
		if (*end != ',')
			return false;
		p = end + 1;
		p += *p == ' ';
	}
}

static void check_cpu_list(
	struct check *c, const struct doc_node *cpu, const char *key)
{
	const struct doc_node *v = doc_get_type(cpu, key, DOC_STRING);
	long here = sysconf(_SC_NPROCESSORS_CONF);
	unsigned long max;

	if (!v || !*v->text)
		return;
	if (!read_cpus(v->text, &max)) {
		check_error(c, v, "'%.60s' is no list of numbers", v->text);
		check_hint(c, "write them as \"0-3,7\", the lower one first");
	} else if (c->bundle && strcmp(key, "cpus") == 0 && here > 0 &&
		   max >= (unsigned long)here) {
		check_error(c, v, "'%.60s': this host's CPUs are 0 to %ld",
			v->text, here - 1);
	}
}

/* Documentation/scheduler/sched-bwc.rst. */
static void check_cpu_quota(struct check *c, const struct doc_node *cpu)
{
	long long quota = 0, n;

	if (number(cpu, "period", &n) && n != 0 && (n < 1000 || n > 1000000)) {
		check_error(c, doc_get(cpu, "period"),
			"%lld must be from 1000 to 1000000 microseconds", n);
		check_hint(c, "100000 is usual");
	}
	if (number(cpu, "quota", &quota) && quota > 0 && quota < 1000) {
		check_error(c, doc_get(cpu, "quota"),
			"%lld must be at least 1000 microseconds", quota);
		check_hint(c, "it is for each period: half a CPU is 50000 of "
			      "100000");
	}
	if (quota > 0 && number(cpu, "burst", &n) && n > quota)
		check_error(c, doc_get(cpu, "burst"),
			"%lld is above cpu.quota, %lld", n, quota);
}

static void check_cpu(struct check *c, const struct doc_node *cpu)
{
	long long n, period;

	check_least(c, cpu, "quota", -1);
	check_cpu_quota(c, cpu);
	if (number(cpu, "shares", &n) && n != 0 &&
		((unsigned long long)n < 2 || (unsigned long long)n > 262144))
		check_error(c, doc_get(cpu, "shares"),
			"%s must be from 2 to 262144",
			doc_get(cpu, "shares")->text);
	if (number(cpu, "realtimeRuntime", &n) &&
		number(cpu, "realtimePeriod", &period) && n > period)
		check_error(c, doc_get(cpu, "realtimeRuntime"),
			"%lld is above cpu.realtimePeriod, %lld", n, period);
	if (number(cpu, "idle", &n) && n != 0 && n != 1)
		check_error(c, doc_get(cpu, "idle"), "%lld must be 0 or 1", n);
	check_cpu_list(c, cpu, "cpus");
	check_cpu_list(c, cpu, "mems");
}

static void check_weight(
	struct check *c, const struct doc_node *map, const char *key)
{
	long long n;

	if (number(map, key, &n) && n != 0 && (n < 10 || n > 1000))
		check_error(c, doc_get(map, key),
			"%lld must be from 10 to 1000", n);
}

static void check_block_io(struct check *c, const struct doc_node *io)
{
	const struct doc_node *i = doc_get_type(io, "weightDevice", DOC_ARRAY);

	check_weight(c, io, "weight");
	check_weight(c, io, "leafWeight");
	for (i = i ? i->first : NULL; i; i = i->next) {
		check_weight(c, i, "weight");
		check_weight(c, i, "leafWeight");
		if (i->type == DOC_OBJECT && !doc_get(i, "weight") &&
			!doc_get(i, "leafWeight"))
			check_error(c, i, "has neither weight nor leafWeight");
	}
}

static bool is_page_size(const char *p)
{
	if (*p < '1' || *p > '9')
		return false;
	p += strspn(p, "0123456789");
	return *p && strchr("KMG", *p) && strcmp(p + 1, "B") == 0;
}

static void check_huge_pages(struct check *c, const struct doc_node *i)
{
	const struct doc_node *v;

	for (i = i ? i->first : NULL; i; i = i->next) {
		v = doc_get_type(i, "pageSize", DOC_STRING);
		if (!v || is_page_size(v->text))
			continue;
		check_error(c, v, "'%.40s' is no size of a page", v->text);
		check_hint(c, "write it as \"2MB\" or \"1GB\"");
	}
}

static void check_device_rule(struct check *c, const struct doc_node *v)
{
	const struct doc_node *type = doc_get_type(v, "type", DOC_STRING);
	const struct doc_node *access = doc_get_type(v, "access", DOC_STRING);

	if (type && *type->text &&
		(strlen(type->text) != 1 || !strchr("abc", *type->text))) {
		check_error(
			c, type, "'%.20s' is no kind of device", type->text);
		check_hint(c, "use a (all), c or b");
	}
	if (access && strspn(access->text, "rwm") != strlen(access->text)) {
		check_error(c, access,
			"'%.20s' has letters other than r, w "
			"and m",
			access->text);
		check_hint(c, "read, write, mknod");
	}
	check_least(c, v, "major", -1);
	check_least(c, v, "minor", -1);
}

static void check_unified(struct check *c, const struct doc_node *i)
{
	for (i = i ? i->first : NULL; i; i = i->next)
		if (strchr(i->key, '/'))
			check_error(c, i,
				"must be the name of a file in the "
				"cgroup");
}

static void check_rdma(struct check *c, const struct doc_node *i)
{
	for (i = i ? i->first : NULL; i; i = i->next)
		if (i->type == DOC_OBJECT && !doc_get(i, "hcaHandles") &&
			!doc_get(i, "hcaObjects"))
			check_error(
				c, i, "has neither hcaHandles nor hcaObjects");
}

void check_resources(struct check *c)
{
	const struct doc_node *r = doc_get_type(
		doc_get(c->doc.top, "linux"), "resources", DOC_OBJECT);
	const struct doc_node *i;

	if (!r || c->os == CHECK_WINDOWS)
		return;
	check_memory(c, doc_get_type(r, "memory", DOC_OBJECT));
	check_cpu(c, doc_get_type(r, "cpu", DOC_OBJECT));
	check_least(c, doc_get_type(r, "pids", DOC_OBJECT), "limit", -1);
	check_block_io(c, doc_get_type(r, "blockIO", DOC_OBJECT));
	check_huge_pages(c, doc_get_type(r, "hugepageLimits", DOC_ARRAY));
	i = doc_get_type(r, "devices", DOC_ARRAY);
	for (i = i ? i->first : NULL; i; i = i->next)
		check_device_rule(c, i);
	check_unified(c, doc_get_type(r, "unified", DOC_OBJECT));
	check_rdma(c, doc_get_type(r, "rdma", DOC_OBJECT));
}
