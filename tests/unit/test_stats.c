/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "platform/linux/cgroup_stats.h"
#include "platform/linux/stat_file.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

typedef Io__Containerd__Cgroups__V1__Metrics MetricsV1;
typedef Io__Containerd__Cgroups__V2__Metrics MetricsV2;

struct file {
	const char *name, *text;
};

static void put_files(const struct file *files)
{
	for (; files->name; files++)
		put_text(files->name, files->text);
}

/* All controllers in one folder, as no host has it: a file is a file. */
static void read_v1(void *arg, struct stat_sink *sink)
{
	struct cgroup_dirs dirs;
	int i;

	for (i = 0; i < CGROUP_V1_DIRS; i++)
		dirs.v1[i] = arg;
	cgroup_stats_v1(&dirs, "block", sink);
}

static void read_v2(void *arg, struct stat_sink *sink)
{
	cgroup_stats_v2(arg, sink);
}

/* What was packed must be as protobuf-c would pack it, but for the order. */
#define UNPACK(version, dir)                                                    \
	({                                                                      \
		uint8_t *data_ = NULL;                                          \
		size_t n_ = 0;                                                  \
		ck_assert_int_eq(metrics_pack(read_v##version, (void *)(dir),   \
					 &data_, &n_),                          \
			0);                                                     \
		MetricsV##version *m_ =                                         \
			io__containerd__cgroups__v##version##__metrics__unpack( \
				NULL, n_, data_);                               \
		ck_assert_ptr_nonnull(m_);                                      \
		ck_assert_uint_eq(                                              \
			protobuf_c_message_get_packed_size(&m_->base), n_);     \
		free(data_);                                                    \
		m_;                                                             \
	})
#define FREE(m) protobuf_c_message_free_unpacked(&(m)->base, NULL)

/* ---- words */

static void words_are(const char *text, const char *expected)
{
	struct stat_file f;
	char word[STAT_WORD_MAX], got[1024] = {0};

	put_text("w", text);
	ck_assert(stat_open(&f, AT_FDCWD, "w"));
	while (stat_word(&f, word)) {
		strcat(got, word);
		got[strlen(got)] = f.sep == '\n' ? ';' : f.sep;
	}
	stat_close(&f);
	ck_assert_str_eq(got, expected);
}

START_TEST(test_words)
{
	char big[600];

	words_are("", "");
	words_are("\n\n \n", "");
	words_are("a", "a;");
	words_are("a 1\nb 2\n", "a 1;b 2;");
	words_are("a \t 1  \nb", "a 1;b;");
	words_are("8:0 rbytes=1 wbytes=\n", "8:0 rbytes=1 wbytes=;");
	words_are("a=\nb 1\n", "a=;b 1;");
	words_are(" 1\n", "1;");
	words_are("a : b\n", "a :b;");
	words_are("1 2 3 ", "1 2 3;");
	/* a blank that is the last byte of a buffer, or the first one */
	for (int n = 505; n < 520; n++) {
		memset(big, ' ', sizeof(big));
		big[n - 2] = 'a';
		strcpy(big + n, "b\n");
		words_are(big, "a b;");
	}
	memset(big, 'x', 70);
	strcpy(big + 70, " 1\n");
	words_are(big, " 1;");
}
END_TEST

START_TEST(test_numbers)
{
	uint64_t v = 7;
	double d;

	ck_assert(stat_number("0", &v) && v == 0);
	ck_assert(stat_number("18446744073709551615", &v) && v == UINT64_MAX);
	ck_assert(stat_number("max", &v) && v == UINT64_MAX);
	ck_assert(stat_number("-5", &v) && v == 0);
	v = 7;
	ck_assert(!stat_number("", &v));
	ck_assert(!stat_number("-", &v));
	ck_assert(!stat_number("18446744073709551616", &v));
	ck_assert(!stat_number("99999999999999999999999", &v));
	ck_assert(!stat_number("0x10", &v));
	ck_assert(!stat_number("12k", &v));
	ck_assert(!stat_number(" 1", &v));
	ck_assert_uint_eq(v, 7);
	ck_assert(stat_real("0.00", &d) && d == 0);
	ck_assert(stat_real("12.34", &d) && d == 12.34);
	ck_assert(stat_real("100", &d) && d == 100);
	ck_assert(!stat_real("", &d));
	ck_assert(!stat_real("nan", &d));
	ck_assert(!stat_real("1.2.3", &d));
	ck_assert(!stat_real("1e9", &d));
	ck_assert(!stat_real("12345678901234567890", &d));
}
END_TEST

/* ---- v1 */

static const struct file v1_files[] = {
	{"cpuacct.usage", "2000000000\n"},
	{"cpuacct.stat", "user 150\nsystem 50\n"},
	{"cpuacct.usage_percpu", "1500000000 0 500000000 \n"},
	{"cpu.stat", "nr_periods 11\nnr_throttled 12\nthrottled_time 13\n"
		     "nr_bursts 0\nburst_time 0\n"},
	{"memory.stat",
		"cache 1\nrss 2\nrss_huge 3\nshmem 99\nmapped_file 4\n"
		"dirty 5\nwriteback 6\nworkingset_refault_anon 99\n"
		"workingset_refault_file 99\nswap 99\nswapcached 99\n"
		"pgpgin 7\npgpgout 8\npgfault 9\npgmajfault 10\n"
		"inactive_anon 11\nactive_anon 12\ninactive_file 13\n"
		"active_file 14\nunevictable 15\n"
		"hierarchical_memory_limit 16\n"
		"hierarchical_memsw_limit 9223372036854771712\n"
		"total_cache 18\ntotal_rss 19\ntotal_rss_huge 20\n"
		"total_shmem 99\ntotal_mapped_file 21\ntotal_dirty 22\n"
		"total_writeback 23\ntotal_swap 99\ntotal_pgpgin 24\n"
		"total_pgpgout 25\ntotal_pgfault 26\ntotal_pgmajfault 27\n"
		"total_inactive_anon 28\ntotal_active_anon 29\n"
		"total_inactive_file 30\ntotal_active_file 31\n"
		"total_unevictable 32\n"},
	{"memory.limit_in_bytes", "9223372036854771712\n"},
	{"memory.usage_in_bytes", "4096\n"},
	{"memory.max_usage_in_bytes", "8192\n"},
	{"memory.failcnt", "3\n"},
	{"memory.memsw.limit_in_bytes", "41\n"},
	{"memory.memsw.usage_in_bytes", "42\n"},
	{"memory.memsw.max_usage_in_bytes", "43\n"},
	{"memory.memsw.failcnt", "44\n"},
	{"memory.kmem.limit_in_bytes", "51\n"},
	{"memory.kmem.usage_in_bytes", "52\n"},
	{"memory.kmem.max_usage_in_bytes", "53\n"},
	{"memory.kmem.failcnt", "54\n"},
	{"memory.kmem.tcp.limit_in_bytes", "61\n"},
	{"memory.kmem.tcp.usage_in_bytes", "62\n"},
	{"memory.kmem.tcp.max_usage_in_bytes", "63\n"},
	{"memory.kmem.tcp.failcnt", "64\n"},
	{"memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 5\n"},
	{"pids.current", "17\n"},
	{"pids.max", "100\n"},
	{"hugetlb.2MB.usage_in_bytes", "2097152\n"},
	{"hugetlb.2MB.max_usage_in_bytes", "4194304\n"},
	{"hugetlb.2MB.failcnt", "1\n"},
	{"hugetlb.2MB.rsvd.usage_in_bytes", "9\n"},
	{"rdma.current", "mlx4_0 hca_handle=2 hca_object=2000\n"
			 "ocrdma1 hca_handle=3 hca_object=max\n"},
	{"rdma.max", "mlx4_0 hca_handle=max hca_object=5000000000\n"},
	{"blkio.throttle.io_service_bytes",
		"8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\n"
		"104:1 Read 512\nTotal 4608\n"},
	{"blkio.throttle.io_serviced",
		"8:0 Read 1\n8:0 Total 1\n259:7 Read 2\nTotal 3\n"},
	{"blkio.bfq.sectors_recursive", "8:0 8\n"},
	{"blkio.bfq.io_service_bytes_recursive", "8:0 Read 7\nTotal 7\n"},
	{0},
};

static void make_devices(void)
{
	ck_assert_int_eq(mkdir("block", 0755), 0);
	ck_assert_int_eq(
		symlink("../../devices/pci0/block/sda", "block/8:0"), 0);
	ck_assert_int_eq(
		symlink("../../devices/pci1/block/cciss!c0d0", "block/104:1"),
		0);
}

static void entry_is(const Io__Containerd__Cgroups__V1__BlkIOEntry *e,
	const char *op, const char *device, uint64_t major, uint64_t minor,
	uint64_t value)
{
	ck_assert_str_eq(e->op, op);
	ck_assert_str_eq(e->device, device);
	ck_assert_uint_eq(e->major, major);
	ck_assert_uint_eq(e->minor, minor);
	ck_assert_uint_eq(e->value, value);
}

static void memory_entry_is(const Io__Containerd__Cgroups__V1__MemoryEntry *e,
	uint64_t limit, uint64_t usage, uint64_t max, uint64_t failcnt)
{
	ck_assert_uint_eq(e->limit, limit);
	ck_assert_uint_eq(e->usage, usage);
	ck_assert_uint_eq(e->max, max);
	ck_assert_uint_eq(e->failcnt, failcnt);
}

/* Fields 1, 2, 3, ... of a message are 1, 2, 3, ... */
static void counts_up(const ProtobufCMessage *m, unsigned last, unsigned but)
{
	unsigned i;

	for (i = 1; i <= last; i++) {
		const ProtobufCFieldDescriptor *d =
			protobuf_c_message_descriptor_get_field(
				m->descriptor, i);
		uint64_t v;

		memcpy(&v, (const char *)m + d->offset, sizeof(v));
		if (i != but)
			ck_assert_msg(v == i, "%s is %llu", d->name,
				(unsigned long long)v);
	}
}

START_TEST(test_v1)
{
	MetricsV1 *m;

	put_files(v1_files);
	make_devices();
	m = UNPACK(1, ".");
	ck_assert_uint_eq(m->cpu->usage->total, 2000000000);
	ck_assert_uint_eq(m->cpu->usage->user,
		150 * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	ck_assert_uint_eq(m->cpu->usage->kernel,
		50 * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	ck_assert_uint_eq(m->cpu->usage->n_per_cpu, 3);
	ck_assert_uint_eq(m->cpu->usage->per_cpu[0], 1500000000);
	ck_assert_uint_eq(m->cpu->usage->per_cpu[1], 0);
	ck_assert_uint_eq(m->cpu->usage->per_cpu[2], 500000000);
	ck_assert_uint_eq(m->cpu->throttling->periods, 11);
	ck_assert_uint_eq(m->cpu->throttling->throttled_periods, 12);
	ck_assert_uint_eq(m->cpu->throttling->throttled_time, 13);
	counts_up(&m->memory->base, 32, 17);
	ck_assert_uint_eq(
		m->memory->hierarchical_swap_limit, 9223372036854771712U);
	memory_entry_is(m->memory->usage, 9223372036854771712U, 4096, 8192, 3);
	memory_entry_is(m->memory->swap, 41, 42, 43, 44);
	memory_entry_is(m->memory->kernel, 51, 52, 53, 54);
	memory_entry_is(m->memory->kernel_tcp, 61, 62, 63, 64);
	ck_assert_uint_eq(m->memory_oom_control->oom_kill_disable, 1);
	ck_assert_uint_eq(m->memory_oom_control->under_oom, 0);
	ck_assert_uint_eq(m->memory_oom_control->oom_kill, 5);
	ck_assert_uint_eq(m->pids->current, 17);
	ck_assert_uint_eq(m->pids->limit, 100);
	ck_assert_uint_eq(m->n_hugetlb, 1);
	ck_assert_str_eq(m->hugetlb[0]->pagesize, "2MB");
	ck_assert_uint_eq(m->hugetlb[0]->usage, 2097152);
	ck_assert_uint_eq(m->hugetlb[0]->max, 4194304);
	ck_assert_uint_eq(m->hugetlb[0]->failcnt, 1);
	ck_assert_uint_eq(m->rdma->n_current, 2);
	ck_assert_str_eq(m->rdma->current[0]->device, "mlx4_0");
	ck_assert_uint_eq(m->rdma->current[0]->hca_handles, 2);
	ck_assert_uint_eq(m->rdma->current[0]->hca_objects, 2000);
	ck_assert_uint_eq(m->rdma->current[1]->hca_objects, UINT32_MAX);
	ck_assert_uint_eq(m->rdma->n_limit, 1);
	ck_assert_uint_eq(m->rdma->limit[0]->hca_handles, UINT32_MAX);
	ck_assert_uint_eq(m->rdma->limit[0]->hca_objects, UINT32_MAX);
	ck_assert_uint_eq(m->n_network, 0);
	ck_assert_ptr_null(m->cgroup_stats);
	FREE(m);
}
END_TEST

START_TEST(test_v1_blkio)
{
	MetricsV1 *m;

	put_files(v1_files);
	make_devices();
	m = UNPACK(1, ".");
	ck_assert_uint_eq(m->blkio->n_io_service_bytes_recursive, 4);
	entry_is(m->blkio->io_service_bytes_recursive[0], "Read", "/dev/sda", 8,
		0, 4096);
	entry_is(m->blkio->io_service_bytes_recursive[1], "Write", "/dev/sda",
		8, 0, 0);
	entry_is(m->blkio->io_service_bytes_recursive[2], "Total", "/dev/sda",
		8, 0, 4096);
	entry_is(m->blkio->io_service_bytes_recursive[3], "Read",
		"/dev/cciss/c0d0", 104, 1, 512);
	ck_assert_uint_eq(m->blkio->n_io_serviced_recursive, 3);
	entry_is(m->blkio->io_serviced_recursive[2], "Read", "", 259, 7, 2);
	ck_assert_uint_eq(m->blkio->n_sectors_recursive, 1);
	entry_is(m->blkio->sectors_recursive[0], "", "/dev/sda", 8, 0, 8);
	FREE(m);

	/* an old kernel, with CFQ at work: its files, and no others */
	put_text("blkio.io_service_bytes_recursive", "8:0 Read 77\nTotal 77\n");
	put_text("blkio.time_recursive", "8:0 5\n");
	m = UNPACK(1, ".");
	ck_assert_uint_eq(m->blkio->n_io_service_bytes_recursive, 1);
	entry_is(m->blkio->io_service_bytes_recursive[0], "Read", "/dev/sda", 8,
		0, 77);
	ck_assert_uint_eq(m->blkio->n_io_serviced_recursive, 0);
	ck_assert_uint_eq(m->blkio->n_sectors_recursive, 0);
	ck_assert_uint_eq(m->blkio->n_io_time_recursive, 1);
	FREE(m);
}
END_TEST

START_TEST(test_v1_no_pid_limit)
{
	MetricsV1 *m;

	put_text("pids.current", "1\n");
	put_text("pids.max", "max\n");
	m = UNPACK(1, ".");
	ck_assert_uint_eq(m->pids->current, 1);
	ck_assert_uint_eq(m->pids->limit, 0);
	FREE(m);
}
END_TEST

/* What clients take for granted is there, the rest is not. */
static void v1_is_empty(const char *dir, bool has_dir)
{
	MetricsV1 *m = UNPACK(1, dir);

	ck_assert_ptr_nonnull(m->cpu->usage);
	ck_assert_ptr_nonnull(m->cpu->throttling);
	ck_assert_uint_eq(m->cpu->usage->total, 0);
	ck_assert_ptr_null(m->memory);
	ck_assert_ptr_null(m->memory_oom_control);
	ck_assert_ptr_null(m->pids);
	ck_assert_ptr_null(m->rdma);
	ck_assert_uint_eq(m->n_hugetlb, 0);
	ck_assert_int_eq(m->blkio != NULL, has_dir);
	FREE(m);
}

START_TEST(test_v1_missing)
{
	ck_assert_int_eq(mkdir("empty", 0755), 0);
	v1_is_empty("empty", true);
	v1_is_empty("gone", false);
	v1_is_empty(NULL, false);
}
END_TEST

/* ---- v2 */

static const struct file v2_files[] = {
	{"pids.current", "3\n"},
	{"pids.max", "max\n"},
	{"cpu.stat", "usage_usec 1\nuser_usec 2\nsystem_usec 3\nnice_usec 99\n"
		     "core_sched.force_idle_usec 99\nnr_periods 4\n"
		     "nr_throttled 5\nthrottled_usec 6\nnr_bursts 8\n"
		     "burst_usec 9\n"},
	{"cpu.pressure", "some avg10=1.25 avg60=0.50 avg300=0.01 total=4711\n"
			 "full avg10=0.00 avg60=0.00 avg300=99.99 total=12\n"},
	{"memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
			    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
	{"io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"},
	{"memory.stat",
		"anon 1\nfile 2\nkernel 99\nkernel_stack 3\npagetables 99\n"
		"sec_pagetables 99\npercpu 99\nsock 5\nvmalloc 99\nshmem 6\n"
		"zswap 99\nzswapped 99\nfile_mapped 7\nfile_dirty 8\n"
		"file_writeback 9\nswapcached 99\nanon_thp 10\nfile_thp 99\n"
		"shmem_thp 99\ninactive_anon 11\nactive_anon 12\n"
		"inactive_file 13\nactive_file 14\nunevictable 15\n"
		"slab_reclaimable 16\nslab_unreclaimable 17\nslab 4\n"
		"workingset_refault_anon 99\nworkingset_refault_file 99\n"
		"workingset_refault 20\nworkingset_activate 21\n"
		"workingset_nodereclaim 22\npgscan 24\npgsteal 25\n"
		"pgfault 18\npgmajfault 19\npgrefill 23\npgactivate 26\n"
		"pgdeactivate 27\npglazyfree 28\npglazyfreed 29\n"
		"thp_fault_alloc 30\nthp_collapse_alloc 31\n"},
	{"memory.current", "32\n"},
	{"memory.max", "33\n"},
	{"memory.swap.current", "34\n"},
	{"memory.swap.max", "max\n"},
	{"memory.peak", "36\n"},
	{"memory.swap.peak", "37\n"},
	{"memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n"
			  "oom_group_kill 6\n"},
	{"io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
		    "254:16 \n"
		    "9:1 rbytes=18446744073709551615 wios=9\n"},
	{"hugetlb.1GB.current", "1073741824\n"},
	{"hugetlb.1GB.max", "max\n"},
	{"hugetlb.1GB.events", "max 4\n"},
	{"hugetlb.1GB.rsvd.current", "9\n"},
	{"rdma.current", "mlx4_0 hca_handle=2 hca_object=2000\n"},
	{"rdma.max", "mlx4_0 hca_handle=max hca_object=3\n"},
	{0},
};

static void psi_is(const Io__Containerd__Cgroups__V2__PSIData *p, double avg10,
	double avg60, double avg300, uint64_t total)
{
	ck_assert(p->avg10 == avg10);
	ck_assert(p->avg60 == avg60);
	ck_assert(p->avg300 == avg300);
	ck_assert_uint_eq(p->total, total);
}

START_TEST(test_v2)
{
	MetricsV2 *m;

	put_files(v2_files);
	m = UNPACK(2, ".");
	ck_assert_uint_eq(m->pids->current, 3);
	ck_assert_uint_eq(m->pids->limit, UINT64_MAX);
	counts_up(&m->cpu->base, 6, 0);
	ck_assert_uint_eq(m->cpu->nr_bursts, 8);
	ck_assert_uint_eq(m->cpu->burst_usec, 9);
	psi_is(m->cpu->psi->some, 1.25, 0.5, 0.01, 4711);
	psi_is(m->cpu->psi->full, 0, 0, 99.99, 12);
	counts_up(&m->memory->base, 37, 35);
	ck_assert_uint_eq(m->memory->swap_limit, UINT64_MAX);
	psi_is(m->memory->psi->some, 0, 0, 0, 0);
	psi_is(m->memory->psi->full, 0, 0, 0, 0);
	counts_up(&m->memory_events->base, 6, 0);
	ck_assert_uint_eq(m->io->n_usage, 3);
	ck_assert_uint_eq(m->io->usage[0]->major, 8);
	ck_assert_uint_eq(m->io->usage[0]->minor, 0);
	ck_assert_uint_eq(m->io->usage[0]->rbytes, 1);
	ck_assert_uint_eq(m->io->usage[0]->wbytes, 2);
	ck_assert_uint_eq(m->io->usage[0]->rios, 3);
	ck_assert_uint_eq(m->io->usage[0]->wios, 4);
	ck_assert_uint_eq(m->io->usage[1]->minor, 16);
	ck_assert_uint_eq(m->io->usage[2]->rbytes, UINT64_MAX);
	ck_assert_uint_eq(m->io->usage[2]->wios, 9);
	ck_assert_uint_eq(m->io->psi->some->total, 1);
	ck_assert_ptr_null(m->io->psi->full);
	ck_assert_uint_eq(m->n_hugetlb, 1);
	ck_assert_str_eq(m->hugetlb[0]->pagesize, "1GB");
	ck_assert_uint_eq(m->hugetlb[0]->current, 1073741824);
	ck_assert_uint_eq(m->hugetlb[0]->max, UINT64_MAX);
	ck_assert_uint_eq(m->hugetlb[0]->failcnt, 4);
	ck_assert_uint_eq(m->rdma->n_current, 1);
	ck_assert_uint_eq(m->rdma->current[0]->hca_objects, 2000);
	ck_assert_uint_eq(m->rdma->limit[0]->hca_handles, UINT32_MAX);
	ck_assert_uint_eq(m->n_network, 0);
	FREE(m);
}
END_TEST

static void v2_is_empty(const char *dir)
{
	MetricsV2 *m = UNPACK(2, dir);

	ck_assert_uint_eq(m->pids->current, 0);
	ck_assert_ptr_null(m->cpu->psi);
	ck_assert_uint_eq(m->memory->usage_limit, 0);
	ck_assert_ptr_null(m->memory->psi);
	ck_assert_ptr_null(m->memory_events);
	ck_assert_uint_eq(m->io->n_usage, 0);
	ck_assert_ptr_nonnull(m->rdma);
	ck_assert_uint_eq(m->n_hugetlb, 0);
	FREE(m);
}

START_TEST(test_v2_missing)
{
	ck_assert_int_eq(mkdir("empty", 0755), 0);
	v2_is_empty("empty");
	v2_is_empty("gone");
	put_text("empty/cpu.pressure", ""); /* as where PSI is switched off */
	v2_is_empty("empty");
}
END_TEST

/* ---- what no kernel writes */

static const char *const garbage[] = {
	"",
	"\n\n\n",
	"max",
	"-1\n",
	"99999999999999999999999999\n",
	"cache\nrss 1 2 3\n 5\nmapped_file x\nanon =\nfile:2\nsome\nfull =\n",
	"8:0\n8:\n:\n8:x Read 1\n8:0 Read\n8:0 Read x\n8:0 Read 1 2\n",
	"8:0 rbytes\n8:0 rbytes=\n8:0 =1\n8:0 rbytes==1\nrbytes=1\n",
	"some avg10=x avg60 total=-1\nfull avg10=1.5.5 total==\nhalf a=1\n",
	"mlx hca_handle=-1 hca_object=x\nmlx hca_handle\n=\nmlx\n",
	"\xff\xfe\x80 \xff\n",
	"  \t \n = : = :\n",
};

static void put_everywhere(const struct file *files, const char *text, size_t n)
{
	for (; files->name; files++)
		put_file(files->name, text, n);
}

static void both_survive(void)
{
	MetricsV1 *m1 = UNPACK(1, ".");
	MetricsV2 *m2 = UNPACK(2, ".");

	FREE(m1);
	FREE(m2);
}

/* A number is told twice if its key is there twice: sizes may differ. */
static void both_unpack(void)
{
	uint8_t *data = NULL;
	MetricsV1 *m1;
	MetricsV2 *m2;
	size_t n;

	ck_assert_int_eq(metrics_pack(read_v1, ".", &data, &n), 0);
	m1 = io__containerd__cgroups__v1__metrics__unpack(NULL, n, data);
	ck_assert_ptr_nonnull(m1);
	ck_assert_uint_lt(n, 4 << 20); /* what ttrpc carries */
	free(data);
	ck_assert_int_eq(metrics_pack(read_v2, ".", &data, &n), 0);
	m2 = io__containerd__cgroups__v2__metrics__unpack(NULL, n, data);
	ck_assert_ptr_nonnull(m2);
	ck_assert_uint_lt(n, 4 << 20);
	free(data);
	FREE(m1);
	FREE(m2);
}

START_TEST(test_garbage)
{
	size_t i;

	make_devices();
	for (i = 0; i < LENGTH(garbage); i++) {
		put_everywhere(v1_files, garbage[i], strlen(garbage[i]));
		put_everywhere(v2_files, garbage[i], strlen(garbage[i]));
		both_survive();
	}
}
END_TEST

/* Words of the real files in any order, and bytes of any kind between. */
START_TEST(test_shuffled)
{
	static const char *const words[] = {"8", "0", "Read", "Total", "max",
		"cache", "anon", "some", "full", "avg10", "total", "rbytes",
		"hca_handle", "12.5", "4096", "-1", "nr_periods", "oom_kill",
		"\0x", "\xff"};
	static const char seps[] = "   \n\n\n::=\t";
	char text[2048];
	unsigned round, seed = 1;

	make_devices();
	for (round = 0; round < 60; round++) {
		size_t n = 0;

		while (n < sizeof(text) - 16) {
			const char *w =
				words[(unsigned)rand_r(&seed) % LENGTH(words)];

			n += (size_t)sprintf(text + n, "%s%c", w,
				seps[(unsigned)rand_r(&seed) %
					(sizeof(seps) - 1)]);
		}
		put_everywhere(v1_files, text, n);
		put_everywhere(v2_files, text, n);
		both_unpack();
	}
}
END_TEST

static void put_repeated(const struct file *files, const char *line, size_t n)
{
	size_t len = strlen(line), i;
	char *text = malloc(n * len);

	for (i = 0; i < n; i++)
		memcpy(text + i * len, line, len);
	put_everywhere(files, text, n * len);
	free(text);
}

/* Files of 2 MiB: only their beginning counts, and the answer can be sent. */
START_TEST(test_huge)
{
	static const char *const lines[] = {"8:0 R 1\n", "8:0 1\n", "1 ", "x",
		"d a=1\n", "some avg10=1 ", "\n", " "};
	size_t i;

	make_devices();
	for (i = 0; i < LENGTH(lines); i++) {
		put_repeated(v1_files, lines[i], (2 << 20) / strlen(lines[i]));
		put_repeated(v2_files, lines[i], (2 << 20) / strlen(lines[i]));
		both_unpack();
	}
}
END_TEST

/* A thousand CPUs fit, and none is cut in two. */
START_TEST(test_many_cpus)
{
	char text[32 << 10];
	MetricsV1 *m;
	size_t n = 0;
	int i;

	for (i = 0; i < 1024; i++)
		n += (size_t)sprintf(text + n, "%d ", 100000000 + i);
	text[n++] = '\n';
	put_file("cpuacct.usage_percpu", text, n);
	m = UNPACK(1, ".");
	ck_assert_uint_eq(m->cpu->usage->n_per_cpu, 1024);
	ck_assert_uint_eq(m->cpu->usage->per_cpu[1023], 100001023);
	FREE(m);
}
END_TEST

/* Folders, FIFOs and links to nowhere in place of files. */
START_TEST(test_no_files)
{
	ck_assert_int_eq(mkdir("memory.stat", 0755), 0);
	ck_assert_int_eq(mkdir("pids.current", 0755), 0);
	ck_assert_int_eq(mkfifo("cpu.stat", 0600), 0);
	ck_assert_int_eq(mkfifo("cpu.pressure", 0600), 0);
	ck_assert_int_eq(symlink("nowhere", "io.stat"), 0);
	both_survive();
}
END_TEST

START_TEST(test_out_of_memory)
{
	put_files(v1_files);
	put_files(v2_files);
	OOM_SWEEP(n)
	{
		uint8_t *data = NULL;
		size_t len = 0;
		int r;

		oom_at(n);
		r = metrics_pack(read_v1, ".", &data, &len);
		if (r == 0) {
			free(data);
			r = metrics_pack(read_v2, ".", &data, &len);
		}
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
		if (r == 0)
			free(data);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_words, test_numbers, test_v1,
		test_v1_blkio, test_v1_no_pid_limit, test_v1_missing, test_v2,
		test_v2_missing, test_garbage, test_shuffled, test_huge,
		test_many_cpus, test_no_files, test_out_of_memory, NULL};

	return suite_run("stats", tests);
}
