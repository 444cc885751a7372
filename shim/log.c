/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "platform/host.h"

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

static void put(struct line *l, char c)
{
	if (l->n < l->max)
		l->buf[l->n++] = c;
}

/* As Go's %q would, for what a log line can hold. */
static void put_quoted(struct line *l, const char *s)
{
	static const char digits[] = "0123456789abcdef";

	put(l, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			put(l, '\\');
			put(l, (char)c);
		} else if (c == '\n') {
			put(l, '\\');
			put(l, 'n');
		} else if (c < 0x20 || c == 0x7f) {
			put(l, '\\');
			put(l, 'x');
			put(l, digits[c >> 4]);
			put(l, digits[c & 15]);
		} else {
			put(l, (char)c);
		}
	}
	put(l, '"');
}

static void put_text(struct line *l, const char *s)
{
	while (*s)
		put(l, *s++);
}

static void put_time(struct line *l)
{
	struct timespec now;
	struct tm tm;
	char buf[64], all[96];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(all, sizeof(all), "time=\"%s.%09ldZ\" ", buf, now.tv_nsec);
	put_text(l, all);
}

size_t log_format(char *buf, size_t n, enum log_level level, const char *id,
	const char *msg)
{
	/* room is kept for what comes after a message that is cut */
	size_t keys = n - 3 - (id ? strlen(id) + 4 : 0);
	struct line l = {.buf = buf, .max = keys};

	put_time(&l);
	put_text(&l, "level=");
	put_text(&l, level_names[level]);
	put_text(&l, " msg=");
	put_quoted(&l, msg);
	if (l.n >= keys) { /* cut: its quote is missing */
		l.n = keys - 1;
		buf[l.n++] = '"';
	}
	l.max = n - 2;
	if (id) {
		put_text(&l, " id=");
		put_text(&l, id);
	}
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
