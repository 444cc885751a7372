/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The number behind "name:" in a file of /proc, summed over the lines that
 * begin so. */
static double sum_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	double sum = 0, value;
	size_t n = strlen(name);

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':' &&
			sscanf(line + n + 1, "%lf", &value) == 1)
			sum += value;
	fclose(f);
	return sum;
}

int bench_proc_memory(uint32_t pid, struct bench_memory *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/smaps_rollup", pid);
	ret->rss_kib = sum_of(path, "Rss");
	ret->pss_kib = sum_of(path, "Pss");
	ret->private_kib =
		sum_of(path, "Private_Clean") + sum_of(path, "Private_Dirty");
	return ret->rss_kib > 0 ? 0 : -ESRCH;
}

static double first_number(const char *path)
{
	FILE *f = fopen(path, "re");
	double value = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%lf", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

static double thread_cpu_ns(const char *thread)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/schedstat", thread);
	return first_number(path);
}

static double thread_wakeups(const char *thread)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/status", thread);
	return sum_of(path, "voluntary_ctxt_switches");
}

static double thread_one(const char *thread)
{
	(void)thread;
	return 1;
}

static double sum_threads(uint32_t pid, double (*of)(const char *thread))
{
	char path[64], thread[300];
	struct dirent *de;
	double sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(thread, sizeof(thread), "%s/%.200s", path, de->d_name);
		sum += of(thread);
	}
	if (d)
		closedir(d);
	return sum;
}

double bench_proc_cpu_s(uint32_t pid)
{
	return sum_threads(pid, thread_cpu_ns) / 1e9;
}

double bench_proc_wakeups(uint32_t pid)
{
	return sum_threads(pid, thread_wakeups);
}

unsigned bench_proc_threads(uint32_t pid)
{
	return (unsigned)sum_threads(pid, thread_one);
}
