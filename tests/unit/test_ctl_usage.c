/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/usage.h"

#include <string.h>

#include "platform/linux/cgroup_stats.h"
#include "util_test.h"

START_TEST(test_v2)
{
	struct usage_reader r;
	struct usage u;

	put_text(
		"cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n");
	put_text("memory.stat", "anon 1\ninactive_file 4096\nfile 7\n");
	put_text("memory.current", "12288\n");
	put_text("memory.max", "max\n");
	put_text("pids.current", "3\n");
	put_text("pids.max", "77\n");
	put_text("io.stat", "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 "
			    "dios=0\n8:16 rbytes=1 wbytes=2 rios=3 wios=4\n");
	usage_begin(&r);
	cgroup_stats_v2(".", &r.sink);
	usage_take(&r, CGROUP_V2, &u);
	ck_assert(u.has_cpu && u.has_memory && u.has_io && u.has_pids);
	ck_assert_uint_eq(u.cpu_ns, 2500000000);
	ck_assert_uint_eq(u.memory, 12288);
	ck_assert_uint_eq(u.working_set, 8192);
	ck_assert_uint_eq(u.memory_limit, USAGE_NO_LIMIT);
	ck_assert_uint_eq(u.read, 101);
	ck_assert_uint_eq(u.written, 22);
	ck_assert_uint_eq(u.pids, 3);
	ck_assert_uint_eq(u.pids_limit, 77);
}
END_TEST

START_TEST(test_v1)
{
	struct cgroup_dirs dirs;
	struct usage_reader r;
	struct usage u;
	int i;

	for (i = 0; i < CGROUP_V1_DIRS; i++)
		dirs.v1[i] = (char *)".";
	put_text("cpuacct.usage", "2500000000\n");
	put_text("memory.stat", "inactive_file 1\ntotal_inactive_file 4096\n");
	put_text("memory.usage_in_bytes", "12288\n");
	put_text("memory.limit_in_bytes", "9223372036854771712\n");
	put_text("memory.memsw.usage_in_bytes", "99999\n");
	put_text("memory.memsw.limit_in_bytes", "99999\n");
	put_text("pids.current", "3\n");
	put_text("pids.max", "max\n");
	put_text("blkio.throttle.io_service_bytes",
		"8:0 Read 100\n8:0 Write 20\n8:0 Sync 5\n8:0 Total 125\n"
		"8:16 Read 1\nTotal 126\n");
	usage_begin(&r);
	cgroup_stats_v1(&dirs, "none", &r.sink);
	usage_take(&r, CGROUP_V1, &u);
	ck_assert(u.has_cpu && u.has_memory && u.has_io && u.has_pids);
	ck_assert_uint_eq(u.cpu_ns, 2500000000);
	ck_assert_uint_eq(u.memory, 12288);
	ck_assert_uint_eq(u.working_set, 8192);
	ck_assert_uint_eq(u.memory_limit, USAGE_NO_LIMIT);
	ck_assert_uint_eq(u.read, 101);
	ck_assert_uint_eq(u.written, 20);
	ck_assert_uint_eq(u.pids, 3);
	ck_assert_uint_eq(u.pids_limit, USAGE_NO_LIMIT);
	put_text("memory.limit_in_bytes", "65536\n");
	put_text("pids.max", "9\n");
	usage_begin(&r);
	cgroup_stats_v1(&dirs, "none", &r.sink);
	usage_take(&r, CGROUP_V1, &u);
	ck_assert_uint_eq(u.memory_limit, 65536);
	ck_assert_uint_eq(u.pids_limit, 9);
}
END_TEST

/* A group without controllers, or that is gone. */
START_TEST(test_nothing)
{
	struct cgroup_dirs none = {{0}};
	struct usage_reader r;
	struct usage u;

	usage_begin(&r);
	cgroup_stats_v2("gone", &r.sink);
	usage_take(&r, CGROUP_V2, &u);
	ck_assert(!u.has_cpu && !u.has_memory && !u.has_io && !u.has_pids);
	ck_assert_uint_eq(u.working_set, 0);
	usage_begin(&r);
	cgroup_stats_v1(&none, "none", &r.sink);
	usage_take(&r, CGROUP_V1, &u);
	ck_assert(!u.has_cpu && !u.has_memory && !u.has_io && !u.has_pids);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_v2, test_v1, test_nothing, NULL};

	return suite_run("ctl_usage", tests);
}
