/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/text.h"

#define ESCAPED_MAX 8 /* what one character of output may take */

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, data, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		n -= (size_t)put;
	}
	return 0;
}

/* ---- the file ---- */

/* Where the last whole line ends. */
static off_t find_end(int fd, off_t size)
{
	char buf[4096];

	while (size > 0) {
		size_t n =
			size < (off_t)sizeof(buf) ? (size_t)size : sizeof(buf);
		ssize_t got = pread(fd, buf, n, size - (off_t)n);
		char *end;

		if (got <= 0)
			break;
		end = memrchr(buf, '\n', (size_t)got);
		if (end)
			return size - (off_t)n + (end - buf) + 1;
		size -= (off_t)n;
	}
	return 0;
}

static int open_file(struct ctl_output *o)
{
	struct stat st;
	off_t end;
	int fd = open(o->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	end = find_end(fd, st.st_size);
	if (end < st.st_size && ftruncate(fd, end) < 0) {
		close(fd);
		return -EIO;
	}
	o->fd = fd;
	o->size = (uint64_t)end;
	return 0;
}

int ctl_output_open(
	struct ctl_output *o, const char *path, uint64_t max, struct err *e)
{
	int r;

	memset(o, 0, sizeof(*o));
	o->path = path;
	o->max = max;
	o->fd = -1;
	r = open_file(o);
	return r < 0 ? err_sys(e, r, "open '%s'", path) : 0;
}

void ctl_output_close(struct ctl_output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

static int rotate(struct ctl_output *o)
{
	char old[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s.1", o->path) >= (int)sizeof(old))
		return -ENAMETOOLONG;
	if (rename(o->path, old) < 0)
		return -errno;
	close(o->fd);
	o->fd = -1;
	return open_file(o);
}

static int flush(struct ctl_output *o)
{
	int r = write_all(o->fd, o->buf, o->n);

	if (r == 0)
		o->size += o->n;
	o->n = 0;
	return r;
}

/* ---- an entry ---- */

static int put(struct ctl_output *o, const char *text, size_t n)
{
	int r = o->n + n > sizeof(o->buf) ? flush(o) : 0;

	if (r < 0)
		return r;
	memcpy(o->buf + o->n, text, n);
	o->n += n;
	return 0;
}

static int put_text(struct ctl_output *o, const char *text)
{
	return put(o, text, strlen(text));
}

static int put_escaped(struct ctl_output *o, unsigned char c)
{
	char text[ESCAPED_MAX];

	switch (c) {
	case '\n':
		return put(o, "\\n", 2);
	case '\r':
		return put(o, "\\r", 2);
	case '\t':
		return put(o, "\\t", 2);
	case '"':
		return put(o, "\\\"", 2);
	case '\\':
		return put(o, "\\\\", 2);
	default:
		snprintf(text, sizeof(text), "\\u%04x", c);
		return put(o, text, 6);
	}
}

static bool is_utf8(const char *text, size_t n)
{
	size_t len;

	for (; n > 0; text += len, n -= len) {
		len = text_utf8(text, n);
		if (len == 0 || len > n)
			return false;
	}
	return true;
}

static int put_entry(struct ctl_output *o, bool is_err, const char *text,
	size_t n, const char *time)
{
	bool utf8 = is_utf8(text, n);
	int r = put_text(o, "{\"log\":\"");
	size_t i;

	for (i = 0; r == 0 && i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c == '"' || c == '\\' || (c > '~' && !utf8))
			r = put_escaped(o, c);
		else
			r = put(o, text + i, 1);
	}
	if (r == 0)
		r = put_text(o, is_err ? "\",\"stream\":\"stderr\""
				       : "\",\"stream\":\"stdout\"");
	if (r == 0 && !utf8)
		r = put_text(o, ",\"bytes\":true");
	if (r == 0)
		r = put_text(o, ",\"time\":\"");
	if (r == 0)
		r = put_text(o, time);
	return r == 0 ? put_text(o, "\"}\n") : r;
}

static int put_lost(struct ctl_output *o, const char *time)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
		"[wispctl: %llu bytes of output are not here: %s]\n",
		(unsigned long long)o->lost, strerror(-o->lost_why));

	return put_entry(o, true, text, (size_t)n, time);
}

static int put_lines(struct ctl_output *o, bool is_err, const char *data,
	size_t n, const char *time)
{
	int r = o->lost > 0 ? put_lost(o, time) : 0;

	while (r == 0 && n > 0) {
		const char *end = memchr(data, '\n', n);
		size_t len = end ? (size_t)(end - data) + 1 : n;

		r = put_entry(o, is_err, data, len, time);
		data += len;
		n -= len;
	}
	return r == 0 ? flush(o) : r;
}

int ctl_output_add(
	struct ctl_output *o, bool is_err, const void *data, size_t n)
{
	char time[TEXT_TIME_MAX];
	uint64_t before = o->size;
	struct timespec now;
	int r = o->fd < 0 ? open_file(o) : 0;

	clock_gettime(CLOCK_REALTIME, &now);
	text_time(&now, time);
	if (r == 0)
		r = put_lines(o, is_err, data, n, time);
	if (r < 0) {
		o->n = 0;
		o->lost += n;
		o->lost_why = r;
		if (o->fd >= 0 && ftruncate(o->fd, (off_t)before) == 0)
			o->size = before;
		return r;
	}
	o->lost = 0;
	if (o->size > o->max)
		rotate(o); /* or else it grows until the next time */
	return 0;
}

/* ---- reading ---- */

static int hex4(const char *p, unsigned *ret)
{
	unsigned v = 0;
	int i;

	for (i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			return -EINVAL;
		v = v << 4 | (unsigned)digit;
	}
	*ret = v;
	return v <= 0xff ? 0 : -EINVAL;
}

/* Undoes an escape at p[0] == '\\'; how many characters it has. */
static int unescape(const char *p, char *ret)
{
	static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
	const char *at = p[1] ? strchr(from, p[1]) : NULL;
	unsigned v;

	if (at) {
		*ret = to[at - from];
		return 2;
	}
	if (p[1] != 'u' || hex4(p + 2, &v) < 0)
		return -EINVAL;
	*ret = (char)v;
	return 6;
}

int ctl_output_parse(char *line, struct ctl_output_entry *ret)
{
	static const char begin[] = "{\"log\":\"", time[] = "\"time\":\"";
	char *from = line + strlen(begin), *to = from, *end;

	if (strncmp(line, begin, strlen(begin)) != 0)
		return -EINVAL;
	ret->text = from;
	while (*from && *from != '"') {
		int n = *from == '\\' ? unescape(from, to) : 1;

		if (n < 0)
			return -EINVAL;
		if (*from != '\\')
			*to = *from;
		from += n;
		to++;
	}
	ret->text_n = (size_t)(to - ret->text);
	ret->is_err = strstr(from, "\"stream\":\"stderr\"") != NULL;
	from = strstr(from, time);
	end = from ? strchr(from + strlen(time), '"') : NULL;
	if (!end)
		return -EINVAL;
	*end = '\0';
	ret->time = from + strlen(time);
	return 0;
}
