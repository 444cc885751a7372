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
#include <sys/types.h>

struct look_process {
	int64_t pid, parent;
	char state;        /* as in proc(5): R, S, D, Z, T, ... */
	char name[32];     /* the program's, cut to 15 bytes on Linux */
	char command[512]; /* words with blanks between them, cut; or "" */
	unsigned threads;
	char waits[64];  /* the kernel function it sleeps in, or "" */
	int syscall;     /* the number of the call it is in; -1: none known */
	uint64_t age_ms; /* since it was started */
};

/* -ESRCH. What can't be seen is "", 0 or -1. */
int look_process(int64_t pid, struct look_process *ret);

/* Its command line, blanks between the words, as much as has room; its length,
 * 0 if it can't be told. */
size_t look_command(int64_t pid, char *buf, size_t n);

/* Its command line, each word with a NUL behind it (the last one may be cut),
 * and how many bytes that is. 0 for a zombie, for a thread of the kernel, and
 * for one that hangs. -ESRCH. */
ssize_t look_words(int64_t pid, char *buf, size_t n);

/* A variable of the environment that it was started with. -ENOENT, -EACCES,
 * -EAGAIN for one that hangs. */
int look_environment(int64_t pid, const char *name, char *buf, size_t n);

/* Every process that there is. -errno if the system does not tell. */
int look_all(void (*each)(int64_t pid, void *arg), void *arg);

/* A process's children, zombies among them; -ESRCH, or -ENOSYS if the system
 * does not tell. */
int look_children(
	int64_t pid, void (*each)(int64_t child, void *arg), void *arg);

/* What a process has open: a number and what it is, as far as it can be told:
 * on Linux what its link in /proc says, on Windows the kind of object ("File",
 * "Event", "Process"). Looking changes nothing: no end is opened. */
struct look_open {
	int number;
	const char *what; /* borrowed */
	int64_t waiting;  /* bytes, in a pipe or a FIFO; -1: it is none */
	int64_t room;     /* how many it holds at most; -1: not known */
};
void look_open(int64_t pid, void (*each)(const struct look_open *o, void *arg),
	void *arg);

/* How much it has open, or -errno. */
int look_open_count(int64_t pid);

/* A process's memory, in KiB; 0 where it can't be told. */
struct look_memory {
	uint64_t resident, proportional, own;
};
void look_memory(int64_t pid, struct look_memory *ret);

#endif
