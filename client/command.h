/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - run a shim's binary as the daemon does. For client/ itself:
 * shim.h is what others use.
 */
#ifndef WISP_CLIENT_COMMAND_H
#define WISP_CLIENT_COMMAND_H

#include "client/container.h"
#include "client/program.h"

/* Runs `start` or `delete` with a daemon's arguments, environment, stdin and
 * working folder. k is borrowed until cb has run; drop with
 * client_program_drop(c, arg). */
int client_command_run(struct client *c, const struct client_container *k,
	const char *command, client_program_cb cb, void *arg, struct err *e);

/* 0 if it went well; otherwise tells why not, in the shim's own words. */
int client_command_failed(const struct client_program_result *r,
	const struct client_container *k, const char *command, struct err *e);

#endif
