/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_seccomp.h - the seccomp profile of a container of `wispctl run`.
 */
#ifndef WISP_CTL_RUN_SECCOMP_H
#define WISP_CTL_RUN_SECCOMP_H

#include "ctl/run_options.h"

/* Puts the profile and the annotation that the options ask for into the text of
 * a config.json, which is replaced. */
int ctl_run_seccomp(
	const struct ctl_run_options *o, char **config, struct err *e);

/* After the container was created: does its shim do what the annotation asks
 * for? Others than wisp's take no notice of it. -ENOTSUP. */
int ctl_run_is_explained(
	const struct ctl_run_options *o, const char *bundle, struct err *e);

#endif
