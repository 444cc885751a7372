/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/log.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "util_test.h"

static bool matches(const char *line, const char *pattern)
{
	regex_t re;
	bool ok;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ok = regexec(&re, line, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

#define TIME                                                           \
	"time=\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}" \
	"\\.[0-9]{9}Z\" "

START_TEST(test_line)
{
	char line[256];
	size_t n = log_format(line, sizeof(line), LOG_INFO, NULL, "all well");

	ck_assert_uint_eq(n, strlen(line));
	ck_assert(matches(line, "^" TIME "level=info msg=\"all well\"\n$"));
	log_format(line, sizeof(line), LOG_DEBUG, NULL, "");
	ck_assert(matches(line, "^" TIME "level=debug msg=\"\"\n$"));
	log_format(line, sizeof(line), LOG_WARN, NULL, "x");
	ck_assert(matches(line, "^" TIME "level=warning msg=\"x\"\n$"));
	log_format(line, sizeof(line), LOG_ERROR, NULL, "x");
	ck_assert(matches(line, "^" TIME "level=error msg=\"x\"\n$"));
}
END_TEST

/* As log.h and the daemon have it. */
START_TEST(test_keys_follow_the_message)
{
	char line[256];

	log_format(line, sizeof(line), LOG_INFO, "web.1", "x y");
	ck_assert_msg(
		matches(line, "^" TIME "level=info msg=\"x y\" id=web\\.1\n$"),
		"%s", line);
}
END_TEST

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Reads a quoted string as Go does, from its first quote. Returns what comes
 * after the last one, NULL if there is none. */
static const char *unquote(const char *s, char *to)
{
	ck_assert_int_eq(*s++, '"');
	for (; *s != '"'; s++) {
		if (!*s)
			return NULL;
		ck_assert_int_ge((unsigned char)*s, 0x20);
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		switch (*++s) {
		case 'n':
			*to++ = '\n';
			break;
		case 't':
			*to++ = '\t';
			break;
		case 'r':
			*to++ = '\r';
			break;
		case 'x':
			if (!s[1] || !s[2])
				return NULL;
			*to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
			break;
		default:
			*to++ = *s;
		}
	}
	*to = '\0';
	return s + 1;
}

static const char *message_in(const char *line, char *to)
{
	const char *msg = strstr(line, "msg=");

	ck_assert_ptr_nonnull(msg);
	return unquote(msg + 4, to);
}

START_TEST(test_every_byte)
{
	char msg[300], line[2048], got[2048];
	int c, n = 0;

	for (c = 1; c < 0x80; c++)
		msg[n++] = (char)c;
	strcpy(msg + n, "\xc3\xa4\xe2\x82\xac\\\"");
	log_format(line, sizeof(line), LOG_INFO, NULL, msg);
	ck_assert_str_eq(message_in(line, got), "\n");
	ck_assert_str_eq(got, msg);
}
END_TEST

/* A line that was cut still is a line: quoted to its end, with a newline. */
static void check_cut(const char *msg, size_t n)
{
	char line[512], got[512];
	const char *rest;
	size_t len, before = n < sizeof(line) ? n : sizeof(line) - 1;

	memset(line, '#', sizeof(line));
	len = log_format(line, n, LOG_INFO, NULL, msg);
	ck_assert_int_eq(line[before], '#');
	ck_assert_uint_lt(len, n);
	ck_assert_uint_eq(strlen(line), len);
	rest = message_in(line, got);
	ck_assert_msg(
		rest && strcmp(rest, "\n") == 0, "in %zu bytes: %s", n, line);
	ck_assert_msg(strncmp(got, msg, strlen(got)) == 0, "%s", line);
}

START_TEST(test_cut)
{
	char msg[400];
	size_t n;

	memset(msg, 'm', sizeof(msg));
	msg[sizeof(msg) - 1] = '\0';
	for (n = 80; n < 300; n++)
		check_cut(msg, n);
}
END_TEST

/* Where there is room for the message, but not for a byte more. */
START_TEST(test_cut_exactly)
{
	char msg[301];
	size_t n, len;

	for (len = 0; len < 60; len++) {
		memset(msg, 'm', len);
		msg[len] = '\0';
		for (n = 70; n < 160; n++)
			check_cut(msg, n);
	}
}
END_TEST

/* An escape is not cut in two. */
START_TEST(test_cut_escapes)
{
	static const char *const units[] = {"\\", "\"", "\n", "\x01", "a\\"};
	char msg[301];
	size_t i, n;

	for (i = 0; i < LENGTH(units); i++) {
		msg[0] = '\0';
		while (strlen(msg) < 200)
			strcat(msg, units[i]);
		for (n = 80; n < 160; n++)
			check_cut(msg, n);
	}
}
END_TEST

/* What a client calls its container is no reason to leave the buffer. */
START_TEST(test_long_id)
{
	char line[512], id[1000];
	size_t n, len;

	memset(id, 'i', sizeof(id));
	for (n = 1; n < sizeof(id); n++) {
		id[n] = '\0';
		memset(line, '#', sizeof(line));
		len = log_format(line, 300, LOG_INFO, id, "message");
		ck_assert_uint_lt(len, 300);
		ck_assert_int_eq(line[300], '#');
		ck_assert_int_eq(line[len - 1], '\n');
		id[n] = 'i';
	}
}
END_TEST

static int open_log(void)
{
	int fd;

	ck_assert_int_eq(mkfifo("log", 0600), 0);
	ck_assert_int_eq(host_log_open("ns", "id"), 0);
	fd = open("log", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* host.h has no way to close it. */
static void close_log(int fd)
{
	struct stat ours, st;
	int i;

	ck_assert_int_eq(fstat(fd, &ours), 0);
	for (i = 3; i < 100; i++)
		if (fstat(i, &st) == 0 && st.st_ino == ours.st_ino &&
			st.st_dev == ours.st_dev && i != fd)
			close(i);
	close(fd);
}

/* What waits in the FIFO. */
static size_t read_all(int fd, char *buf, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while ((r = read(fd, buf + got, n - 1 - got)) > 0)
		got += (size_t)r;
	buf[got] = '\0';
	return got;
}

START_TEST(test_fifo)
{
	char text[4096];
	int fd = open_log();

	log_info("web", "started %d", 7);
	log_debug("web", "not at this level");
	log_error(NULL, "bad");
	read_all(fd, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "msg=\"started 7\""));
	ck_assert_ptr_nonnull(strstr(text, "id=web"));
	ck_assert_ptr_nonnull(strstr(text, "level=error msg=\"bad\"\n"));
	ck_assert_ptr_null(strstr(text, "not at this level"));
	log_set_level(LOG_DEBUG);
	log_debug(NULL, "now");
	log_set_level(LOG_ERROR);
	log_warn(NULL, "no more");
	read_all(fd, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "level=debug msg=\"now\"\n"));
	ck_assert_ptr_null(strstr(text, "no more"));
	close_log(fd);
}
END_TEST

/* Nobody has the FIFO open: what is written waits. */
START_TEST(test_reader_comes_later)
{
	char text[4096];
	int fd;

	ck_assert_int_eq(mkfifo("log", 0600), 0);
	ck_assert_int_eq(host_log_open("ns", "id"), 0);
	log_info(NULL, "early");
	fd = open("log", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	read_all(fd, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "early"));
	close_log(fd);
}
END_TEST

START_TEST(test_without_a_log)
{
	ck_assert_int_eq(host_log_open("ns", "id"), -ENOENT);
	log_error(NULL, "to nobody");
	ck_assert_int_eq(host_log_write("x", 1), 0);
}
END_TEST

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* A FIFO that nobody reads: dropped, counted, and said once there is room. */
START_TEST(test_dropped)
{
	enum { LINES = 1000, SIZE = 1024 * 1024 };
	char *text = calloc(1, SIZE), want[64];
	int fd = open_log(), i;
	unsigned lines;

	for (i = 0; i < LINES; i++)
		log_info("web", "%0200d", i);
	read_all(fd, text, SIZE);
	lines = count_lines(text);
	ck_assert_uint_gt(lines, 100);
	ck_assert_uint_lt(lines, LINES);
	log_info(NULL, "again");
	read_all(fd, text, SIZE);
	snprintf(want, sizeof(want), "msg=\"%u log lines were dropped\"\n",
		LINES - lines);
	ck_assert_msg(strstr(text, want), "%s: %s", want, text);
	ck_assert_ptr_nonnull(strstr(text, "level=warning"));
	ck_assert_ptr_nonnull(strstr(text, "msg=\"again\"\n"));
	ck_assert_uint_eq(count_lines(text), 2);
	log_info(NULL, "and on");
	read_all(fd, text, SIZE);
	ck_assert_uint_eq(count_lines(text), 1);
	close_log(fd);
	free(text);
}
END_TEST

/* Every line that got through is whole: none is cut by a full pipe. */
START_TEST(test_whole_lines)
{
	enum { SIZE = 1024 * 1024 };
	char *text = calloc(1, SIZE), *p, *end, got[8192];
	char msg[3000];
	int fd = open_log(), i;

	for (i = 0; i < 300; i++) {
		memset(msg, 'a' + i % 26, sizeof(msg));
		msg[(i * 37) % (int)sizeof(msg)] = '\0';
		msg[sizeof(msg) - 1] = '\0';
		log_info("web", "%s", msg);
	}
	read_all(fd, text, SIZE);
	for (p = text; *p; p = end + 1) {
		end = strchr(p, '\n');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		ck_assert_int_eq(strncmp(p, "time=\"", 6), 0);
		ck_assert_ptr_nonnull(message_in(p, got));
	}
	close_log(fd);
	free(text);
}
END_TEST

/* A line is written in one piece, whatever is in it: pipe(7), PIPE_BUF. */
START_TEST(test_longest)
{
	char msg[3000], text[16384];
	int fd = open_log();
	size_t n;

	memset(msg, 1, sizeof(msg)); /* four bytes each, once quoted */
	msg[sizeof(msg) - 1] = '\0';
	log_info("web", "%s", msg);
	n = read_all(fd, text, sizeof(text));
	ck_assert_uint_le(n, 4096);
	ck_assert_uint_eq(count_lines(text), 1);
	ck_assert_int_eq(text[n - 1], '\n');
	close_log(fd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_line, test_keys_follow_the_message,
		test_every_byte, test_cut, test_cut_exactly, test_cut_escapes,
		test_long_id, test_fifo, test_reader_comes_later,
		test_without_a_log, test_dropped, test_whole_lines,
		test_longest, NULL};

	return suite_run("log", tests);
}
