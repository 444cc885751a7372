/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stats.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "client/handle.h"
#include "client/messages.h"

#define V1 "io.containerd.cgroups.v1.Metrics"
#define V2 "io.containerd.cgroups.v2.Metrics"
#define US 1000u
/* memory.limit_in_bytes of cgroup v1 without a limit is the greatest number of
 * whole pages that fits: a few PiB are no limit, either. */
#define V1_NO_LIMIT (UINT64_C(1) << 60)

typedef Io__Containerd__Cgroups__V1__Metrics MetricsV1;
typedef Io__Containerd__Cgroups__V2__Metrics MetricsV2;
typedef Io__Containerd__Cgroups__V1__BlkIOEntry BlkIOEntry;

static uint64_t v1_limit(uint64_t limit)
{
	return limit >= V1_NO_LIMIT ? CLIENT_NO_LIMIT : limit;
}

static void v1_cpu(
	const Io__Containerd__Cgroups__V1__CPUStat *c, struct client_stats *s)
{
	if (c->usage) {
		s->cpu_ns = c->usage->total;
		s->cpu_user_ns = c->usage->user;
		s->cpu_kernel_ns = c->usage->kernel;
	}
	if (c->throttling) {
		s->periods = c->throttling->periods;
		s->throttled_periods = c->throttling->throttled_periods;
		s->throttled_ns = c->throttling->throttled_time;
	}
}

/* The swap of v1 is memory and swap together. */
static void v1_swap(const Io__Containerd__Cgroups__V1__MemoryEntry *both,
	struct client_stats *s)
{
	uint64_t limit = v1_limit(both->limit);

	if (both->usage > s->memory)
		s->swap = both->usage - s->memory;
	if (limit == CLIENT_NO_LIMIT || s->memory_limit == CLIENT_NO_LIMIT)
		s->swap_limit = CLIENT_NO_LIMIT;
	else if (limit > s->memory_limit)
		s->swap_limit = limit - s->memory_limit;
}

static void v1_memory(const Io__Containerd__Cgroups__V1__MemoryStat *m,
	struct client_stats *s)
{
	s->memory_inactive_file = m->total_inactive_file;
	if (m->usage) {
		s->memory = m->usage->usage;
		s->memory_max = m->usage->max;
		s->memory_limit = v1_limit(m->usage->limit);
	}
	if (m->swap)
		v1_swap(m->swap, s);
}

static void v1_entries(BlkIOEntry *const *entries, size_t n, uint64_t *ret_read,
	uint64_t *ret_write)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcasecmp(entries[i]->op, "read") == 0)
			*ret_read += entries[i]->value;
		else if (strcasecmp(entries[i]->op, "write") == 0)
			*ret_write += entries[i]->value;
	}
}

static int parse_v1(const void *value, size_t n, struct client_stats *s)
{
	MetricsV1 *m =
		io__containerd__cgroups__v1__metrics__unpack(NULL, n, value);

	if (!m)
		return -EINVAL;
	s->cgroup = 1;
	if (m->cpu)
		v1_cpu(m->cpu, s);
	if (m->memory)
		v1_memory(m->memory, s);
	if (m->pids) {
		s->pids = m->pids->current;
		s->pids_limit =
			m->pids->limit ? m->pids->limit : CLIENT_NO_LIMIT;
	}
	if (m->blkio) {
		v1_entries(m->blkio->io_service_bytes_recursive,
			m->blkio->n_io_service_bytes_recursive, &s->read_bytes,
			&s->write_bytes);
		v1_entries(m->blkio->io_serviced_recursive,
			m->blkio->n_io_serviced_recursive, &s->read_ops,
			&s->write_ops);
	}
	if (m->memory_oom_control)
		s->oom_kills = m->memory_oom_control->oom_kill;
	io__containerd__cgroups__v1__metrics__free_unpacked(m, NULL);
	return 0;
}

static void v2_cpu(
	const Io__Containerd__Cgroups__V2__CPUStat *c, struct client_stats *s)
{
	s->cpu_ns = c->usage_usec * US;
	s->cpu_user_ns = c->user_usec * US;
	s->cpu_kernel_ns = c->system_usec * US;
	s->periods = c->nr_periods;
	s->throttled_periods = c->nr_throttled;
	s->throttled_ns = c->throttled_usec * US;
}

static void v2_memory(const Io__Containerd__Cgroups__V2__MemoryStat *m,
	struct client_stats *s)
{
	s->memory = m->usage;
	s->memory_max = m->max_usage;
	s->memory_limit = m->usage_limit;
	s->memory_inactive_file = m->inactive_file;
	s->swap = m->swap_usage;
	s->swap_limit = m->swap_limit;
}

static void v2_io(
	const Io__Containerd__Cgroups__V2__IOStat *io, struct client_stats *s)
{
	size_t i;

	for (i = 0; i < io->n_usage; i++) {
		s->read_bytes += io->usage[i]->rbytes;
		s->read_ops += io->usage[i]->rios;
		s->write_bytes += io->usage[i]->wbytes;
		s->write_ops += io->usage[i]->wios;
	}
}

static int parse_v2(const void *value, size_t n, struct client_stats *s)
{
	MetricsV2 *m =
		io__containerd__cgroups__v2__metrics__unpack(NULL, n, value);

	if (!m)
		return -EINVAL;
	s->cgroup = 2;
	if (m->cpu)
		v2_cpu(m->cpu, s);
	if (m->memory)
		v2_memory(m->memory, s);
	if (m->pids) {
		s->pids = m->pids->current;
		s->pids_limit =
			m->pids->limit ? m->pids->limit : CLIENT_NO_LIMIT;
	}
	if (m->io)
		v2_io(m->io, s);
	if (m->memory_events)
		s->oom_kills = m->memory_events->oom_kill;
	io__containerd__cgroups__v2__metrics__free_unpacked(m, NULL);
	return 0;
}

int client_stats_parse(const char *type_url, const void *value, size_t n,
	struct client_stats *ret)
{
	struct client_stats s = {
		.memory_limit = CLIENT_NO_LIMIT, .pids_limit = CLIENT_NO_LIMIT};
	const char *type = strrchr(type_url, '/');
	int r = -ENOTSUP;

	type = type ? type + 1 : type_url;
	if (strcmp(type, V1) == 0)
		r = parse_v1(value, n, &s);
	else if (strcmp(type, V2) == 0)
		r = parse_v2(value, n, &s);
	if (r == 0)
		*ret = s;
	return r;
}

static int apply_stats(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__StatsResponse *a = (const void *)m;

	(void)owner;
	if (!a->stats ||
		client_stats_parse(a->stats->type_url, a->stats->value.data,
			a->stats->value.len, ret) < 0)
		return -EREMOTEIO;
	return 0;
}

int client_task_stats(struct client_task *t, struct client_stats *ret,
	client_cb cb, void *arg)
{
	Containerd__Task__V3__StatsRequest q =
		CONTAINERD__TASK__V3__STATS_REQUEST__INIT;
	struct client_call call = {.method = "Stats",
		.request = &q.base,
		.apply = apply_stats,
		.ret = ret,
		.cb = cb,
		.arg = arg};

	q.id = (char *)t->container->id;
	return client_process_call(&t->init, &call);
}
