/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look_line.h - the command line of another process.
 *
 * It is in that process's memory: its PEB leads to its parameters, which have
 * it (winternl.h; the offsets are those of 64-bit programs and fixed since
 * Windows XP). The call that would copy it out, ProcessCommandLineInformation,
 * is not there under Wine 8.
 */
#ifndef WISP_PLATFORM_WINDOWS_LOOK_LINE_H
#define WISP_PLATFORM_WINDOWS_LOOK_LINE_H

#include <stddef.h>
#include <stdint.h>

/* As UTF-8, as much as has room; "" if it can't be read. Returns its length. */
size_t look_command_line(int64_t pid, char *buf, size_t n);

#endif
