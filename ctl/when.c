/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_DIGITS 9
#define AGO_MAX (100ll * 365 * 86400) /* a hundred years */

/* ".5" in nanoseconds; where it ends. */
static const char *parse_part(const char *text, long *ret_ns)
{
	int digits;

	*ret_ns = 0;
	if (*text != '.')
		return text;
	text++;
	for (digits = 0; digits < NS_DIGITS; digits++) {
		*ret_ns *= 10;
		if (isdigit((unsigned char)*text))
			*ret_ns += *text++ - '0';
	}
	while (isdigit((unsigned char)*text))
		text++;
	return text;
}

static int parse_zone(const char *text, long *ret_s)
{
	int hours, minutes, n = 0;

	*ret_s = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if ((*text != '+' && *text != '-') ||
		sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 ||
		text[1 + n] || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_s = (hours * 60L + minutes) * 60 * (*text == '-' ? -1 : 1);
	return 0;
}

static int parse_date(const char *text, struct timespec *ret)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long ns, zone;

	if (!end || parse_zone(parse_part(end, &ns), &zone) < 0)
		return -EINVAL;
	ret->tv_sec = timegm(&tm) - zone;
	ret->tv_nsec = ns;
	return 0;
}

static int parse_ago(const char *text, struct timespec *ret)
{
	long long total = 0;

	while (*text) {
		char *end;
		long long n, unit;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		n = strtoll(text, &end, 10);
		unit = *end == 's'   ? 1
		       : *end == 'm' ? 60
		       : *end == 'h' ? 3600
		       : *end == 'd' ? 86400
				     : 0;
		if (!unit || n > AGO_MAX / unit)
			return -EINVAL;
		total += n * unit;
		if (total > AGO_MAX)
			return -EINVAL;
		text = end + 1;
	}
	clock_gettime(CLOCK_REALTIME, ret);
	ret->tv_sec -= (time_t)total;
	return 0;
}

int ctl_when_parse(const char *text, struct timespec *ret)
{
	struct timespec at = {0};
	const char *rest;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	if (strchr(text, 'T'))
		return parse_date(text, ret);
	errno = 0;
	at.tv_sec = (time_t)strtoll(text, &end, 10);
	if (errno)
		return -EINVAL;
	rest = parse_part(end, &at.tv_nsec);
	if (*rest)
		return parse_ago(text, ret);
	*ret = at;
	return 0;
}
