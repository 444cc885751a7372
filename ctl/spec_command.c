/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ctl/check.h"
#include "ctl/command.h"
#include "ctl/say.h"

int ctl_spec(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return check_command(argc - 1, argv + 1);
	ctl_say("use `wispctl spec check`");
	return CTL_FAILED;
}
