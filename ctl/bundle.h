/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - a copy of somebody's config.json that works from another folder.
 *
 * `wispctl run --bundle DIR` leaves DIR as it is (a shim writes a dozen files
 * into its bundle, and two containers may use DIR at once): config.json is
 * copied with its relative paths made absolute.
 */
#ifndef WISP_CTL_BUNDLE_H
#define WISP_CTL_BUNDLE_H

#include <stdbool.h>

#include "platform/err.h"

struct ctl_bundle_changes {
	const char *const *args; /* replaces process.args; NULL: as it is */
	bool terminal;           /* replaces process.terminal */
};

/* Reads dir/config.json and makes the text of the copy, for the caller to
 * free. dir may be relative. Wrong JSON is told with line and column. */
int ctl_bundle_copy(const char *dir, const struct ctl_bundle_changes *changes,
	char **ret, struct err *e);

#endif
