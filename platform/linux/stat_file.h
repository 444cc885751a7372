/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_file.h - read the small text files of cgroups and of /proc (Linux only).
 *
 * All of them are words on lines, so that is how they are read: through a small
 * buffer, whatever their size, without allocating. A file that is missing or
 * can't be read is an empty one; what does not look as it should is skipped.
 */
#ifndef WISP_PLATFORM_LINUX_STAT_FILE_H
#define WISP_PLATFORM_LINUX_STAT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/cgroup_stats.h"

/* The longest word; longer ones come out empty. */
#define STAT_WORD_MAX 64

/* As much of a file as is looked at. */
#define STAT_FILE_MAX (128 << 10)

struct stat_file {
	int fd;
	char sep; /* what ended the last word: ' ', ':', '=' or '\n' */
	bool cut; /* the file is longer than STAT_FILE_MAX */
	size_t at, n, left;
	char buf[512];
};

/* False: there is no such file, and nothing to close. */
bool stat_open(struct stat_file *f, int dir, const char *name);
void stat_close(struct stat_file *f);

/* The next word, in a buffer of STAT_WORD_MAX bytes. Blanks around it are
 * skipped, and a blank before the end of a line does not count. False at the
 * end of the file. */
bool stat_word(struct stat_file *f, char *word);

/* Goes on behind the end of the line, if the last word was not its end. */
void stat_skip_line(struct stat_file *f);

/* A decimal number, all of the word. What is negative counts as 0, "max" as
 * UINT64_MAX. */
bool stat_number(const char *word, uint64_t *ret);

/* "12.34". */
bool stat_real(const char *word, double *ret);

/* A file that is one number. */
bool stat_read(int dir, const char *name, uint64_t *ret);

/* The same, and tells it. */
void stat_tell(
	struct stat_sink *sink, int dir, const char *name, unsigned field);

/* Where the number behind a word belongs. The text is in the table itself, so
 * that the table needs no relocation. */
struct stat_key {
	uint8_t field;
	char name[27];
};

/* Tells the numbers of "name number" lines, or of one line's "name=number"
 * words, those of them that are in keys, times factor. */
void stat_pairs(struct stat_file *f, const struct stat_key *keys, size_t n,
	uint64_t factor, struct stat_sink *sink);
void stat_words(struct stat_file *f, const struct stat_key *keys, size_t n,
	struct stat_sink *sink);

/* RdmaStat: rdma.current and rdma.max, the same in v1 and v2. */
void stat_rdma(int dir, struct stat_sink *sink);

/* Calls each() for every page size for which there is a hugetlb.SIZE.suffix. */
void stat_page_sizes(int dir, const char *suffix,
	void (*each)(int dir, const char *size, struct stat_sink *sink),
	struct stat_sink *sink);

#endif
