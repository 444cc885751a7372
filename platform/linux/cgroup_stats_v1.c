/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "platform/linux/cgroup_stats.h"
#include "platform/linux/fd.h"
#include "platform/linux/stat_file.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct stat_key memory_keys[] = {
	{1, "cache"},
	{2, "rss"},
	{3, "rss_huge"},
	{4, "mapped_file"},
	{5, "dirty"},
	{6, "writeback"},
	{7, "pgpgin"},
	{8, "pgpgout"},
	{9, "pgfault"},
	{10, "pgmajfault"},
	{11, "inactive_anon"},
	{12, "active_anon"},
	{13, "inactive_file"},
	{14, "active_file"},
	{15, "unevictable"},
	{16, "hierarchical_memory_limit"},
	{17, "hierarchical_memsw_limit"},
	{18, "total_cache"},
	{19, "total_rss"},
	{20, "total_rss_huge"},
	{21, "total_mapped_file"},
	{22, "total_dirty"},
	{23, "total_writeback"},
	{24, "total_pgpgin"},
	{25, "total_pgpgout"},
	{26, "total_pgfault"},
	{27, "total_pgmajfault"},
	{28, "total_inactive_anon"},
	{29, "total_active_anon"},
	{30, "total_inactive_file"},
	{31, "total_active_file"},
	{32, "total_unevictable"},
};

static const struct stat_key oom_keys[] = {
	{1, "oom_kill_disable"}, {2, "under_oom"}, {3, "oom_kill"}};

static const struct stat_key throttling_keys[] = {
	{1, "nr_periods"}, {2, "nr_throttled"}, {3, "throttled_time"}};

static const struct stat_key ticks_keys[] = {{2, "system"}, {3, "user"}};

static int open_dir(const char *dir)
{
	return dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* CPUUsage.per_cpu: "2180333211819 2276339739799 " */
static void per_cpu(int dir, struct stat_sink *sink)
{
	struct stat_file f;
	char word[STAT_WORD_MAX];
	bool any = false, ok;
	uint64_t v;

	if (!stat_open(&f, dir, "cpuacct.usage_percpu"))
		return;
	for (; stat_word(&f, word); any |= ok) {
		ok = stat_number(word, &v);
		if (ok && !any)
			sink->begin(sink, 4);
		if (ok)
			sink->item(sink, v);
	}
	if (any)
		sink->end(sink);
	stat_close(&f);
}

static void cpu_usage(int dir, struct stat_sink *sink)
{
	long hz = sysconf(_SC_CLK_TCK);
	struct stat_file f;

	stat_tell(sink, dir, "cpuacct.usage", 1);
	if (stat_open(&f, dir, "cpuacct.stat")) {
		stat_pairs(&f, ticks_keys, LENGTH(ticks_keys),
			1000000000U / (uint64_t)(hz > 0 ? hz : 100), sink);
		stat_close(&f);
	}
	per_cpu(dir, sink);
}

/* Both parts are always there, as clients take them for granted. */
static void cpu(const struct cgroup_dirs *dirs, struct stat_sink *sink)
{
	auto_fd int acct = open_dir(dirs->v1[CGROUP_DIR_CPUACCT]);
	auto_fd int dir = open_dir(dirs->v1[CGROUP_DIR_CPU]);
	struct stat_file f;

	sink->begin(sink, 3);
	sink->begin(sink, 1);
	if (acct >= 0)
		cpu_usage(acct, sink);
	sink->end(sink);
	sink->begin(sink, 2);
	if (dir >= 0 && stat_open(&f, dir, "cpu.stat")) {
		stat_pairs(
			&f, throttling_keys, LENGTH(throttling_keys), 1, sink);
		stat_close(&f);
	}
	sink->end(sink);
	sink->end(sink);
}

static void memory_entry(
	int dir, unsigned field, const char *kind, struct stat_sink *sink)
{
	static const struct stat_key files[] = {{1, "limit_in_bytes"},
		{2, "usage_in_bytes"}, {3, "max_usage_in_bytes"},
		{4, "failcnt"}};
	char name[64];
	size_t i;

	sink->begin(sink, field);
	for (i = 0; i < LENGTH(files); i++) {
		snprintf(
			name, sizeof(name), "memory.%s%s", kind, files[i].name);
		stat_tell(sink, dir, name, files[i].field);
	}
	sink->end(sink);
}

static void memory(const char *path, struct stat_sink *sink)
{
	auto_fd int dir = open_dir(path);
	struct stat_file f;

	if (dir < 0)
		return;
	if (stat_open(&f, dir, "memory.stat")) {
		sink->begin(sink, 4);
		stat_pairs(&f, memory_keys, LENGTH(memory_keys), 1, sink);
		stat_close(&f);
		memory_entry(dir, 33, "", sink);
		memory_entry(dir, 34, "memsw.", sink);
		memory_entry(dir, 35, "kmem.", sink);
		memory_entry(dir, 36, "kmem.tcp.", sink);
		sink->end(sink);
	}
	if (stat_open(&f, dir, "memory.oom_control")) {
		sink->begin(sink, 9);
		stat_pairs(&f, oom_keys, LENGTH(oom_keys), 1, sink);
		stat_close(&f);
		sink->end(sink);
	}
}

static void pids(const char *path, struct stat_sink *sink)
{
	auto_fd int dir = open_dir(path);
	uint64_t v;

	if (dir < 0 || !stat_read(dir, "pids.current", &v))
		return;
	sink->begin(sink, 2);
	sink->number(sink, 1, v);
	if (stat_read(dir, "pids.max", &v)) /* no limit is 0 here, unlike v2 */
		sink->number(sink, 2, v == UINT64_MAX ? 0 : v);
	sink->end(sink);
}

/* The device that was looked up last: its lines come one after the other. */
struct device {
	int dir; /* of /sys/dev/block, or -1 */
	uint64_t major, minor;
	char path[STAT_WORD_MAX];
};

static void find_device(struct device *d, uint64_t major, uint64_t minor)
{
	char number[48], link[PATH_MAX / 4], *name, *p;
	ssize_t n;

	if (d->major == major && d->minor == minor && *d->path)
		return;
	d->major = major;
	d->minor = minor;
	*d->path = '\0';
	snprintf(number, sizeof(number), "%llu:%llu", (unsigned long long)major,
		(unsigned long long)minor);
	n = d->dir < 0 ? -1
		       : readlinkat(d->dir, number, link, sizeof(link) - 1);
	if (n <= 0)
		return;
	link[n] = '\0';
	name = strrchr(link, '/');
	if (!name || strlen(name) > STAT_WORD_MAX - 8)
		return;
	for (p = name + 1; *p; p++) /* as sysfs writes a slash */
		*p = *p == '!' ? '/' : *p;
	snprintf(d->path, sizeof(d->path), "/dev%s", name);
}

/* "8:0 Read 4096", or without the word; but "Total 4096" is no device's. */
static bool blkio_line(struct stat_file *f, char *word, struct device *d,
	unsigned field, struct stat_sink *sink)
{
	uint64_t major, minor, v;
	char op[STAT_WORD_MAX] = "";

	if (f->sep != ':' || !stat_number(word, &major))
		return false;
	if (!stat_word(f, word) || f->sep != ' ' || !stat_number(word, &minor))
		return false;
	if (!stat_word(f, word))
		return false;
	if (f->sep == ' ') {
		strcpy(op, word);
		stat_word(f, word);
	}
	if (f->sep != '\n' || !stat_number(word, &v))
		return false;
	find_device(d, major, minor);
	sink->begin(sink, field);
	sink->text(sink, 1, op);
	sink->text(sink, 2, d->path);
	sink->number(sink, 3, major);
	sink->number(sink, 4, minor);
	sink->number(sink, 5, v);
	sink->end(sink);
	return true;
}

/* Returns how many entries there were. */
static unsigned blkio_file(int dir, const char *kind, const char *name,
	struct device *d, unsigned field, struct stat_sink *sink)
{
	struct stat_file f;
	char word[STAT_WORD_MAX];
	unsigned n = 0;

	snprintf(word, sizeof(word), "blkio.%s%s", kind, name);
	if (!stat_open(&f, dir, word))
		return 0;
	while (stat_word(&f, word)) {
		n += blkio_line(&f, word, d, field, sink);
		stat_skip_line(&f);
	}
	stat_close(&f);
	return n;
}

static const struct stat_key blkio_files[] = {
	{1, "io_service_bytes_recursive"},
	{2, "io_serviced_recursive"},
	{3, "io_queued_recursive"},
	{4, "io_service_time_recursive"},
	{5, "io_wait_time_recursive"},
	{6, "io_merged_recursive"},
	{7, "time_recursive"},
	{8, "sectors_recursive"},
};

/*
 * The files of the CFQ scheduler if they have anything; without it (since
 * Linux 5.0), what went through the throttling layer, which sees every device;
 * and what only BFQ knows, if it schedules.
 */
static void blkio_entries(int dir, struct device *d, struct stat_sink *sink)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < LENGTH(blkio_files); i++)
		n += blkio_file(dir, "", blkio_files[i].name, d,
			blkio_files[i].field, sink);
	if (n)
		return;
	blkio_file(dir, "throttle.", "io_service_bytes", d, 1, sink);
	blkio_file(dir, "throttle.", "io_serviced", d, 2, sink);
	for (i = 2; i < LENGTH(blkio_files); i++)
		blkio_file(dir, "bfq.", blkio_files[i].name, d,
			blkio_files[i].field, sink);
}

static void blkio(
	const char *path, const char *block_dir, struct stat_sink *sink)
{
	auto_fd int dir = open_dir(path), block = -1;
	struct device d = {.dir = -1};

	if (dir < 0)
		return;
	block = open_dir(block_dir);
	d.dir = block;
	sink->begin(sink, 5);
	blkio_entries(dir, &d, sink);
	sink->end(sink);
}

static void page_size(int dir, const char *size, struct stat_sink *sink)
{
	static const struct stat_key files[] = {{1, "usage_in_bytes"},
		{2, "max_usage_in_bytes"}, {3, "failcnt"}};
	char name[64];
	size_t i;

	sink->begin(sink, 1);
	for (i = 0; i < LENGTH(files); i++) {
		snprintf(name, sizeof(name), "hugetlb.%s.%s", size,
			files[i].name);
		stat_tell(sink, dir, name, files[i].field);
	}
	sink->text(sink, 4, size);
	sink->end(sink);
}

static void hugetlb(const char *path, struct stat_sink *sink)
{
	auto_fd int dir = open_dir(path);

	if (dir >= 0)
		stat_page_sizes(dir, "usage_in_bytes", page_size, sink);
}

static void rdma(const char *path, struct stat_sink *sink)
{
	auto_fd int dir = open_dir(path);

	if (dir < 0 || faccessat(dir, "rdma.current", F_OK, 0) < 0)
		return;
	sink->begin(sink, 6);
	stat_rdma(dir, sink);
	sink->end(sink);
}

void cgroup_stats_v1(const struct cgroup_dirs *dirs, const char *block_dir,
	struct stat_sink *sink)
{
	hugetlb(dirs->v1[CGROUP_DIR_HUGETLB], sink);
	pids(dirs->v1[CGROUP_DIR_PIDS], sink);
	cpu(dirs, sink);
	memory(dirs->v1[CGROUP_DIR_MEMORY], sink);
	blkio(dirs->v1[CGROUP_DIR_BLKIO], block_dir, sink);
	rdma(dirs->v1[CGROUP_DIR_RDMA], sink);
}
