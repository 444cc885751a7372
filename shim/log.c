/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "platform/host.h"
#include "platform/text.h"
#include "shim/ident.h"

/* A write up to this size is atomic on a FIFO: pipe(7), PIPE_BUF */
#define LOG_LINE_MAX 4096

static enum log_level log_level = LOG_INFO;
static unsigned long log_dropped;

void log_set_level(enum log_level level)
{
	log_level = level;
}

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct line {
	char *buf;
	size_t n, max;
};

/* All of it or nothing. */
static bool put(struct line *l, const char *s, size_t n)
{
	if (l->max - l->n < n)
		return false;
	memcpy(l->buf + l->n, s, n);
	l->n += n;
	return true;
}

/* One byte as Go's %q would write it. */
static size_t quote(unsigned char c, char out[4])
{
	static const char digits[] = "0123456789abcdef";

	if (c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	if (c == '"' || c == '\\' || c == '\n') {
		out[1] = c == '\n' ? 'n' : (char)c;
		return 2;
	}
	out[1] = 'x';
	out[2] = digits[c >> 4];
	out[3] = digits[c & 15];
	return 4;
}

/* What does not fit is left out; the quotes are there all the same. */
static void put_quoted(struct line *l, const char *s)
{
	char out[4];

	if (l->max - l->n < 2)
		return;
	l->buf[l->n++] = '"';
	l->max--;
	while (*s && put(l, out, quote((unsigned char)*s, out)))
		s++;
	l->max++;
	l->buf[l->n++] = '"';
}

static void put_text(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

static void put_time(struct line *l)
{
	struct timespec now;
	char text[TEXT_TIME_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	text_time(&now, text);
	put_text(l, "time=\"");
	put_text(l, text);
	put_text(l, "\" ");
}

size_t log_format(char *buf, size_t n, enum log_level level, const char *id,
	const char *msg)
{
	char key[IDENT_MAX + 8] = "";
	struct line l = {.buf = buf, .max = n - 2}; /* newline and NUL */

	if (id)
		snprintf(key, sizeof(key), " id=%.*s", IDENT_MAX, id);
	put_time(&l);
	put_text(&l, "level=");
	put_text(&l, level_names[level]);
	put_text(&l, " msg=");
	if (l.max - l.n > strlen(key)) {
		l.max -= strlen(key);
		put_quoted(&l, msg);
		l.max += strlen(key);
	}
	put_text(&l, key);
	buf[l.n++] = '\n';
	buf[l.n] = '\0';
	return l.n;
}

static void emit(enum log_level level, const char *id, const char *msg)
{
	char line[LOG_LINE_MAX];
	size_t n = log_format(line, sizeof(line), level, id, msg);

	if (host_log_write(line, n) < 0)
		log_dropped++;
}

void log_write(enum log_level level, const char *id, const char *fmt, ...)
{
	char msg[2048];
	va_list ap;

	if (level < log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (log_dropped > 0) {
		unsigned long dropped = log_dropped;
		char said[64];

		log_dropped = 0;
		snprintf(said, sizeof(said), "%lu log lines were dropped",
			dropped);
		emit(LOG_WARN, NULL, said);
		if (log_dropped > 0) /* still no room */
			log_dropped = dropped;
	}
	emit(level, id, msg);
}
