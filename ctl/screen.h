/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - a terminal that is drawn anew again and again (xterm's control
 * sequences, which every terminal of today knows): its other screen, so that
 * what was there before comes back.
 */
#ifndef WISP_CTL_SCREEN_H
#define WISP_CTL_SCREEN_H

#include <stdbool.h>
#include <termios.h>

struct screen {
	bool on;
	bool keys; /* stdin tells each key at once */
	struct termios before;
};

/* stdout must be a terminal. Keys are read if stdin is one, too; ^C and the
 * like still make signals. */
void screen_on(struct screen *s);

/* As it was before. Idempotent. */
void screen_off(struct screen *s);

/* Around what is printed: lines end in SCREEN_EOL. */
#define SCREEN_EOL "\033[K\n"
void screen_begin(void);
void screen_end(void);

/* How many columns and lines there are; 80 and 24 if it does not tell. */
void screen_size(unsigned *ret_columns, unsigned *ret_lines);

#endif
