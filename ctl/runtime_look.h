/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_look.h - commands of the OCI runtime that a shim waits for, and where
 * they hang, seen from outside.
 */
#ifndef WISP_CTL_RUNTIME_LOOK_H
#define WISP_CTL_RUNTIME_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/json.h"

/* An array of those among a process's children, in the form of shim/dump.h:
 * verb, container (the id, if that is one of its words), pid, ageMs, and the
 * process. */
void runtime_look_commands(int64_t pid, const char *id, yajl_gen g);

/* An array of the processes below one, the nearest first: what a command that
 * hangs waits for as a rule is one of them, a hook for example. */
void runtime_look_below(int64_t pid, yajl_gen g);

/* The verb of a runtime's command line, or NULL: it is none. words as
 * look_words() has them. */
const char *runtime_look_verb(const char *words, size_t n);

#endif
