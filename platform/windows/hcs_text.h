/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcs_text.h - documents on their way from the host compute service.
 */
#ifndef WISP_PLATFORM_WINDOWS_HCS_TEXT_H
#define WISP_PLATFORM_WINDOWS_HCS_TEXT_H

#include <stdint.h>

#include "platform/windows/win.h"

/* More than that of one document is not read. */
#define HCS_TEXT_MAX (4 * 1024 * 1024)

/* UTF-8 in fresh memory. -E2BIG, -EINVAL, -ENOMEM. */
int hcs_narrow(const wchar_t *text, char **ret);

/* How a process has ended, by the document of its HcsEventProcessExited, which
 * may be any text: ProcessStatus of the schema. As hcsshim has it, a code that
 * is not there is 0, and one whose LastWaitResult is not 0 is none: false, as
 * for all that can't be read. */
bool hcs_exit_code(const char *json, uint32_t *ret);

#endif
