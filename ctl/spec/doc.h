/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc.h - a JSON document that knows where in its text every value stands.
 *
 * For telling people what is wrong with a file. Hostile input is expected:
 * depth and number of values are bounded, UTF-8 is checked, and nothing is
 * lost: duplicate keys stay, numbers keep their spelling.
 */
#ifndef WISP_CTL_DOC_H
#define WISP_CTL_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

#define DOC_TEXT_MAX (16u << 20) /* bytes */
#define DOC_DEPTH_MAX 64
#define DOC_VALUES_MAX 250000u

enum doc_type {
	DOC_NULL,
	DOC_BOOL,
	DOC_NUMBER,
	DOC_STRING,
	DOC_OBJECT,
	DOC_ARRAY,
};

struct doc_node {
	enum doc_type type;
	size_t at;        /* where the value begins; bytes from the start */
	const char *key;  /* in an object, decoded; NULL in an array */
	size_t key_at;    /* where the key begins, its quote included */
	const char *text; /* a string decoded, a number as it is written; both
			   * with a NUL after them. true and false. */
	size_t text_n;    /* of a string: more than strlen() if it has NULs */
	size_t n;         /* members or elements */
	size_t index;     /* among its siblings, from 0 */
	struct doc_node *parent, *next; /* NULL: the top; the last */
	struct doc_node *first, *last;
	struct doc_node *older; /* all there are, for doc_free() */
};

struct doc {
	const char *text; /* borrowed */
	size_t text_n;
	struct doc_node *top; /* NULL after an error */
	struct doc_node *newest;
	size_t error_at; /* where the text stops being JSON */
};

/* Reads n bytes of text, which must stay while ret is used. -EINVAL: no JSON,
 * the message says why and ret->error_at where; -E2BIG: too deep or too many
 * values, likewise; -ENOMEM. doc_free() in any case. */
int doc_parse(struct doc *ret, const char *text, size_t n, struct err *e);
void doc_free(struct doc *d);

/* Where a byte is: line and column from 1, a column for each character. */
struct doc_place {
	size_t at, line, column;
};

#define DOC_START       \
	{               \
		0, 1, 1 \
	}

/* Moves forward to a byte. */
void doc_seek(const struct doc *d, struct doc_place *p, size_t at);

/* The bytes of the line in which a byte stands, without its newline. */
const char *doc_line(const struct doc *d, size_t at, size_t *ret_n);

/* The first member with that name, or NULL; also if v is NULL or no object. */
const struct doc_node *doc_get(const struct doc_node *v, const char *key);
/* The same, if it has that type. */
const struct doc_node *doc_get_type(
	const struct doc_node *v, const char *key, enum doc_type type);
/* A string without NULs, or NULL. */
const char *doc_get_text(const struct doc_node *v, const char *key);
const char *doc_text(const struct doc_node *v);

/* An integer that has the bits of a 64 bit one; false if v is none. */
bool doc_int(const struct doc_node *v, long long *ret);

/* true, not false, not anything else. */
bool doc_is_true(const struct doc_node *v);

/* "process.args[1]", "annotations[\"a.b\"]"; cut if there is no room. */
void doc_path(const struct doc_node *v, char *buf, size_t n);

#endif
