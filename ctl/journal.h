/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - ROOT/events.log: what the shims of all containers below a root
 * have told, one JSON object on each line (show.h), in the order it came.
 *
 * Every keeper and every `wispctl run` adds to it. When it is larger than 1 MiB
 * it becomes events.log.1, in the place of the one before; so it outlives its
 * containers, and is bounded.
 */
#ifndef WISP_CTL_JOURNAL_H
#define WISP_CTL_JOURNAL_H

#include "client/events.h"
#include "ctl/place.h"

#define CTL_JOURNAL "events.log"

/* Never waits for long. That it fails (a full disk) is of no consequence. */
void ctl_journal_add(const struct ctl_place *p, const struct client_event *ev);

/* The path of the journal. */
int ctl_journal_path(const struct ctl_place *p, char ret[CTL_PATH_MAX]);

/* Reads a line of it. Strings point into *text, which the caller frees with
 * yajl_tree_free(). -EINVAL. */
int ctl_journal_parse(
	const char *line, struct client_event *ret, void **ret_text);

#endif
