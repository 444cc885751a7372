/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stats.h"

#include <errno.h>
#include <stdlib.h>

#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "util_test.h"

#define V1 "io.containerd.cgroups.v1.Metrics"
#define V2 "io.containerd.cgroups.v2.Metrics"

/* Packs, then parses. */
static struct client_stats parsed(const char *type, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *data = malloc(n + 1);
	struct client_stats s;

	ck_assert_ptr_nonnull(data);
	protobuf_c_message_pack(m, data);
	ck_assert_int_eq(client_stats_parse(type, data, n, &s), 0);
	free(data);
	return s;
}

START_TEST(test_v1)
{
	Io__Containerd__Cgroups__V1__Metrics m =
		IO__CONTAINERD__CGROUPS__V1__METRICS__INIT;
	Io__Containerd__Cgroups__V1__CPUStat cpu =
		IO__CONTAINERD__CGROUPS__V1__CPUSTAT__INIT;
	Io__Containerd__Cgroups__V1__CPUUsage usage =
		IO__CONTAINERD__CGROUPS__V1__CPUUSAGE__INIT;
	Io__Containerd__Cgroups__V1__Throttle throttle =
		IO__CONTAINERD__CGROUPS__V1__THROTTLE__INIT;
	Io__Containerd__Cgroups__V1__MemoryStat memory =
		IO__CONTAINERD__CGROUPS__V1__MEMORY_STAT__INIT;
	Io__Containerd__Cgroups__V1__MemoryEntry own =
		IO__CONTAINERD__CGROUPS__V1__MEMORY_ENTRY__INIT;
	Io__Containerd__Cgroups__V1__MemoryEntry both = own;
	Io__Containerd__Cgroups__V1__PidsStat pids =
		IO__CONTAINERD__CGROUPS__V1__PIDS_STAT__INIT;
	Io__Containerd__Cgroups__V1__MemoryOomControl oom =
		IO__CONTAINERD__CGROUPS__V1__MEMORY_OOM_CONTROL__INIT;
	Io__Containerd__Cgroups__V1__BlkIOStat io =
		IO__CONTAINERD__CGROUPS__V1__BLK_IOSTAT__INIT;
	Io__Containerd__Cgroups__V1__BlkIOEntry r =
		IO__CONTAINERD__CGROUPS__V1__BLK_IOENTRY__INIT;
	Io__Containerd__Cgroups__V1__BlkIOEntry w = r, total = r;
	Io__Containerd__Cgroups__V1__BlkIOEntry *all[] = {&r, &w, &total, &r};
	struct client_stats s;

	usage.total = 30;
	usage.user = 20;
	usage.kernel = 10;
	throttle.periods = 5;
	throttle.throttled_periods = 4;
	throttle.throttled_time = 3;
	cpu.usage = &usage;
	cpu.throttling = &throttle;
	own.usage = 1000;
	own.max = 1500;
	own.limit = 2000;
	both.usage = 1100;
	both.limit = 2500;
	memory.usage = &own;
	memory.swap = &both;
	memory.total_inactive_file = 77;
	pids.current = 3;
	r.op = "Read";
	r.value = 8;
	w.op = "Write";
	w.value = 9;
	total.op = "Total";
	total.value = 100;
	io.io_service_bytes_recursive = all;
	io.n_io_service_bytes_recursive = 4;
	io.io_serviced_recursive = all;
	io.n_io_serviced_recursive = 3;
	oom.oom_kill = 2;
	m.cpu = &cpu;
	m.memory = &memory;
	m.pids = &pids;
	m.blkio = &io;
	m.memory_oom_control = &oom;
	s = parsed("types.containerd.io/" V1, &m.base);
	ck_assert_uint_eq(s.cgroup, 1);
	ck_assert_uint_eq(s.cpu_ns, 30);
	ck_assert_uint_eq(s.cpu_user_ns, 20);
	ck_assert_uint_eq(s.cpu_kernel_ns, 10);
	ck_assert_uint_eq(s.throttled_ns, 3);
	ck_assert_uint_eq(s.memory, 1000);
	ck_assert_uint_eq(s.memory_max, 1500);
	ck_assert_uint_eq(s.memory_limit, 2000);
	ck_assert_uint_eq(s.memory_inactive_file, 77);
	ck_assert_uint_eq(s.swap, 100);
	ck_assert_uint_eq(s.swap_limit, 500);
	ck_assert_uint_eq(s.pids, 3);
	ck_assert_uint_eq(s.pids_limit, CLIENT_NO_LIMIT);
	ck_assert_uint_eq(s.read_bytes, 16);
	ck_assert_uint_eq(s.write_bytes, 9);
	ck_assert_uint_eq(s.read_ops, 8);
	ck_assert_uint_eq(s.oom_kills, 2);
	own.limit = UINT64_C(9223372036854771712); /* as without a limit */
	s = parsed(V1, &m.base);
	ck_assert_uint_eq(s.memory_limit, CLIENT_NO_LIMIT);
	ck_assert_uint_eq(s.swap_limit, CLIENT_NO_LIMIT);
}
END_TEST

START_TEST(test_v2)
{
	Io__Containerd__Cgroups__V2__Metrics m =
		IO__CONTAINERD__CGROUPS__V2__METRICS__INIT;
	Io__Containerd__Cgroups__V2__CPUStat cpu =
		IO__CONTAINERD__CGROUPS__V2__CPUSTAT__INIT;
	Io__Containerd__Cgroups__V2__MemoryStat memory =
		IO__CONTAINERD__CGROUPS__V2__MEMORY_STAT__INIT;
	Io__Containerd__Cgroups__V2__PidsStat pids =
		IO__CONTAINERD__CGROUPS__V2__PIDS_STAT__INIT;
	Io__Containerd__Cgroups__V2__MemoryEvents events =
		IO__CONTAINERD__CGROUPS__V2__MEMORY_EVENTS__INIT;
	Io__Containerd__Cgroups__V2__IOStat io =
		IO__CONTAINERD__CGROUPS__V2__IOSTAT__INIT;
	Io__Containerd__Cgroups__V2__IOEntry one =
		IO__CONTAINERD__CGROUPS__V2__IOENTRY__INIT;
	Io__Containerd__Cgroups__V2__IOEntry *all[] = {&one, &one};
	struct client_stats s;

	cpu.usage_usec = 3;
	cpu.user_usec = 2;
	cpu.system_usec = 1;
	cpu.throttled_usec = 4;
	memory.usage = 1000;
	memory.usage_limit = UINT64_MAX;
	memory.max_usage = 1500;
	memory.swap_usage = 10;
	memory.swap_limit = 20;
	memory.inactive_file = 77;
	pids.current = 3;
	pids.limit = 100;
	one.rbytes = 8;
	one.wbytes = 9;
	one.rios = 1;
	io.usage = all;
	io.n_usage = 2;
	events.oom = 9;
	events.oom_kill = 2;
	m.cpu = &cpu;
	m.memory = &memory;
	m.pids = &pids;
	m.io = &io;
	m.memory_events = &events;
	s = parsed(V2, &m.base);
	ck_assert_uint_eq(s.cgroup, 2);
	ck_assert_uint_eq(s.cpu_ns, 3000);
	ck_assert_uint_eq(s.cpu_user_ns, 2000);
	ck_assert_uint_eq(s.cpu_kernel_ns, 1000);
	ck_assert_uint_eq(s.throttled_ns, 4000);
	ck_assert_uint_eq(s.memory, 1000);
	ck_assert_uint_eq(s.memory_limit, CLIENT_NO_LIMIT);
	ck_assert_uint_eq(s.memory_max, 1500);
	ck_assert_uint_eq(s.memory_inactive_file, 77);
	ck_assert_uint_eq(s.swap, 10);
	ck_assert_uint_eq(s.swap_limit, 20);
	ck_assert_uint_eq(s.pids, 3);
	ck_assert_uint_eq(s.pids_limit, 100);
	ck_assert_uint_eq(s.read_bytes, 16);
	ck_assert_uint_eq(s.write_bytes, 18);
	ck_assert_uint_eq(s.read_ops, 2);
	ck_assert_uint_eq(s.oom_kills, 2);
}
END_TEST

/* A shim may leave out what its host does not have, or say nonsense. */
START_TEST(test_odd)
{
	struct client_stats s = {.pids = 5};

	ck_assert_int_eq(client_stats_parse(V1, "", 0, &s), 0);
	ck_assert_uint_eq(s.pids, 0);
	ck_assert_uint_eq(s.memory_limit, CLIENT_NO_LIMIT);
	s.pids = 5;
	ck_assert_int_eq(client_stats_parse(V1, "\x0a\xff", 2, &s), -EINVAL);
	ck_assert_int_eq(client_stats_parse(V2, "\x0a\xff", 2, &s), -EINVAL);
	ck_assert_int_eq(client_stats_parse("x", "", 0, &s), -ENOTSUP);
	ck_assert_uint_eq(s.pids, 5);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_v1, test_v2, test_odd, NULL};

	return suite_run("client stats", tests);
}
