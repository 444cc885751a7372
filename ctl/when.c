/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
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

/* Days since 1970 of a day in the Gregorian calendar, whose years begin in
 * March here: so a leap day is the last one. */
static long long days_of(long long year, int month, int day)
{
	long long y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       719469;
}

static bool is_date(const int *t)
{
	static const int days[] = {
		31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return t[1] >= 1 && t[1] <= 12 && t[2] >= 1 && t[2] <= days[t[1] - 1] &&
	       t[3] >= 0 && t[3] <= 23 && t[4] >= 0 && t[4] <= 59 &&
	       t[5] >= 0 && t[5] <= 60;
}

static int parse_date(const char *text, struct timespec *ret)
{
	int t[6], n = 0;
	long ns, zone;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &t[0], &t[1], &t[2],
		    &t[3], &t[4], &t[5], &n) != 6 ||
		strcspn(text, "+ ") < (size_t)n || !is_date(t) ||
		parse_zone(parse_part(text + n, &ns), &zone) < 0)
		return -EINVAL;
	ret->tv_sec = (time_t)(days_of(t[0], t[1], t[2]) * 86400 + t[3] * 3600 +
			       t[4] * 60 + t[5] - zone);
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
