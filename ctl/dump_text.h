/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_text.h - a shim's dump (shim/dump.h), put for people, on stdout.
 *
 * What comes from containers (command lines, names, paths) is shown without
 * control characters, so that it can do nothing to a terminal.
 */
#ifndef WISP_CTL_DUMP_TEXT_H
#define WISP_CTL_DUMP_TEXT_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

/* The shim itself, and what it waits for. */
void ctl_dump_text_shim(yajl_val doc);

/* What a process has open: how much of each kind; or, if list, each. */
void ctl_dump_text_open(const char *whose, yajl_val open, bool list);

/* One of its containers: processes and streams. open is what the shim has. */
void ctl_dump_text_container(yajl_val container, yajl_val open);

/* An array as ctl_outside_processes() makes it. */
void ctl_dump_text_processes(yajl_val processes);

/* The container's config.json: what it runs, and where. */
void ctl_dump_text_spec(yajl_val config);

#endif
