/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - take the calls that a seccomp filter hands over, and answer them
 * (seccomp_unotify(2)); and know what a filter says to a call.
 *
 * A filter is a program as libseccomp's seccomp_export_bpf() writes it: struct
 * sock_filter of 8 bytes, in the host's byte order. The verdict on a call is
 * SECCOMP_RET_* of seccomp(2) with its 16 bits of data.
 *
 * An agent listens on a socket, where an OCI runtime that has installed a
 * filter with SCMP_ACT_NOTIFY sends its descriptor (config-linux.md,
 * "listenerPath"). A call that is handed over sleeps until it is answered; if
 * the agent is closed, or this process ends however it may, the kernel answers
 * ENOSYS: nobody is left waiting. A signal ends the sleep, too. What is denied
 * is answered first and told afterwards; what is allowed goes on in the kernel
 * (SECCOMP_USER_NOTIF_FLAG_CONTINUE).
 */
#ifndef WISP_PLATFORM_SECCOMP_H
#define WISP_PLATFORM_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

struct event_base;

#define SECCOMP_ARGS 6

/* Verdicts: the action is what is not SECCOMP_SAYS_DATA. */
#define SECCOMP_SAYS_DATA 0x0000ffffU
#define SECCOMP_SAYS_ERRNO 0x00050000U
#define SECCOMP_SAYS_NOTIFY 0x7fc00000U
#define SECCOMP_SAYS_LOG 0x7ffc0000U
#define SECCOMP_SAYS_ALLOW 0x7fff0000U

struct seccomp_call {
	uint32_t arch; /* AUDIT_ARCH_*, linux/audit.h */
	int32_t nr;
	uint64_t ip;
	uint64_t args[SECCOMP_ARGS];
	/* who calls: the thread's number in our pid namespace (0: it is in
	 * none that we see), and its name, printable; "" if it can't be told.
	 */
	int64_t pid;
	char comm[16];
};

/* ---- filters ---- */

#define SECCOMP_INSNS_MAX 4096 /* linux/bpf_common.h, BPF_MAXINSNS */
#define SECCOMP_INSN_SIZE 8

struct seccomp_filter;

/* A copy of a program of n bytes, checked: it ends for every call. -EINVAL if
 * it is none, or has instructions that libseccomp never writes. */
int seccomp_filter_new(
	const void *program, size_t n, struct seccomp_filter **ret);
uint32_t seccomp_filter_says(
	const struct seccomp_filter *f, const struct seccomp_call *call);
void seccomp_filter_free(struct seccomp_filter *f);

/* ---- calls that are handed over ---- */

struct seccomp_agent;

struct seccomp_agent_ops {
	/* What is to be answered; the caller still waits: be quick. Verdicts
	 * other than ERRNO let the call go on. */
	uint32_t (*decide)(const struct seccomp_call *call, void *arg);
	/* It has been answered. NULL is fine. */
	void (*answered)(void *arg);
	/* Something was sent to the socket that is no filter's descriptor. */
	void (*refused)(const char *why, void *arg);
};

/* Listens at an address of listener.h, whose folder must exist; a dead
 * predecessor's is replaced. ops and arg are borrowed. */
int seccomp_agent_new(struct event_base *base, const char *address,
	const struct seccomp_agent_ops *ops, void *arg,
	struct seccomp_agent **ret, struct err *e);

/* Filters that it answers for now. */
unsigned seccomp_agent_filters(const struct seccomp_agent *a);

/* Ends it, and removes its socket. Not from its own callbacks. NULL is fine. */
void seccomp_agent_free(struct seccomp_agent *a);

/*
 * In decide() only: the text that argument number arg points to, cut to fit,
 * what does not print as '?'. -EFAULT: there is none. -ETIMEDOUT: it can't be
 * had within 20 ms; a child reads it, as a hostile process' memory may take for
 * ever to be read.
 */
int seccomp_call_text(
	const struct seccomp_call *call, unsigned arg, char *buf, size_t n);

#endif
