/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util_test.h"

static struct err e;

static int parse(struct doc *d, const char *text)
{
	return doc_parse(d, text, strlen(text), &e);
}

START_TEST(test_places)
{
	static const char text[] = "{\n  \"a\": [1, \"x\\u00e9\\n\", true],\n"
				   "\t\"b\" : {\"c.d\":null , \"e\":-1.5}\n}\n";
	struct doc d;
	struct doc_place p = DOC_START;
	const struct doc_node *v;
	char path[64];

	ck_assert_int_eq(parse(&d, text), 0);
	v = doc_get(d.top, "a");
	ck_assert_uint_eq(v->at, strchr(text, '[') - text);
	ck_assert_uint_eq(v->n, 3);
	ck_assert_uint_eq(v->key_at, strchr(text, '"') - text);
	v = v->first;
	ck_assert_int_eq(text[v->at], '1');
	v = v->next;
	ck_assert_int_eq(text[v->at], '"');
	ck_assert_str_eq(v->text, "x\xc3\xa9\n");
	doc_path(v, path, sizeof(path));
	ck_assert_str_eq(path, "a[1]");
	ck_assert_int_eq(text[v->next->at], 't');
	v = doc_get(doc_get(d.top, "b"), "c.d");
	ck_assert_int_eq(v->type, DOC_NULL);
	doc_path(v, path, sizeof(path));
	ck_assert_str_eq(path, "b[\"c.d\"]");
	v = doc_get(doc_get(d.top, "b"), "e");
	ck_assert_str_eq(v->text, "-1.5");
	doc_seek(&d, &p, v->at);
	ck_assert_uint_eq(p.line, 3);
	ck_assert_uint_eq(p.column, 26);
	doc_free(&d);
}
END_TEST

START_TEST(test_columns_are_characters)
{
	static const char text[] = "{\"\xc3\xa9\xc3\xa9\": 1}";
	struct doc d;
	struct doc_place p = DOC_START;

	ck_assert_int_eq(parse(&d, text), 0);
	doc_seek(&d, &p, d.top->first->at);
	ck_assert_uint_eq(p.column, 8);
	doc_free(&d);
}
END_TEST

START_TEST(test_path_has_an_end)
{
	static const char text[] = "{\"aaaaaaaaaa\":{\"bbbbbbbbbb\":[[1]]}}";
	struct doc d;
	char path[16];

	ck_assert_int_eq(parse(&d, text), 0);
	doc_path(d.top->first->first->first->first, path, sizeof(path));
	ck_assert_str_eq(path, "aaaaaaaaaa.bbbb");
	doc_free(&d);
}
END_TEST

START_TEST(test_numbers)
{
	struct doc d;
	const struct doc_node *v;
	long long n;

	ck_assert_int_eq(parse(&d, "[0,-7,18446744073709551615,"
				   "18446744073709551616,1.0,1e2,\"1\","
				   "-9223372036854775809]"),
		0);
	v = d.top->first;
	ck_assert(doc_int(v, &n) && n == 0);
	v = v->next;
	ck_assert(doc_int(v, &n) && n == -7);
	v = v->next;
	ck_assert(doc_int(v, &n) && (unsigned long long)n == UINT64_MAX);
	for (v = v->next; v; v = v->next)
		ck_assert(!doc_int(v, &n));
	doc_free(&d);
}
END_TEST

START_TEST(test_duplicates_stay)
{
	struct doc d;

	ck_assert_int_eq(parse(&d, "{\"a\":1,\"a\":2}"), 0);
	ck_assert_uint_eq(d.top->n, 2);
	ck_assert_str_eq(doc_get(d.top, "a")->text, "1");
	ck_assert_str_eq(d.top->last->text, "2");
	doc_free(&d);
}
END_TEST

START_TEST(test_nul_in_string)
{
	struct doc d;

	ck_assert_int_eq(parse(&d, "{\"a\\u0000b\":\"x\\u0000y\"}"), 0);
	ck_assert_uint_eq(d.top->first->text_n, 3);
	ck_assert_ptr_null(doc_text(d.top->first));
	ck_assert_str_eq(d.top->first->key, "a?b");
	doc_free(&d);
}
END_TEST

static void refuse(const char *text, size_t n, int code, size_t at)
{
	struct doc d;

	ck_assert_int_eq(doc_parse(&d, text, n, &e), code);
	ck_assert_ptr_null(d.top);
	ck_assert_msg(
		d.error_at == at, "'%s': %zu, not %zu", text, d.error_at, at);
	doc_free(&d);
}

START_TEST(test_refused)
{
	refuse("", 0, -EINVAL, 0);
	refuse("{\"a\":", 5, -EINVAL, 5);
	refuse("\"abc", 4, -EINVAL, 4);
	refuse("[1] 2", 5, -EINVAL, 5);
	refuse("{\"a\" 1}", 7, -EINVAL, 5);
	refuse("\"\xff\"", 3, -EINVAL, 1);
	refuse("[1,\0]", 5, -EINVAL, 3);
	refuse("[1,,2]", 6, -EINVAL, 3);
	refuse("[ tru]", 6, -EINVAL, 2);
	refuse("{\"a\" \"bc\"}", 10, -EINVAL, 5);
	refuse("[1\n}", 4, -EINVAL, 3);
}
END_TEST

START_TEST(test_too_deep)
{
	char text[2 * DOC_DEPTH_MAX + 3] = {0};
	struct doc d;

	memset(text, '[', DOC_DEPTH_MAX);
	memset(text + DOC_DEPTH_MAX, ']', DOC_DEPTH_MAX);
	ck_assert_int_eq(parse(&d, text), 0);
	doc_free(&d);
	memset(text, '[', sizeof(text) - 1);
	refuse(text, sizeof(text) - 1, -E2BIG, DOC_DEPTH_MAX);
}
END_TEST

START_TEST(test_too_many)
{
	size_t n = 2 * (DOC_VALUES_MAX + 1) + 1;
	char *text = malloc(n);
	struct doc d;
	size_t i;

	for (i = 0; i < n; i++)
		text[i] = i == 0 ? '[' : i % 2 ? '1' : ',';
	text[n - 1] = ']';
	ck_assert_int_eq(doc_parse(&d, text, n, &e), -E2BIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "250000"));
	doc_free(&d);
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_places, test_columns_are_characters,
		test_path_has_an_end, test_numbers, test_duplicates_stay,
		test_nul_in_string, test_refused, test_too_deep, test_too_many,
		NULL};

	return suite_run("ctl doc", tests);
}
