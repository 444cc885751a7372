/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_words.h - short words for JSON documents that are shown as text, on
 * stdout.
 *
 * What comes from containers (command lines, names, paths) is shown without
 * control characters, so that it can do nothing to a terminal.
 */
#ifndef WISP_CTL_DUMP_WORDS_H
#define WISP_CTL_DUMP_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_tree.h>

/* Members of a map; what is not there, or of another type, is NULL, "", 0,
 * false or empty. */
yajl_val dump_get(yajl_val map, const char *key);
const char *dump_str(yajl_val map, const char *key);
long long dump_num(yajl_val map, const char *key);
bool dump_is(yajl_val map, const char *key);

/* An array's length (0: it is none), and its elements. */
size_t dump_count(yajl_val v);
yajl_val dump_at(yajl_val v, size_t i);

/* Text; the second with other text around it, if it is not "". */
void dump_put(const char *text);
void dump_put_if(const char *before, const char *text, const char *after);

/* "12.3s", "4m05s"; of bytes: "512 B", "1.5 KiB" */
void dump_put_age(long long ms);
void dump_put_size(long long n);

/* The beginning of a line: what it is about, or "". */
void dump_line(const char *name);

#endif
