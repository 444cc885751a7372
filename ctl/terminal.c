/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/say.h"

int ctl_terminal_raw(struct ctl_terminal *t, struct err *e)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->before) < 0)
		return err_sys(e, -errno, "terminal on stdin");
	raw = t->before;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_sys(e, -errno, "terminal on stdin");
	t->raw = true;
	ctl_say_raw(true);
	return 0;
}

void ctl_terminal_restore(struct ctl_terminal *t)
{
	if (!t->raw)
		return;
	tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	t->raw = false;
	ctl_say_raw(false);
}

bool ctl_terminal_size(uint32_t *ret_width, uint32_t *ret_height)
{
	struct winsize w;

	if ((ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0 &&
		    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0) ||
		w.ws_col == 0 || w.ws_row == 0)
		return false;
	*ret_width = w.ws_col;
	*ret_height = w.ws_row;
	return true;
}
