/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/text.h"

#include <stdint.h>
#include <string.h>

#include "util_test.h"

START_TEST(test_characters)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{"", 1}, /* its NUL */
		{"a", 1},
		{"\x7f", 1},
		{"\x80", 0},
		{"\xc2\x80", 2},
		{"\xc1\xbf", 0}, /* too long */
		{"\xe0\xa0\x80", 3},
		{"\xe0\x9f\xbf", 0},
		{"\xed\x9f\xbf", 3},
		{"\xed\xa0\x80", 0}, /* a surrogate */
		{"\xf0\x90\x80\x80", 4},
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0}, /* beyond the last */
		{"\xf5\x80\x80\x80", 0},
		{"\xe2\x82", 0},
		{"\xe2\x82x", 0},
	};
	size_t i, left;

	for (i = 0; i < LENGTH(cases); i++) {
		const char *s = cases[i].text;

		ck_assert_uint_eq(text_utf8(s, SIZE_MAX), cases[i].n);
		ck_assert_uint_eq(text_utf8(s, strlen(s) + 1), cases[i].n);
		for (left = 1; left < cases[i].n; left++)
			ck_assert_uint_eq(text_utf8(s, left), 0);
	}
}
END_TEST

START_TEST(test_times)
{
	static const struct timespec begin = {0},
				     some = {.tv_sec = 1700000000,
					     .tv_nsec = 7},
				     far = {.tv_sec = INT64_MAX};
	char buf[TEXT_TIME_MAX];

	text_time(&begin, buf);
	ck_assert_str_eq(buf, "1970-01-01T00:00:00.000000000Z");
	text_time(&some, buf);
	ck_assert_str_eq(buf, "2023-11-14T22:13:20.000000007Z");
	text_time(&far, buf); /* struct tm has no room for it */
	ck_assert_uint_lt(strlen(buf), TEXT_TIME_MAX);
}
END_TEST

START_TEST(test_printable)
{
	char text[] = "a\033[2J\n\"b\\c\x7f \xc3\xa4";

	text_make_printable(text);
	ck_assert_str_eq(text, "a?[2J??b?c? \xc3\xa4");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_characters, test_times, test_printable, NULL};

	return suite_run("text", tests);
}
