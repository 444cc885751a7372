/* SPDX-License-Identifier: Apache-2.0 */
/* The part of standard.h that is about the terminal. */
#include <errno.h>
#include <stdlib.h>

#include "platform/standard.h"
#include "platform/windows/win.h"

#ifndef ENABLE_VIRTUAL_TERMINAL_INPUT
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x0200
#endif
#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif
#ifndef DISABLE_NEWLINE_AUTO_RETURN
#define DISABLE_NEWLINE_AUTO_RETURN 0x0008
#endif

struct terminal {
	HANDLE in, out; /* borrowed: of the process */
	DWORD in_mode, out_mode;
	UINT out_page;
	bool has_out;
};

int terminal_raw(struct terminal **ret)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->in = GetStdHandle(STD_INPUT_HANDLE);
	t->out = GetStdHandle(STD_OUTPUT_HANDLE);
	if (!GetConsoleMode(t->in, &t->in_mode) ||
		!SetConsoleMode(t->in,
			ENABLE_VIRTUAL_TERMINAL_INPUT | ENABLE_EXTENDED_FLAGS |
				(t->in_mode & ENABLE_QUICK_EDIT_MODE))) {
		free(t);
		return -ENOTTY;
	}
	t->has_out = GetConsoleMode(t->out, &t->out_mode);
	t->out_page = GetConsoleOutputCP();
	if (t->has_out) {
		SetConsoleOutputCP(CP_UTF8);
		SetConsoleMode(t->out,
			ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT |
				ENABLE_VIRTUAL_TERMINAL_PROCESSING |
				DISABLE_NEWLINE_AUTO_RETURN);
	}
	*ret = t;
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (!t)
		return;
	SetConsoleMode(t->in, t->in_mode);
	if (t->has_out) {
		SetConsoleMode(t->out, t->out_mode);
		SetConsoleOutputCP(t->out_page);
	}
	free(t);
}

bool terminal_is_there(void)
{
	DWORD mode;

	return GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode);
}

bool terminal_size(uint32_t *ret_width, uint32_t *ret_height)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info))
		return false;
	*ret_width = (uint32_t)(info.srWindow.Right - info.srWindow.Left + 1);
	*ret_height = (uint32_t)(info.srWindow.Bottom - info.srWindow.Top + 1);
	return *ret_width > 0 && *ret_height > 0;
}
