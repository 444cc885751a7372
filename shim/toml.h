/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.h - read a TOML document for its settings.
 *
 * What operators write for a runtime, and what containerd's CRI plugin makes
 * of it, is a few `key = value` lines. So this takes the part of TOML 1.0
 * (toml.io) that they are made of, and takes it by the letter:
 *
 *   comments, blank lines, line ends of both kinds, a byte order mark;
 *   bare, "quoted", 'quoted' and dotted keys; [tables];
 *   "basic" strings with all escapes, also 1.1's \e and \xHH, as containerd
 *   reads them; 'literal' strings;
 *   integers in all four bases and with underscores; booleans.
 *
 * The rest is refused by its name and not passed over, for a setting that is
 * dropped in silence is worse than one that is refused: arrays, inline tables,
 * arrays of tables, floats, dates and times, multi-line strings. So are empty
 * keys, and control characters in keys.
 *
 * A document is walked once and nothing is kept: what comes twice is handed
 * out twice, and it is the callback that can tell. Nothing is allocated.
 */
#ifndef WISP_SHIM_TOML_H
#define WISP_SHIM_TOML_H

#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Longer paths (with the NUL) and longer strings are refused. A string may be
 * a path, which has no more than that on Linux. */
#define TOML_PATH_MAX 256
#define TOML_STRING_MAX 4096

enum toml_type { TOML_STRING, TOML_INTEGER, TOML_BOOL, TOML_TABLE };

/* Valid until the callback returns. */
struct toml_item {
	/* "table.key", not empty. A dot within a quoted key looks the same. */
	const char *path;
	enum toml_type type; /* TOML_TABLE: a [table] begins */
	/* TOML_STRING: n bytes of UTF-8 with a NUL after them that n does not
	 * count. More may be among them: "\u0000" is a character. */
	const char *text;
	size_t n;
	int64_t number; /* TOML_INTEGER; of TOML_BOOL, 0 or 1 */
};

/* 0, or a negative errno that ends the walk, with the reason in e. Where the
 * key was is put in front of it. */
typedef int (*toml_cb)(const struct toml_item *item, void *arg, struct err *e);

/* 0; -EINVAL with line, column and reason in the message; what cb returned.
 * Both count from 1, columns in characters. text needs no NUL at the end. */
int toml_scan(const char *text, size_t n, toml_cb cb, void *arg, struct err *e);

#endif
