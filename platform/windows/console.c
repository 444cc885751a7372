/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/console.h"

#include <stdlib.h>

#include "platform/windows/conpty.h"
#include "platform/windows/pipe.h"

/* What a terminal is until somebody says otherwise. */
static const COORD usual_size = {.X = 80, .Y = 25};

struct console {
	HPCON_ pty;                      /* NULL: nobody has asked for one */
	struct stream *output, *input;   /* until console_receive() */
	struct endpoint *out, *in;       /* theirs, until they are in use */
	const struct console_host *host; /* NULL: the pseudo console is ours */
	void *host_arg;
	/* One more of input: at the end of its input a pseudo console hangs up,
	 * which is for console_close() to do. */
	HANDLE keep;
};

struct functions {
	HRESULT(WINAPI *create)
	(COORD size, HANDLE in, HANDLE out, DWORD flags, HPCON_ *ret);
	HRESULT(WINAPI *resize)(HPCON_ pty, COORD size);
	void(WINAPI *close)(HPCON_ pty);
};

/* Windows has them from version 1809 on. */
static bool find_functions(struct functions *f)
{
	HMODULE k = GetModuleHandleW(L"kernel32.dll");

	if (!k)
		return false;
	f->create = (void *)GetProcAddress(k, "CreatePseudoConsole");
	f->resize = (void *)GetProcAddress(k, "ResizePseudoConsole");
	f->close = (void *)GetProcAddress(k, "ClosePseudoConsole");
	return f->create && f->resize && f->close;
}

static int console_open(struct console *c, struct event_base *base)
{
	int r = stream_pipe_from_child(base, &c->output, &c->out);

	return r < 0 ? r : stream_pipe_to_child(base, &c->input, &c->in);
}

static int keep_input(struct console *c)
{
	HANDLE self = GetCurrentProcess();

	return DuplicateHandle(self, stream_handle(c->input), self, &c->keep, 0,
		       FALSE, DUPLICATE_SAME_ACCESS)
		       ? 0
		       : win_last();
}

/* It has handles of its own, or needs none. */
static void close_ends(struct console *c)
{
	endpoint_close(c->in);
	endpoint_close(c->out);
	c->in = c->out = NULL;
}

int console_new(struct event_base *base, const char *dir, const char *name,
	struct console **ret, struct err *e)
{
	struct console *c = calloc(1, sizeof(*c));
	int r;

	(void)dir;
	(void)name;
	if (!c)
		return err_set(e, -ENOMEM, "no memory for a console");
	r = console_open(c, base);
	if (r < 0) {
		console_close(c);
		return err_sys(e, r, "pseudo console");
	}
	*ret = c;
	return 0;
}

/* There is no runtime that would have to be told. */
const char *console_socket(const struct console *c)
{
	(void)c;
	return NULL;
}

int console_pty(struct console *c, void **ret)
{
	struct functions f;
	HRESULT hr;
	int r;

	if (c->pty) {
		*ret = c->pty;
		return 0;
	}
	if (!find_functions(&f))
		return -ENOSYS;
	if (!c->in || !c->out || !c->input)
		return -EBUSY;
	r = keep_input(c);
	if (r < 0)
		return r;
	hr = f.create(usual_size, endpoint_handle(c->in),
		endpoint_handle(c->out), 0, &c->pty);
	if (hr != S_OK)
		return win_error((DWORD)hr & 0xffff);
	close_ends(c);
	*ret = c->pty;
	return 0;
}

int console_give(struct console *c, HANDLE *out, HANDLE *in,
	const struct console_host *host, void *arg)
{
	struct stream *unused;
	int r = c->in && c->out && c->input ? 0 : -EBUSY;

	if (r == 0)
		r = endpoint_give(c->out, out, &unused);
	if (r == 0)
		r = endpoint_give(c->in, in, &unused);
	if (r == 0)
		r = keep_input(c);
	if (r < 0)
		return r;
	close_ends(c);
	c->host = host;
	c->host_arg = arg;
	return 0;
}

int console_receive(struct console *c, struct stream **ret_output,
	struct stream **ret_input, struct err *e)
{
	if (!c->output)
		return err_set(e, -EPROTO, "the console has been received");
	*ret_output = c->output;
	*ret_input = c->input;
	c->output = c->input = NULL;
	return 0;
}

int console_resize(struct console *c, uint32_t width, uint32_t height)
{
	COORD size = {.X = (SHORT)width, .Y = (SHORT)height};
	struct functions f;
	HRESULT hr;

	if (!c->host && (!c->pty || !find_functions(&f)))
		return -ENOTTY;
	if (width == 0 || height == 0 || width > 32767 || height > 32767)
		return -EINVAL;
	if (c->host)
		return c->host->resize(c->host_arg, width, height);
	hr = f.resize(c->pty, size);
	if (hr == E_NOTIMPL)
		return -ENOSYS;
	return hr == S_OK ? 0 : win_error((DWORD)hr & 0xffff);
}

static DWORD WINAPI hang_up(void *pty)
{
	struct functions f;

	if (find_functions(&f))
		f.close(pty);
	return 0;
}

/* Before Windows 11 24H2 ClosePseudoConsole() waits until its last picture has
 * been read, and until the programs on it have ended (its documentation), so it
 * must not be called by the loop that reads. A shim that exits meanwhile takes
 * the console with it all the same. */
void console_finish(struct console *c)
{
	HANDLE thread;

	if (!c->pty)
		return;
	thread = CreateThread(NULL, 256 * 1024, hang_up, c->pty,
		STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
	if (!thread)
		return; /* console_close() tries again */
	CloseHandle(thread);
	c->pty = NULL;
}

void console_close(struct console *c)
{
	if (!c)
		return;
	/* then nobody needs to read a last picture */
	stream_close(c->output);
	stream_close(c->input);
	handle_close(&c->keep);
	close_ends(c);
	if (c->host)
		c->host->closed(c->host_arg);
	console_finish(c);
	if (c->pty)
		hang_up(c->pty);
	free(c);
}
