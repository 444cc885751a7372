/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static void expect(struct json_out *o, const char *want)
{
	ck_assert(json_ok(o));
	ck_assert_uint_eq(o->n, strlen(want));
	ck_assert_mem_eq(o->data, want, o->n);
	ck_assert_int_eq(json_scan(o->data, o->n, NULL, NULL, NULL), 0);
	free(o->data);
}

START_TEST(test_shapes)
{
	struct json_out o = {0};

	json_open(&o, NULL, '{');
	ck_assert(!json_ok(&o));
	json_text(&o, "a", "b");
	json_number(&o, "n", INT64_MIN);
	json_bool(&o, "t", true);
	json_open(&o, "list", '[');
	json_number(&o, NULL, 1);
	json_text(&o, NULL, NULL);
	json_open(&o, NULL, '{');
	json_close(&o);
	json_open(&o, NULL, '[');
	json_close(&o);
	json_close(&o);
	json_bool(&o, "f", false);
	json_close(&o);
	expect(&o, "{\"a\":\"b\",\"n\":-9223372036854775808,\"t\":true,"
		   "\"list\":[1,null,{},[]],\"f\":false}\n");
}
END_TEST

START_TEST(test_text)
{
	static const char *const texts[][2] = {
		{"", "\"\""},
		{"\"\\/", "\"\\\"\\\\/\""},
		{"a\n\t\x01\x7f", "\"a\\u000a\\u0009\\u0001\x7f\""},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
			"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xff\xfe+\xc3", "\"??+?\""},
		{"\xc0\xaf", "\"??\""},           /* too long */
		{"\xed\xa0\x80", "\"???\""},      /* a surrogate */
		{"\xf4\x90\x80\x80", "\"????\""}, /* beyond the last */
		{"\xe2\x82", "\"??\""},
	};
	char want[64];
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		struct json_out o = {0};

		json_open(&o, NULL, '[');
		json_text(&o, NULL, texts[i][0]);
		json_close(&o);
		snprintf(want, sizeof(want), "[%s]\n", texts[i][1]);
		expect(&o, want);
	}
}
END_TEST

START_TEST(test_large)
{
	struct json_out o = {0};
	int i;

	json_open(&o, NULL, '[');
	for (i = 0; i < 100000; i++)
		json_number(&o, NULL, i);
	json_close(&o);
	ck_assert(json_ok(&o));
	ck_assert_int_eq(json_scan(o.data, o.n, NULL, NULL, NULL), 0);
	free(o.data);
}
END_TEST

START_TEST(test_out_of_memory)
{
	bool hit = true, ok;
	unsigned n;

	for (n = 1; hit; n++) {
		struct json_out o = {0};
		int i;

		oom_at(n);
		json_open(&o, NULL, '[');
		for (i = 0; i < 1000; i++)
			json_text(&o, NULL, "some text");
		json_close(&o);
		hit = oom_off();
		ok = json_ok(&o);
		free(o.data);
		ck_assert_int_eq(ok, !hit);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_shapes, test_text, test_large, test_out_of_memory, NULL};

	return suite_run("json_write", tests);
}
