/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "platform/linux/cgroup_stats.h"
#include "platform/linux/fd.h"
#include "platform/linux/stat_file.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct stat_key cpu_keys[] = {
	{1, "usage_usec"},
	{2, "user_usec"},
	{3, "system_usec"},
	{4, "nr_periods"},
	{5, "nr_throttled"},
	{6, "throttled_usec"},
	{8, "nr_bursts"},
	{9, "burst_usec"},
};

static const struct stat_key memory_keys[] = {
	{1, "anon"},
	{2, "file"},
	{3, "kernel_stack"},
	{4, "slab"},
	{5, "sock"},
	{6, "shmem"},
	{7, "file_mapped"},
	{8, "file_dirty"},
	{9, "file_writeback"},
	{10, "anon_thp"},
	{11, "inactive_anon"},
	{12, "active_anon"},
	{13, "inactive_file"},
	{14, "active_file"},
	{15, "unevictable"},
	{16, "slab_reclaimable"},
	{17, "slab_unreclaimable"},
	{18, "pgfault"},
	{19, "pgmajfault"},
	{20, "workingset_refault"},
	{21, "workingset_activate"},
	{22, "workingset_nodereclaim"},
	{23, "pgrefill"},
	{24, "pgscan"},
	{25, "pgsteal"},
	{26, "pgactivate"},
	{27, "pgdeactivate"},
	{28, "pglazyfree"},
	{29, "pglazyfreed"},
	{30, "thp_fault_alloc"},
	{31, "thp_collapse_alloc"},
};

static const struct stat_key memory_files[] = {
	{32, "memory.current"},
	{33, "memory.max"},
	{34, "memory.swap.current"},
	{35, "memory.swap.max"},
	{36, "memory.peak"},
	{37, "memory.swap.peak"},
};

static const struct stat_key event_keys[] = {
	{1, "low"},
	{2, "high"},
	{3, "max"},
	{4, "oom"},
	{5, "oom_kill"},
	{6, "oom_group_kill"},
};

static const struct stat_key io_keys[] = {
	{3, "rbytes"}, {4, "wbytes"}, {5, "rios"}, {6, "wios"}};

/* The rest of "some avg10=0.00 avg60=0.12 avg300=0.00 total=4711". */
static void psi_line(struct stat_file *f, struct stat_sink *sink)
{
	static const struct stat_key averages[] = {
		{1, "avg10"}, {2, "avg60"}, {3, "avg300"}};
	char key[STAT_WORD_MAX], word[STAT_WORD_MAX];
	uint64_t total;
	double v;
	size_t i;

	while (f->sep != '\n' && stat_word(f, key)) {
		if (f->sep != '=' || !stat_word(f, word))
			continue;
		if (strcmp(key, "total") == 0 && stat_number(word, &total))
			sink->number(sink, 4, total);
		for (i = 0; i < LENGTH(averages); i++)
			if (strcmp(key, averages[i].name) == 0 &&
				stat_real(word, &v))
				sink->real(sink, averages[i].field, v);
	}
}

/* PSIStats. Where the kernel has pressure switched off, the file is there and
 * reading it fails. */
static void psi(
	int dir, const char *name, unsigned field, struct stat_sink *sink)
{
	struct stat_file f;
	char word[STAT_WORD_MAX];
	bool some, begun = false;

	if (!stat_open(&f, dir, name))
		return;
	for (; stat_word(&f, word); stat_skip_line(&f)) {
		if (!begun)
			sink->begin(sink, field);
		begun = true;
		some = strcmp(word, "some") == 0;
		if (!some && strcmp(word, "full") != 0)
			continue;
		sink->begin(sink, some ? 1 : 2);
		psi_line(&f, sink);
		sink->end(sink);
	}
	if (begun)
		sink->end(sink);
	stat_close(&f);
}

static void pairs(int dir, const char *name, const struct stat_key *keys,
	size_t n, struct stat_sink *sink)
{
	struct stat_file f;

	if (!stat_open(&f, dir, name))
		return;
	stat_pairs(&f, keys, n, 1, sink);
	stat_close(&f);
}

static void memory(int dir, struct stat_sink *sink)
{
	size_t i;

	sink->begin(sink, 4);
	pairs(dir, "memory.stat", memory_keys, LENGTH(memory_keys), sink);
	for (i = 0; i < LENGTH(memory_files); i++)
		stat_tell(
			sink, dir, memory_files[i].name, memory_files[i].field);
	psi(dir, "memory.pressure", 38, sink);
	sink->end(sink);
	if (faccessat(dir, "memory.events", F_OK, 0) < 0)
		return;
	sink->begin(sink, 8);
	pairs(dir, "memory.events", event_keys, LENGTH(event_keys), sink);
	sink->end(sink);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" */
static void io_stat(int dir, struct stat_sink *sink)
{
	struct stat_file f;
	char major[STAT_WORD_MAX], minor[STAT_WORD_MAX];
	uint64_t a, b;

	if (!stat_open(&f, dir, "io.stat"))
		return;
	while (stat_word(&f, major)) {
		if (f.sep != ':' || !stat_word(&f, minor) ||
			!stat_number(major, &a) || !stat_number(minor, &b)) {
			stat_skip_line(&f);
			continue;
		}
		sink->begin(sink, 1);
		sink->number(sink, 1, a);
		sink->number(sink, 2, b);
		stat_words(&f, io_keys, LENGTH(io_keys), sink);
		sink->end(sink);
	}
	stat_close(&f);
}

static void page_size(int dir, const char *size, struct stat_sink *sink)
{
	static const struct stat_key keys[] = {{4, "max"}};
	char name[64];

	sink->begin(sink, 7);
	snprintf(name, sizeof(name), "hugetlb.%s.current", size);
	stat_tell(sink, dir, name, 1);
	snprintf(name, sizeof(name), "hugetlb.%s.max", size);
	stat_tell(sink, dir, name, 2);
	sink->text(sink, 3, size);
	snprintf(name, sizeof(name), "hugetlb.%s.events", size);
	pairs(dir, name, keys, LENGTH(keys), sink);
	sink->end(sink);
}

/* The parts that are there even without a controller are so because clients
 * take them for granted. */
void cgroup_stats_v2(const char *path, struct stat_sink *sink)
{
	auto_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	sink->begin(sink, 1);
	stat_tell(sink, dir, "pids.current", 1);
	stat_tell(sink, dir, "pids.max", 2);
	sink->end(sink);
	sink->begin(sink, 2);
	pairs(dir, "cpu.stat", cpu_keys, LENGTH(cpu_keys), sink);
	psi(dir, "cpu.pressure", 7, sink);
	sink->end(sink);
	memory(dir, sink);
	sink->begin(sink, 5);
	stat_rdma(dir, sink);
	sink->end(sink);
	sink->begin(sink, 6);
	io_stat(dir, sink);
	psi(dir, "io.pressure", 2, sink);
	sink->end(sink);
	stat_page_sizes(dir, "current", page_size, sink);
}
