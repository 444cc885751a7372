/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_prepare.h - rewrite the profile in a bundle's config.json, so that a
 * shim hears of what it denies: what `wispctl seccomp prepare` does.
 *
 * Written into the bundle: the filter of the profile as it was, by which the
 * shim answers (SEC_FILTER); a line for each call that it may hear of
 * (SEC_TABLE: architecture, number, name, architecture's name, letters for its
 * arguments, which of them the profile looks at, what the profile says); last,
 * config.json itself, the old one being kept as SEC_ORIGINAL. If there is
 * nothing to explain, none of them. SEC_NOTES has lines for people in any case,
 * or what has failed.
 */
#ifndef WISP_CTL_SECCOMP_PREPARE_H
#define WISP_CTL_SECCOMP_PREPARE_H

#include "platform/err.h"

#define SEC_FILTER "seccomp-explain.bpf"
#define SEC_TABLE "seccomp-explain.table"
#define SEC_NOTES "seccomp-explain.notes"
#define SEC_ORIGINAL "config.original.json"
#define SEC_LOG "seccomp.log"
#define SEC_CONFIG_MAX (16u << 20)

struct sec_prepare {
	const char *bundle;
	const char *listener; /* a socket's path, of 107 bytes at the most */
	const char *runtime;  /* the OCI runtime, as the shim runs it */
};

int sec_prepare(const struct sec_prepare *p, struct err *e);

#endif
