/* SPDX-License-Identifier: Apache-2.0 */
/* The part of stream.h that is about what children get. */
#include <stdlib.h>

#include "platform/windows/pipe.h"
#include "platform/windows/stream_file.h"

struct endpoint {
	HANDLE h;            /* NULL: the child dials */
	char *name;          /* NULL: it is handed over */
	struct stream *ours; /* the other end of the pipe; NULL: not known */
};

int endpoint_of_name(const wchar_t *name, struct endpoint **ret)
{
	size_t room = 4 * wcslen(name) + 1;
	struct endpoint *ep = calloc(1, sizeof(*ep));

	if (ep)
		ep->name = malloc(room);
	if (!ep || !ep->name || win_narrow(name, ep->name, room) < 0) {
		endpoint_close(ep);
		return -ENOMEM;
	}
	*ret = ep;
	return 0;
}

const char *endpoint_name(const struct endpoint *ep)
{
	return ep->name;
}

int endpoint_from_handle(HANDLE h, struct endpoint **ret)
{
	struct endpoint *ep = calloc(1, sizeof(*ep));

	if (!ep) {
		CloseHandle(h);
		return -ENOMEM;
	}
	ep->h = h;
	*ret = ep;
	return 0;
}

HANDLE endpoint_handle(const struct endpoint *ep)
{
	return ep->h;
}

void endpoint_set_ours(struct endpoint *ep, struct stream *ours)
{
	ep->ours = ours;
}

int endpoint_give(struct endpoint *ep, HANDLE *h, struct stream **ret_ours)
{
	int r = ep->ours ? stream_replace(ep->ours, h) : -EINVAL;

	if (r < 0)
		return r;
	handle_close(&ep->h);
	*ret_ours = ep->ours;
	return 0;
}

void endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	handle_close(&ep->h);
	free(ep->name);
	free(ep);
}

int endpoint_chown(struct endpoint *ep, uint32_t uid, uint32_t gid)
{
	(void)ep;
	(void)uid;
	(void)gid;
	return 0;
}

int endpoint_append(const char *path, struct endpoint **ret)
{
	wchar_t wide[WIN_PATH_MAX];
	HANDLE h;
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	h = stream_file_append(wide, true);
	return h == INVALID_HANDLE_VALUE ? win_last()
					 : endpoint_from_handle(h, ret);
}

int endpoint_null(struct endpoint **ret)
{
	SECURITY_ATTRIBUTES sa = {
		.nLength = sizeof(sa), .bInheritHandle = TRUE};
	HANDLE h = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
		FILE_SHARE_READ | FILE_SHARE_WRITE, &sa, OPEN_EXISTING, 0,
		NULL);

	return h == INVALID_HANDLE_VALUE ? win_last()
					 : endpoint_from_handle(h, ret);
}
