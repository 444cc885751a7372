/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - a file of lines that many processes add to and many read, and that
 * becomes PATH.1 when it is large: the log of a tool, not of a shim.
 */
#ifndef WISP_PLATFORM_LINES_H
#define WISP_PLATFORM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "platform/err.h"

/* Adds a line, whose newline is added here; if the file is larger than max
 * then, it becomes PATH.1, in the place of the one before. One at a time does
 * so; never waits for long. That it failed is told, and of no consequence. */
int lines_add(const char *path, const char *line, size_t max);

/* To read, while others write, rename and remove it. NULL: errno tells. */
FILE *lines_open(const char *path);

/* The next line with its newline, which the last one may lack; getline(3). */
ssize_t lines_get(char **line, size_t *room, FILE *f);

/* Whether both are the same file, whatever it is called by now. */
bool lines_are_same(FILE *a, FILE *b);

/* Waits until a file in a folder may have changed, or is there for the first
 * time: inotify(7), FindFirstChangeNotification(). */
struct lines_watch;
int lines_watch_new(const char *folder, struct lines_watch **ret);
int lines_watch_wait(struct lines_watch *w);
void lines_watch_free(struct lines_watch *w); /* NULL is fine */

#endif
