/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - the terminal that wispctl was started on: raw while a container
 * has it, as it was before and after (termios(3)).
 */
#ifndef WISP_CTL_TERMINAL_H
#define WISP_CTL_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "platform/err.h"

struct ctl_terminal {
	bool raw;
	struct termios before;
};

/* Makes the terminal on stdin raw: every key goes to the container. */
int ctl_terminal_raw(struct ctl_terminal *t, struct err *e);

/* Idempotent. */
void ctl_terminal_restore(struct ctl_terminal *t);

/* Of the terminal on stdin, or else stdout. False if there is none. */
bool ctl_terminal_size(uint32_t *ret_width, uint32_t *ret_height);

#endif
