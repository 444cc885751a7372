/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - start programs, signal processes, learn of every exit.
 *
 * Processes are known by pid. A pid stays ours, and cannot mean somebody else,
 * until exit_source_next() has handed its exit out.
 */
#ifndef WISP_PLATFORM_PROCESS_H
#define WISP_PLATFORM_PROCESS_H

#include <stdint.h>
#include <time.h>

#include "platform/stream.h"

#define PROCESS_ENDPOINTS_MAX 6

struct process_spec {
	const char *const *argv; /* argv[0] is looked up in PATH; NULL ends */
	const char *const *envp; /* NULL: this process's own */
	const char *cwd;         /* NULL: this process's own */
	/* The child's descriptors 0, 1, 2, ... in order, borrowed. NULL among
	 * the first three means the null device. */
	struct endpoint *endpoints[PROCESS_ENDPOINTS_MAX];
	bool dies_with_us; /* SIGKILL if this process dies: prctl(2),
			    * PR_SET_PDEATHSIG */
	bool own_group;    /* in a process group of its own */
};

struct process_exit {
	int64_t pid;
	/* 0 to 255, 128+n if a signal n ended it; all 32 bits on Windows */
	uint32_t status;
	struct timespec at; /* CLOCK_REALTIME, when it was collected */
};

/*
 * Starts a program. A program that cannot be executed is an error here (the
 * child is gone already): -ENOENT, -EACCES, ... Signals are at their defaults
 * and unblocked in the child, and it inherits nothing but its endpoints.
 */
int process_spawn(
	const struct process_spec *spec, int64_t *ret_pid, struct err *e);

/* Whether a name would be found, in PATH or as a path, and may be executed. */
bool process_find(const char *name);

/* The path of a program in the folder where this one is, else its name if it is
 * in PATH. -ENOENT, -ENAMETOOLONG. */
int process_find_beside(const char *name, char *buf, size_t n);

/* 1 if pid is our child and has not ended, 0 if it has ended and its exit is
 * still to be handed out, -ECHILD if it is no child of ours. */
int process_is_ours(int64_t pid);

/* What a hung process waits for, for error messages: the kernel function (proc
 * wchan), or "" where the system won't tell. Never fails. */
void process_wchan(int64_t pid, char *buf, size_t n);

/* A lasting reference, immune to pid reuse (pidfd_open(2)). */
struct process_ref;
int process_ref_open(int64_t pid, struct process_ref **ret);
/* -ESRCH once it has ended. Windows: SIGKILL terminates; SIGTERM, and the
 * numbers 0, 1, 2, 5 and 6 as they are, become console events (15: shutdown; a
 * process that has not run yet is terminated); others are -EBUSY, and -ENOSYS
 * if it is a 32-bit program, which only SIGKILL can end. */
int process_ref_signal(struct process_ref *ref, uint32_t signal);
/* The same where somebody who takes time may have to be asked: 0 if it is done,
 * or PROCESS_LATER: done() runs once, from the loop. (Windows: processes of the
 * host compute service, for which process_ref_signal() does not say what came
 * of it.) */
#define PROCESS_LATER 1
typedef void (*process_told)(int r, const struct err *e, void *arg);
int process_ref_ask_signal(
	struct process_ref *ref, uint32_t signal, process_told done, void *arg);
void process_ref_close(struct process_ref *ref);

/*
 * All exits of this process's children, and of the orphans below it that come
 * to it as their subreaper. There can be one source in a process.
 */
struct exit_source;

/* ready() runs from the loop when there may be exits to collect. */
int exit_source_new(struct event_base *base, void (*ready)(void *arg),
	void *arg, struct exit_source **ret, struct err *e);

/* 1 and one exit, or 0 when there is none now. Allocates nothing. */
int exit_source_next(struct exit_source *x, struct process_exit *ret);

/* The same for one process only. */
int exit_source_next_of(
	struct exit_source *x, int64_t pid, struct process_exit *ret);

void exit_source_free(struct exit_source *x);

#endif
