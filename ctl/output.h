/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - a container's output, kept: the log of a detached container.
 *
 * One JSON object on each line, as docker's json-file driver writes them:
 *
 *     {"log":"text\n","stream":"stdout","time":"2026-11-21T23:24:41.000000001Z"}
 *
 * An entry is a line, or the part of one that came at once. Nothing is changed:
 * an entry that is not UTF-8 has "bytes":true, and a character U+0000 to U+00FF
 * for each byte. When the file is larger than max it becomes PATH.1 (in the
 * place of the one before), so there are at most two of that size.
 */
#ifndef WISP_CTL_OUTPUT_H
#define WISP_CTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

#define CTL_OUTPUT_MAX (10u << 20)
#define CTL_OUTPUT_BUFFER 8192

struct ctl_output {
	const char *path; /* borrowed */
	uint64_t max, size;
	uint64_t lost; /* bytes that could not be written; told when they can */
	int lost_why;
	int fd;
	size_t n;
	char buf[CTL_OUTPUT_BUFFER];
};

/* Opens, or makes, the file. What a writer that was killed has left unfinished
 * at its end is cut off. */
int ctl_output_open(
	struct ctl_output *o, const char *path, uint64_t max, struct err *e);

/* Adds bytes of stdout, or of stderr. When this returns 0 they are in the file;
 * -errno if they are not (a full disk), and will not be. */
int ctl_output_add(
	struct ctl_output *o, bool is_err, const void *data, size_t n);

void ctl_output_close(struct ctl_output *o);

/* One line of such a file. text has text_n bytes, is not a string, and points
 * into the line, which is written over; time is a string in it. -EINVAL: the
 * line is none of ours. */
struct ctl_output_entry {
	char *text;
	size_t text_n;
	const char *time;
	bool is_err;
};
int ctl_output_parse(char *line, struct ctl_output_entry *ret);

#endif
