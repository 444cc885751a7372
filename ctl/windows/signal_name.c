/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals on Windows are console events, by the numbers that the task API has
 * for them there (hcsshim, internal/signals), and the two that stand for "end"
 * everywhere. 0 is one of them.
 */
#include "ctl/signal_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST 64

static const struct {
	const char *name;
	uint32_t number;
} names[] = {
	{"CtrlC", 0},
	{"CtrlBreak", 1},
	{"CtrlClose", 2},
	{"CtrlLogOff", 5},
	{"CtrlShutdown", 6},
	{"KILL", SIGKILL},
	{"TERM", 15},
};

const char *const ctl_signal_help =
	"CtrlC, CtrlBreak, CtrlClose, CtrlLogOff, CtrlShutdown, TERM, KILL, or "
	"a number from 0 to 64";

int ctl_signal_number(const char *text, uint32_t *ret)
{
	unsigned long n;
	char *end;
	size_t i;

	if (isdigit((unsigned char)*text)) {
		n = strtoul(text, &end, 10);
		if (*end || n > LAST)
			return -EINVAL;
		*ret = (uint32_t)n;
		return 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, text) == 0) {
			*ret = names[i].number;
			return 0;
		}
	return -EINVAL;
}
