/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - what the kernel knows of a process: proc(5).
 */
#ifndef WISP_BENCH_PROC_H
#define WISP_BENCH_PROC_H

#include <stdint.h>

struct bench_memory {
	double rss_kib, pss_kib, private_kib; /* smaps_rollup */
};
int bench_proc_memory(uint32_t pid, struct bench_memory *ret);

/* CPU time of all its threads, in seconds (schedstat). */
double bench_proc_cpu_s(uint32_t pid);

/* How often its threads went to sleep and were woken so far. */
double bench_proc_wakeups(uint32_t pid);

unsigned bench_proc_threads(uint32_t pid);

#endif
