/* SPDX-License-Identifier: Apache-2.0 */
/* What wispctl can do on Windows. */
#include "ctl/command.h"

const struct ctl_command ctl_commands[] = {};

const size_t ctl_n_commands = sizeof(ctl_commands) / sizeof(ctl_commands[0]);
