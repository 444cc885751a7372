/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_text.h - a shim's dump (shim/dump.h), put for people, on stdout.
 *
 * What comes from containers (command lines, names, paths) is shown without
 * control characters, so that it can do nothing to a terminal.
 */
#ifndef WISP_CTL_DUMP_TEXT_H
#define WISP_CTL_DUMP_TEXT_H

#include <yajl/yajl_tree.h>

/* The shim itself, and what it waits for. */
void ctl_dump_text_shim(yajl_val doc);

/* What it has open. */
void ctl_dump_text_open(yajl_val doc);

/* One of its containers: processes and streams. */
void ctl_dump_text_container(yajl_val container);

/* An array as ctl_outside_processes() makes it. */
void ctl_dump_text_processes(yajl_val processes);

/* The container's config.json: what it runs, and where. */
void ctl_dump_text_spec(yajl_val config);

#endif
