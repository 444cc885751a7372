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

/* The number at path in a JSON document, which may be any text: false if it is
 * not there, or none of 0 to max. */
bool hcs_number(
	const char *json, const char *path, uint64_t max, uint64_t *ret);

#endif
