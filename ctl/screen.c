/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/screen.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void screen_on(struct screen *s)
{
	struct termios t;

	if (s->on)
		return;
	s->on = true;
	s->keys = tcgetattr(STDIN_FILENO, &s->before) == 0;
	if (s->keys) {
		t = s->before;
		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
		s->keys = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	}
	fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
}

void screen_off(struct screen *s)
{
	if (!s->on)
		return;
	s->on = false;
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
}

void screen_begin(void)
{
	fputs("\033[H", stdout);
}

void screen_end(void)
{
	fputs("\033[J", stdout);
	fflush(stdout);
}

void screen_size(unsigned *ret_columns, unsigned *ret_lines)
{
	struct winsize w;

	*ret_columns = 80;
	*ret_lines = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 ||
		w.ws_row == 0)
		return;
	*ret_columns = w.ws_col;
	*ret_lines = w.ws_row;
}
