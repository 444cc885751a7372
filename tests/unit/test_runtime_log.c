/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/runtime_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

#define NO_ERROR                                                          \
	"OCI runtime create failed: it exited with status 7 and left no " \
	"error in its log"

/* What is made of a log. */
static struct err *said_of(const char *verb, const char *text, size_t n)
{
	static struct err e;

	put_file("log.json", text, n);
	memset(&e, '#', sizeof(e));
	runtime_log_error("log.json", verb, 7, &e);
	return &e;
}

static void assert_said(const char *text, const char *want)
{
	struct err *e = said_of("create", text, strlen(text));

	ck_assert_int_eq(e->code, -EREMOTEIO);
	ck_assert_str_eq(e->msg, want);
}

/* As crun 1.28 writes it, with what it says on stderr before. */
START_TEST(test_objects_of_several_lines)
{
	assert_said("no `{x}`: oh \"\n{\n  \"msg\": \"no `{\\\"}`\",\n"
		    "  \"level\": \"error\",\n  \"time\": \"t\"\n}\n"
		    "{\n  \"msg\": \"w\",\n  \"level\": \"warning\"\n}\n",
		"OCI runtime create failed: no `{\"}`");
	assert_said("{\"level\":\"error\",\"msg\":\"a\"}"
		    "{\"level\":\"error\",\"msg\":\"b\"} rest\n",
		"OCI runtime create failed: b");
	/* one that does not end is not text, either */
	assert_said(
		"{\n  \"msg\": \"one\",\n  \"level\": \"error\"\n", NO_ERROR);
}
END_TEST

START_TEST(test_last_error_wins)
{
	assert_said("{\"level\":\"error\",\"msg\":\"one\",\"time\":\"t\"}\n"
		    "{\"level\":\"error\",\"msg\":\"two\",\"time\":\"t\"}\n"
		    "{\"level\":\"info\",\"msg\":\"three\",\"time\":\"t\"}\n"
		    "{\"level\":\"warning\",\"msg\":\"four\"}\n",
		"OCI runtime create failed: two");
	/* in any order, without the last newline */
	assert_said("{\"time\":\"t\",\"msg\":\"only\",\"level\":\"error\"}",
		"OCI runtime create failed: only");
}
END_TEST

START_TEST(test_fatal)
{
	assert_said("{\"level\":\"error\",\"msg\":\"one\"}\n"
		    "{\"level\":\"fatal\",\"msg\":\"two\"}\n",
		"OCI runtime create failed: two");
	assert_said("{\"level\":\"errors\",\"msg\":\"no\"}\n"
		    "{\"level\":\"panic\",\"msg\":\"no\"}\n",
		NO_ERROR);
}
END_TEST

/* An error that says nothing does not hide one that did. */
START_TEST(test_error_without_message)
{
	assert_said("{\"level\":\"error\",\"msg\":\"one\"}\n"
		    "{\"level\":\"error\"}\n"
		    "{\"level\":\"error\",\"msg\":\"\"}\n"
		    "{\"level\":\"error\",\"msg\":7}\n",
		"OCI runtime create failed: one");
}
END_TEST

START_TEST(test_only_the_top_level)
{
	assert_said("{\"level\":\"error\",\"msg\":\"one\"}\n"
		    "{\"x\":{\"level\":\"error\",\"msg\":\"two\"}}\n"
		    "{\"level\":\"info\",\"x\":{\"level\":\"error\"},"
		    "\"msg\":\"three\"}\n"
		    "[{\"level\":\"error\",\"msg\":\"four\"}]\n",
		"OCI runtime create failed: one");
}
END_TEST

START_TEST(test_escapes)
{
	assert_said("{\"level\":\"error\",\"msg\":\"exec \\\"sh\\\": a\\tb "
		    "\\u00e9\"}\n",
		"OCI runtime create failed: exec \"sh\": a\tb \xc3\xa9");
}
END_TEST

START_TEST(test_nothing_to_say)
{
	assert_said("", NO_ERROR);
	assert_said("\n\n\n", NO_ERROR);
	assert_said("{\"level\":\"info\",\"msg\":\"fine\"}\n", NO_ERROR);
	assert_said("{}\n[]\nnull\n", NO_ERROR);
}
END_TEST

START_TEST(test_missing)
{
	struct err e;

	runtime_log_error("nowhere/log.json", "create", 7, &e);
	ck_assert_int_eq(e.code, -EREMOTEIO);
	ck_assert_str_eq(e.msg, NO_ERROR);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	runtime_log_error("fifo", "create", 7, &e);
	ck_assert_str_eq(e.msg, NO_ERROR);
	runtime_log_error(".", "create", 7, &e);
	ck_assert_str_eq(e.msg, NO_ERROR);
	ck_assert(!runtime_log_is_missing(&e));
}
END_TEST

/* ---- hostile ---- */

START_TEST(test_garbage)
{
	static const char text[] = "\x01\x02\x7f{\n"
				   "{\"level\":\"error\",\"msg\":\"one\"}\n"
				   "\xff\xfe{\"level\":\"error\"\n"
				   "{\"level\":\"error\",\"msg\":\"cut";
	struct err *e = said_of("create", text, sizeof(text) - 1);

	ck_assert_int_eq(e->code, -EREMOTEIO);
	ck_assert_str_eq(e->msg, "OCI runtime create failed: one");
}
END_TEST

START_TEST(test_nul_bytes)
{
	static const char text[] = "\0\0\0\n"
				   "{\"level\":\"error\",\"msg\":\"one\"}\n"
				   "{\"level\":\"error\",\0\"msg\":\"two\"}\n"
				   "plain\0text\n\0";
	struct err *e = said_of("create", text, sizeof(text) - 1);

	ck_assert_str_eq(e->msg, "OCI runtime create failed: one");
	assert_said("{\"level\":\"error\",\"msg\":\"a\\u0000b\"}\n",
		"OCI runtime create failed: a");
}
END_TEST

START_TEST(test_every_byte)
{
	char line[] = "{\"level\":\"error\",\"msg\":\"one\"}\n";
	struct err *e;
	unsigned c;
	size_t i;

	for (i = 0; i < sizeof(line) - 1; i++) {
		char was = line[i];

		for (c = 0; c < 256; c += 5) {
			line[i] = (char)c;
			e = said_of("create", line, sizeof(line) - 1);
			ck_assert_int_eq(e->code, -EREMOTEIO);
			ck_assert_int_eq(
				strncmp(e->msg,
					"OCI runtime create failed: ", 27),
				0);
		}
		line[i] = was;
	}
}
END_TEST

static void put_line_of(size_t n, const char *head, const char *tail)
{
	size_t head_n = strlen(head), tail_n = strlen(tail);
	char *text = malloc(n);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', n);
	memcpy(text, head, head_n);
	memcpy(text + n - tail_n, tail, tail_n);
	put_file("log.json", text, n);
	free(text);
}

START_TEST(test_long_message)
{
	struct err e;

	put_line_of(100000, "{\"level\":\"error\",\"msg\":\"", "\"}\n");
	runtime_log_error("log.json", "create", 7, &e);
	ck_assert_uint_eq(strlen(e.msg), ERR_MSG_MAX - 1);
	ck_assert_int_eq(e.msg[ERR_MSG_MAX - 2], 'x');
}
END_TEST

/* Over the limit it is not read, which is no reason to fail. */
START_TEST(test_huge)
{
	struct err e;

	put_line_of(1024 * 1024, "{\"level\":\"error\",\"msg\":\"", "\"}");
	runtime_log_error("log.json", "create", 7, &e);
	ck_assert_uint_eq(strlen(e.msg), ERR_MSG_MAX - 1);
	put_line_of(64 * 1024 * 1024, "debug ",
		"\n{\"level\":\"error\",\"msg\":\"the end\"}\n");
	runtime_log_error("log.json", "create", 7, &e);
	ck_assert_int_eq(e.code, -EREMOTEIO);
	ck_assert_int_eq(strncmp(e.msg, "OCI runtime create failed: ", 27), 0);
	remove("log.json");
}
END_TEST

/* ---- not JSON ---- */

START_TEST(test_stderr)
{
	assert_said("runc: command line is wrong\nusage: runc\n",
		"OCI runtime create failed: usage: runc");
	/* but an error of the log's own is better, wherever it is */
	assert_said("{\"level\":\"error\",\"msg\":\"one\"}\nplain\n",
		"OCI runtime create failed: one");
	assert_said("{\"level\":\"info\",\"msg\":\"one\"}\nplain\n\n",
		"OCI runtime create failed: plain");
	assert_said("{\"level\":\"error\",\"ms\n", NO_ERROR); /* no text */
}
END_TEST

/* ---- codes ---- */

static int code_of(const char *verb, const char *msg)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"level\":\"error\",\"msg\":\"%s\"}\n",
		msg);
	return said_of(verb, line, strlen(line))->code;
}

START_TEST(test_kill)
{
	static const char *const phrases[] = {
		"os: process already finished",
		"container not running",
		"unable to signal init: no such process",
		"container `web` is not running",
	};
	struct err *e;
	unsigned i;

	for (i = 0; i < LENGTH(phrases); i++) {
		ck_assert_int_eq(code_of("kill", phrases[i]), -ESRCH);
		ck_assert_int_eq(code_of("create", phrases[i]), -EREMOTEIO);
	}
	ck_assert_int_eq(code_of("kill", "permission denied"), -EREMOTEIO);
	e = said_of("kill", "container not running\n", 22);
	ck_assert_int_eq(e->code, -ESRCH);
	ck_assert_str_eq(e->msg, "process already finished");
}
END_TEST

START_TEST(test_is_missing)
{
	static const struct {
		const char *msg;
		bool missing;
	} cases[] = {
		{"container does not exist", true}, /* runc */
		{"container \\\"web\\\" does not exist", true},
		{"error opening file `/run/crun/web/status`: No such file or "
		 "directory",
			true}, /* crun */
		{"open /run/runc/web/state.json: no such file or directory",
			true},
		{"container is not running", false},
		{"permission denied", false},
	};
	char line[256];
	unsigned i;

	for (i = 0; i < LENGTH(cases); i++) {
		snprintf(line, sizeof(line),
			"{\"level\":\"error\",\"msg\":\"%s\"}\n", cases[i].msg);
		ck_assert_int_eq(runtime_log_is_missing(
					 said_of("delete", line, strlen(line))),
			cases[i].missing);
	}
}
END_TEST

/* ---- memory ---- */

START_TEST(test_out_of_memory)
{
	struct err e;

	oom_begin();
	put_text("log.json", "{\"level\":\"error\",\"msg\":\"one\"}\n");
	OOM_SWEEP(n)
	{
		memset(&e, 0, sizeof(e));
		oom_at(n);
		runtime_log_error("log.json", "create", 7, &e);
		oom_off();
		ck_assert_int_eq(e.code, -EREMOTEIO);
		ck_assert_uint_gt(strlen(e.msg), 0);
	}
	ck_assert_str_eq(e.msg, "OCI runtime create failed: one");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_objects_of_several_lines,
		test_last_error_wins, test_fatal, test_error_without_message,
		test_only_the_top_level, test_escapes, test_nothing_to_say,
		test_missing, test_garbage, test_nul_bytes, test_every_byte,
		test_long_message, test_huge, test_stderr, test_kill,
		test_is_missing, test_out_of_memory, NULL};

	return suite_run("runtime_log", tests);
}
