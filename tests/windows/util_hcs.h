/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_hcs.h - containers with process isolation, over the double of
 * computecore.dll (double/computecore.c), and what that has seen.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_HCS_H
#define WISP_TESTS_WINDOWS_UTIL_HCS_H

#include <stdbool.h>
#include <stddef.h>

#define HCS_VOLUME "\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\"

/* The double works in the folder hcs below the test's own, which is empty. */
void hcs_begin(void);

/* Writes config.json: a container of layers that runs this program with these
 * words; more JSON for the process, for windows, and for all of it ("" or
 * ", ..."). */
void hcs_bundle(const char *const *words, const char *process,
	const char *windows, const char *all);

/* "FUNCTION N HOW HRESULT": see the double. NULL: no plan. */
void hcs_plan(const char *line);

/* A file of the double's. */
void hcs_put(const char *name, const char *text);

/* The log begins anew. Not while something is going on. */
void hcs_forget(void);

/* How often a function has been called. */
unsigned hcs_called(const char *function);

/* The document of its Nth call, from 1 on: borrowed until the next call; "" if
 * there is none. */
const char *hcs_document(const char *function, unsigned nth);

/* The functions that have been called since the last time, but for those of
 * operations, without "Hcs" in front, with a blank behind each; a call that
 * failed has a '!'. Borrowed. */
const char *hcs_calls(void);

/* The numbers of all things of a kind ("system") that have been closed, in that
 * order, with a blank behind each. Borrowed. */
const char *hcs_closed(const char *kind);

/* What is open of all that was opened, and handles that were none: "" if all
 * is well. Borrowed. */
const char *hcs_left(void);

/* The text of a value of a JSON document, by its path as json.h has it; "" if
 * it is not there. Borrowed. */
const char *hcs_value(const char *json, const char *path);

#endif
