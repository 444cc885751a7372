/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static bool in_range(uint8_t c, uint8_t low, uint8_t high)
{
	return c >= low && c <= high;
}

size_t text_utf8(const char *text, size_t left)
{
	const uint8_t *s = (const uint8_t *)text;
	uint8_t low = 0x80, high = 0xbf;
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (in_range(s[0], 0xc2, 0xdf))
		n = 2;
	else if (in_range(s[0], 0xe0, 0xef))
		n = 3;
	else if (in_range(s[0], 0xf0, 0xf4))
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
	high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
	if (!in_range(s[1], low, high))
		return 0;
	for (i = 2; i < n; i++) {
		if (!in_range(s[i], 0x80, 0xbf))
			return 0;
	}
	return n;
}

void text_make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f ||
			*text == '"' || *text == '\\')
			*text = '?';
}

void text_time(const struct timespec *at, char buf[TEXT_TIME_MAX])
{
	struct tm tm = {0}; /* for a year that struct tm has no room for */
	size_t n;

	gmtime_r(&at->tv_sec, &tm);
	n = strftime(buf, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, TEXT_TIME_MAX - n, ".%09ldZ", at->tv_nsec);
}
