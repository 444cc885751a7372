/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - what can be seen of processes from outside, for people who look.
 *
 * Nothing here waits, not even for a process that hangs in the kernel: its
 * command line, which the kernel may have to wait for, is not asked for then.
 */
#ifndef WISP_PLATFORM_LOOK_H
#define WISP_PLATFORM_LOOK_H

#include <stddef.h>
#include <stdint.h>

struct look_process {
	int64_t pid, parent;
	char state;        /* as in proc(5): R, S, D, Z, T, ... */
	char name[32];     /* the program's, cut to 15 bytes on Linux */
	char command[512]; /* words with blanks between them, cut; or "" */
	char waits[64];    /* the kernel function it sleeps in, or "" */
	int syscall;       /* the number of the call it is in; -1: none known */
	uint64_t age_ms;   /* since it was started */
};

/* -ESRCH. What can't be seen is "", 0 or -1. */
int look_process(int64_t pid, struct look_process *ret);

/* This process's children, zombies among them. -ENOSYS if the system does not
 * tell. */
int look_children(void (*each)(int64_t pid, void *arg), void *arg);

/* What this process has open: a number and what it is, as far as it can be
 * told. */
void look_open(
	void (*each)(int number, const char *what, void *arg), void *arg);

/* This process's memory, in KiB; 0 where it can't be told. */
struct look_memory {
	uint64_t resident, proportional, own;
};
void look_memory(struct look_memory *ret);

#endif
