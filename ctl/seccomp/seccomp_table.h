/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_table.h - what a shim can say of the calls that are denied.
 */
#ifndef WISP_CTL_SECCOMP_TABLE_H
#define WISP_CTL_SECCOMP_TABLE_H

#include "ctl/seccomp/seccomp_rewrite.h"

/* The text of SEC_TABLE (seccomp_prepare.h), for free(). -ENOMEM. */
int sec_table_make(const struct sec_profile *original,
	const struct sec_rewritten *w, const struct sec_runtime *rt,
	char **ret);

/* A line on what is not explained; *ret stays as it is if all is. */
int sec_table_notes(const struct sec_profile *original,
	const struct sec_rewritten *w, char **ret);

#endif
