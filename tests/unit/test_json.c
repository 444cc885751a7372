/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

/* Everything that was handed out, as "path:type:text" lines. */
struct seen {
	char text[4096];
	size_t n;
	unsigned values;
};

static void put(struct seen *s, const char *text, size_t n)
{
	if (n >= sizeof(s->text) - s->n)
		n = sizeof(s->text) - s->n - 1;
	memcpy(s->text + s->n, text, n);
	s->n += n;
	s->text[s->n] = '\0';
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	static const char types[] = "0bns{[";
	struct seen *s = arg;

	s->values++;
	put(s, path, strlen(path));
	put(s, ":", 1);
	put(s, &types[type], 1);
	put(s, ":", 1);
	put(s, text, n);
	put(s, "\n", 1);
}

static struct seen seen;

static int scan_n(const char *data, size_t n, struct err *e)
{
	memset(&seen, 0, sizeof(seen));
	memset(e, 0, sizeof(*e));
	return json_scan(data, n, on_value, &seen, e);
}

static int scan(const char *text, struct err *e)
{
	return scan_n(text, strlen(text), e);
}

START_TEST(test_paths)
{
	struct err e;
	int r = scan("{\"a\":1,\"b\":{\"c\":[true,{\"d\":null,\"e\":[]},"
		     "[\"x\",[2]],false],\"f\":{}},\"g\":-1.5e3}",
		&e);

	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(seen.text, ":{:\n"
				    "a:n:1\n"
				    "b:{:\n"
				    "b.c:[:\n"
				    "b.c[]:b:true\n"
				    "b.c[]:{:\n"
				    "b.c[].d:0:null\n"
				    "b.c[].e:[:\n"
				    "b.c[]:[:\n"
				    "b.c[][]:s:x\n"
				    "b.c[][]:[:\n"
				    "b.c[][][]:n:2\n"
				    "b.c[]:b:false\n"
				    "b.f:{:\n"
				    "g:n:-1.5e3\n");
}
END_TEST

START_TEST(test_top_level)
{
	static const char *const docs[][2] = {
		{" 12 ", ":n:12\n"},
		{"\"x\"", ":s:x\n"},
		{"null", ":0:null\n"},
		{"[1,2]", ":[:\n[]:n:1\n[]:n:2\n"},
		{"[[{\"a\":1}]]", ":[:\n[]:[:\n[][]:{:\n[][].a:n:1\n"},
		{"{}\n\n", ":{:\n"},
	};
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(docs); i++) {
		ck_assert_int_eq(scan(docs[i][0], &e), 0);
		ck_assert_str_eq(seen.text, docs[i][1]);
	}
}
END_TEST

START_TEST(test_escapes)
{
	struct err e;

	ck_assert_int_eq(scan("{\"a\\\"\\u0041\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t"
			      "\\u00e9\\u20ac\\ud83d\\ude00\"}",
				 &e),
		0);
	ck_assert_str_eq(seen.text, ":{:\n"
				    "a\"A:s:\"\\/\b\f\n\r\t"
				    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n");
	/* a NUL within a value is one of its bytes */
	ck_assert_int_eq(scan("[\"a\\u0000b\"]", &e), 0);
	ck_assert_mem_eq(seen.text, ":[:\n[]:s:a\0b\n", 13);
}
END_TEST

static void on_path(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	(void)type;
	(void)text;
	(void)n;
	*(bool *)arg |= strcmp(path, "id") == 0;
}

/* A name with a NUL in it is not the name before the NUL. */
START_TEST(test_nul_in_a_name)
{
	static const char doc[] = "{\"id\\u0000x\":1}";
	bool found = false;
	struct err e;

	json_scan(doc, strlen(doc), on_path, &found, &e);
	ck_assert(!found);
}
END_TEST

static void scan_wrong(const char *text, const char *says)
{
	struct err e;

	ck_assert_msg(scan(text, &e) == -EINVAL, "taken: %s", text);
	ck_assert_int_eq(e.code, -EINVAL);
	ck_assert_msg(strstr(e.msg, says), "'%s' in '%s'", says, e.msg);
	ck_assert_ptr_null(strchr(e.msg, '\n'));
}

/* Within a document: where the parser stopped. */
START_TEST(test_where)
{
	scan_wrong("{\"a\": 1,\n \"b\": x}", "line 2, column 7");
	scan_wrong("{\n\n\n\"a\" 1}", "line 4, column ");
	scan_wrong("[1,\n2,\n3,\n]", "line 4, column ");
	scan_wrong("nul", "line 1, column ");
	scan_wrong("{} x", "line 1, column ");
	scan_wrong("{}\n{}", "line 2, column ");
	scan_wrong("{'a': 1}", "line 1, column ");
	scan_wrong("// c\n{}", "line 1, column ");
	scan_wrong("[\"\\q\"]", "line 1, column ");
	scan_wrong("[\"a\nb\"]", "line 1, column ");
	scan_wrong("[01]", "line 1, column ");
}
END_TEST

/* A document that stops short does so at its end. */
START_TEST(test_where_cut)
{
	scan_wrong("{\"a\":\n{\"b\":\n1", "line 3, column ");
	scan_wrong("[1,\n\"x", "line 2, column ");
	scan_wrong("\n\n", "line 3, column ");
	scan_wrong("{\"a\": [1, 2, 3], \"b\"", "line 1, column 21");
}
END_TEST

START_TEST(test_empty)
{
	struct err e;

	scan_wrong("", "line 1, column ");
	scan_wrong("  ", "line 1, column ");
	ck_assert_int_eq(scan_n(NULL, 0, &e), -EINVAL);
	ck_assert_int_eq(scan_n("{}", 3, &e), -EINVAL); /* a NUL after it */
}
END_TEST

START_TEST(test_no_callback)
{
	ck_assert_int_eq(json_scan("{\"a\":[1]}", 9, NULL, NULL, NULL), 0);
	ck_assert_int_eq(json_scan("{\"a\":[1}", 8, NULL, NULL, NULL), -EINVAL);
}
END_TEST

static int scan_deep(const char *open, const char *close, unsigned depth)
{
	char text[4096] = "";
	struct err e;
	unsigned i;
	int r;

	for (i = 0; i < depth; i++)
		strcat(text, open);
	strcat(text, "1");
	for (i = 0; i < depth; i++)
		strcat(text, close);
	r = scan(text, &e);
	if (r < 0)
		ck_assert_ptr_nonnull(strstr(e.msg, "too deep"));
	return r;
}

START_TEST(test_depth)
{
	ck_assert_int_eq(scan_deep("[", "]", JSON_DEPTH_MAX), 0);
	ck_assert_int_eq(scan_deep("[", "]", JSON_DEPTH_MAX + 1), -EINVAL);
	ck_assert_int_eq(scan_deep("{\"a\":", "}", JSON_DEPTH_MAX), 0);
	ck_assert_int_eq(
		scan_deep("{\"a\":", "}", JSON_DEPTH_MAX + 1), -EINVAL);
}
END_TEST

/* The parser itself keeps a stack: it must not be what breaks. */
START_TEST(test_very_deep)
{
	static char text[1024 * 1024];
	struct err e;

	memset(text, '[', sizeof(text));
	ck_assert_int_eq(scan_n(text, sizeof(text), &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "too deep"));
	ck_assert_ptr_nonnull(strstr(e.msg, "line 1, column 65"));
}
END_TEST

static int scan_long_name(size_t n, struct err *e)
{
	static char text[4 * JSON_PATH_MAX];

	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"", 2);
	memcpy(text + 2 + n, "\":7}", 5);
	return scan(text, e);
}

START_TEST(test_long_names)
{
	size_t n, longest = 0;
	struct err e;

	for (n = JSON_PATH_MAX - 10; n < JSON_PATH_MAX + 10; n++) {
		if (scan_long_name(n, &e) == 0) {
			ck_assert_uint_eq(
				longest, n == JSON_PATH_MAX - 10 ? 0 : n - 1);
			ck_assert_uint_eq(strcspn(seen.text + 4, ":"), n);
			longest = n;
		} else {
			ck_assert_ptr_nonnull(strstr(e.msg, "name is too"));
		}
	}
	ck_assert_uint_gt(longest, 0);
	ck_assert_uint_lt(longest, JSON_PATH_MAX);
}
END_TEST

/* Long names and depth together stay within the path, too. */
START_TEST(test_long_and_deep)
{
	char text[3 * JSON_PATH_MAX];
	size_t name, at;
	struct err e;
	int i;

	for (name = 1; name < 120; name++) {
		for (at = 0, i = 0; i < 20; i++)
			at += (size_t)sprintf(
				text + at, "{\"%0*d\":[", (int)name, 0);
		scan_n(text, at, &e);
		ck_assert_int_eq(e.code, -EINVAL);
	}
}
END_TEST

/* Many values, in little memory. */
START_TEST(test_large)
{
	enum { SIZE = 1024 * 1024 };
	char *text = malloc(SIZE + 64);
	size_t n = (size_t)sprintf(text, "{\"list\":[");
	unsigned values = 2;
	struct err e;

	while (n < SIZE) {
		n += (size_t)sprintf(text + n, "{\"a\":\"x\\n\"},\n");
		values += 2;
	}
	n += (size_t)sprintf(text + n, "0]}");
	oom_count_begin();
	ck_assert_int_eq(scan_n(text, n, &e), 0);
	ck_assert_uint_eq(seen.values, values + 1);
	ck_assert_uint_lt(oom_count(), 20);
	text[n - 4] = '}';
	ck_assert_int_eq(scan_n(text, n, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "line "));
	free(text);
}
END_TEST

static void on_long(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	(void)path;
	(void)text;
	if (type == JSON_STRING)
		*(size_t *)arg = n;
}

START_TEST(test_long_string)
{
	enum { SIZE = 1024 * 1024 };
	char *text = malloc(SIZE + 8);
	size_t i, got = 0;
	struct err e;

	strcpy(text, "[\"");
	for (i = 2; i < SIZE; i += 2)
		memcpy(text + i, "\\n", 2);
	strcpy(text + SIZE, "\"]");
	ck_assert_int_eq(json_scan(text, SIZE + 2, on_long, &got, &e), 0);
	ck_assert_uint_eq(got, SIZE / 2 - 1);
	free(text);
}
END_TEST

/* A document that needs a bit of everything. */
START_TEST(test_out_of_memory)
{
	static const char rest[] = "\":1,\"e\":\"\\u00e9\"}";
	char text[9000] = "{\"a\\n";
	struct err e;
	int r;

	memset(text + 5, '[', 20);
	memset(text + 25, 'k', 500);
	memcpy(text + 525, rest, sizeof(rest));
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = scan(text, &e);
		if (oom_off())
			ck_assert_int_eq(r, -ENOMEM);
		else
			ck_assert_int_eq(r, 0);
		ck_assert_int_eq(e.code, r);
	}
	oom_all();
	r = scan("[1}", &e);
	oom_off();
	ck_assert_int_eq(r, -ENOMEM);
}
END_TEST

/* The error message is made in memory, too. */
START_TEST(test_out_of_memory_in_an_error)
{
	char text[6000];
	struct err e;
	int r;

	memset(text, ' ', sizeof(text));
	memcpy(text, "[\"\\n", 4);
	memset(text + 4, 'x', 4000);
	memcpy(text + 4004, "\", !]", 6);
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = scan(text, &e);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : -EINVAL);
	}
}
END_TEST

static char walked[512];

static void on_token(const struct json_token *t, void *arg)
{
	size_t n = strlen(walked);

	(void)arg;
	snprintf(walked + n, sizeof(walked) - n, "%s|%s|%d|%.*s\n", t->path,
		t->key == JSON_NO_KEY ? "-" : t->path + t->key, (int)t->type,
		(int)t->n, t->text);
}

/* With ends, and names that have dots in them. */
START_TEST(test_walk)
{
	const char *json = "{\"a.b\":[{\"c\":1},[]],\"d\":\"e\"}";
	struct err err;

	walked[0] = '\0';
	ck_assert_int_eq(
		json_walk(json, strlen(json), on_token, NULL, &err), 0);
	ck_assert_str_eq(walked, "|-|4|\n"
				 "a.b|a.b|5|\n"
				 "a.b[]|-|4|\n"
				 "a.b[].c|c|2|1\n"
				 "a.b[]|-|6|\n"
				 "a.b[]|-|5|\n"
				 "a.b[]|-|6|\n"
				 "a.b|a.b|6|\n"
				 "d|d|3|e\n"
				 "|-|6|\n");
	ck_assert_int_eq(json_walk("{", 1, on_token, NULL, &err), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_paths, test_top_level, test_escapes,
		test_nul_in_a_name, test_where, test_where_cut, test_empty,
		test_no_callback, test_depth, test_very_deep, test_long_names,
		test_long_and_deep, test_large, test_long_string,
		test_out_of_memory, test_out_of_memory_in_an_error, test_walk,
		NULL};

	return suite_run("json", tests);
}
