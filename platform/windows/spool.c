/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/spool.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/win.h"

#define GET_MAX 4096

struct spool {
	HANDLE h;
	uint64_t max;
	uint64_t in, out; /* bytes ever; a byte's place is its number % max */
};

/* A name is needed, but it goes with the handle, also if we are killed. */
static int open_passing(const char *dir, HANDLE *ret)
{
	static unsigned serial;
	wchar_t path[WIN_PATH_MAX], name[64];
	int r = win_path(dir, path);

	if (r < 0)
		return r;
	_snwprintf(
		name, 64, L"\\spool-%lu-%u", GetCurrentProcessId(), ++serial);
	if (wcslen(path) + wcslen(name) >= WIN_PATH_MAX)
		return -ENAMETOOLONG;
	wcscat(path, name);
	*ret = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL,
		CREATE_NEW,
		FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
	return *ret == INVALID_HANDLE_VALUE ? win_last() : 0;
}

int spool_open(const char *dir, uint64_t max, struct spool **ret)
{
	struct spool *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->max = max;
	r = open_passing(dir, &s->h);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* As many of n bytes as lie in one piece from a place on. */
static size_t in_one_piece(const struct spool *s, uint64_t at, uint64_t n)
{
	uint64_t piece = s->max - at % s->max;

	return (size_t)(n < piece ? n : piece);
}

static OVERLAPPED place_of(uint64_t at)
{
	return (OVERLAPPED){
		.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
}

ssize_t spool_put(struct spool *s, const void *data, size_t n)
{
	uint64_t room = s->max - spool_used(s);
	OVERLAPPED at = place_of(s->in % s->max);
	DWORD w;

	if (room == 0)
		return -ENOBUFS;
	n = in_one_piece(s, s->in, n < room ? n : room);
	if (n > 1 << 20)
		n = 1 << 20;
	if (!WriteFile(s->h, data, (DWORD)n, &w, &at))
		return win_last();
	s->in += w;
	return w > 0 ? (ssize_t)w : -EIO;
}

ssize_t spool_get(struct spool *s, struct stream *to)
{
	size_t n = in_one_piece(s, s->out, spool_used(s));
	OVERLAPPED at = place_of(s->out % s->max);
	char buf[GET_MAX];
	DWORD got;
	ssize_t r;

	if (n == 0)
		return -ENODATA;
	if (n > sizeof(buf))
		n = sizeof(buf);
	if (!ReadFile(s->h, buf, (DWORD)n, &got, &at) || got == 0)
		return -EBADMSG;
	r = stream_write(to, buf, got);
	if (r > 0)
		s->out += (uint64_t)r;
	return r;
}

uint64_t spool_skip(struct spool *s)
{
	size_t n = in_one_piece(s, s->out, spool_used(s));

	if (n > GET_MAX)
		n = GET_MAX;
	s->out += n;
	return n;
}

uint64_t spool_used(const struct spool *s)
{
	return s ? s->in - s->out : 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	handle_close(&s->h);
	free(s);
}
