/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_build.h - options to a config.json, for either system.
 */
#ifndef WISP_CTL_SPEC_BUILD_H
#define WISP_CTL_SPEC_BUILD_H

#include "ctl/spec/spec_options.h"

/* The text, for the caller to free. Warnings go to stderr. */
int spec_build_linux(struct spec_options *o, char **ret, struct err *e);
int spec_build_windows(struct spec_options *o, char **ret, struct err *e);

#endif
