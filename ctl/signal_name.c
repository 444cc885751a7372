/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/signal_name.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_RT 34
#define LAST 64

/* A number and nothing else. */
static int parse_number(const char *text, long *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	*ret = strtol(text, &end, 10);
	return *end ? -EINVAL : 0;
}

/* "RTMIN", "RTMIN+3", "RTMAX-1" */
static int parse_realtime(const char *text, long *ret)
{
	bool from_min = strncasecmp(text, "RTMIN", 5) == 0;
	const char *rest = text + 5;
	long n = 0;

	if (!from_min && strncasecmp(text, "RTMAX", 5) != 0)
		return -EINVAL;
	if (*rest &&
		(*rest != (from_min ? '+' : '-') ||
			parse_number(rest + 1, &n) < 0 || n > LAST - FIRST_RT))
		return -EINVAL;
	*ret = from_min ? FIRST_RT + n : LAST - n;
	return 0;
}

static int parse_name(const char *text, long *ret)
{
	int sig;

	for (sig = 1; sig < FIRST_RT; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && strcasecmp(name, text) == 0) {
			*ret = sig;
			return 0;
		}
	}
	return -EINVAL;
}

const char *const ctl_signal_help = "a name or a number, as signal(7) has them";

int ctl_signal_number(const char *text, uint32_t *ret)
{
	long n;

	if (parse_number(text, &n) < 0) {
		if (strncasecmp(text, "SIG", 3) == 0)
			text += 3;
		if (parse_name(text, &n) < 0 && parse_realtime(text, &n) < 0)
			return -EINVAL;
	}
	if (n < 1 || n > LAST)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}
