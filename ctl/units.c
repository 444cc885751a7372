/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/units.h"

#include <inttypes.h>
#include <stdio.h>

const char *units_age(uint64_t ms, char buf[UNITS_MAX])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(buf, UNITS_MAX, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, UNITS_MAX, "%" PRIu64 "m%02us", s / 60,
			(unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buf, UNITS_MAX, "%" PRIu64 "h%02um", s / 3600,
			(unsigned)(s / 60 % 60));
	else
		snprintf(buf, UNITS_MAX, "%" PRIu64 "d%02uh", s / 86400,
			(unsigned)(s / 3600 % 24));
	return buf;
}

const char *units_size(uint64_t bytes, char buf[UNITS_MAX])
{
	static const char letters[] = "KMGTPE";
	double x = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(buf, UNITS_MAX, "%uB", (unsigned)bytes);
		return buf;
	}
	while (x >= 999.5 && i + 1 < sizeof(letters) - 1) {
		x /= 1024;
		i++;
	}
	snprintf(buf, UNITS_MAX, x < 9.95 ? "%.1f%c" : "%.0f%c", x, letters[i]);
	return buf;
}
