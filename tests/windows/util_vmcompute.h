/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_vmcompute.h - layers on a disk, and the double of vmcompute.dll.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_VMCOMPUTE_H
#define WISP_TESTS_WINDOWS_UTIL_VMCOMPUTE_H

#include <stdbool.h>

#include "platform/mount.h"

/* The double works in the folder vmc below the test's own; there are the
 * folders of layers "top", "mid" and "base" in layers, and "scratch", which is
 * empty. Absolute paths with '\\'. */
void vmc_begin(void);

/* The path of a layer, as Windows has it. */
const char *vmc_layer(const char *name);

/* A mount of them: rw, all three parents. Valid until the next call. */
const struct mount_spec *vmc_mount(void);

/* The Nth call from now on that the log has fails with this HRESULT, and then
 * more calls of the same function that come right after it. */
void vmc_fail(unsigned nth, unsigned long hr, unsigned more);
void vmc_fail_no_more(void);

/* The names of the calls since the last time, each with its first letter(s):
 * C (create), A (activate), P (prepare), g (size), G (path), U, D; NameToGuid
 * is left out. A call that failed has a '!' behind it. */
const char *vmc_calls(void);

/* How many calls there have been, NameToGuid included. */
unsigned vmc_count(void);

/* The Nth line of the log, from 0 on. "" if there is none. */
const char *vmc_line(unsigned nth);

/* No layer is active or prepared. */
bool vmc_is_clean(void);

#endif
