/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/status.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_names)
{
	ck_assert_str_eq(ttrpc_code_name(TTRPC_OK), "OK");
	ck_assert_str_eq(ttrpc_code_name(TTRPC_CANCELED), "Canceled");
	ck_assert_str_eq(ttrpc_code_name(TTRPC_NOT_FOUND), "NotFound");
	ck_assert_str_eq(
		ttrpc_code_name(TTRPC_UNAUTHENTICATED), "Unauthenticated");
	ck_assert_str_eq(ttrpc_code_name((enum ttrpc_code)17), "Unknown");
	ck_assert_str_eq(ttrpc_code_name((enum ttrpc_code) - 1), "Unknown");
	ck_assert_str_eq(ttrpc_code_name((enum ttrpc_code)INT_MIN), "Unknown");
}
END_TEST

static const struct {
	const char *in, *out;
} texts[] = {
	{"", ""},
	{"plain", "plain"},
	{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8b", "\xc3\xa9 \xe2\x82\xac "
						   "\xf0\x9f\x90\x8b"},
	{"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
		"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f"
		"\xbf\xbf"},
	{"\xff", "?"},
	{"\x80\xbf", "??"}, /* nothing begins so */
	{"\xc0\xaf", "??"}, /* overlong */
	{"\xc1\xbf", "??"},
	{"\xe0\x9f\xbf", "???"},
	{"\xf0\x8f\xbf\xbf", "????"},
	{"\xed\xa0\x80", "???"},      /* a surrogate */
	{"\xf4\x90\x80\x80", "????"}, /* past U+10FFFF */
	{"\xf5\x80\x80\x80", "????"},
	{"cut \xc3", "cut ?"},
	{"cut \xe2\x82", "cut ??"},
	{"cut \xf0\x9f\x90", "cut ???"},
	{"\xe2(\xa1", "?(?"},
};

START_TEST(test_text)
{
	char out[64];

	ttrpc_status_text(texts[_i].in, out, sizeof(out));
	ck_assert_str_eq(out, texts[_i].out);
}
END_TEST

/* What does not fit is cut between characters. */
START_TEST(test_text_is_cut)
{
	static const char *const whole = "a\xc3\xa9"
					 "b\xf0\x9f\x90\x8b";
	static const size_t want[] = {0, 1, 1, 3, 4, 4, 4, 4, 8, 8};
	char out[16];
	size_t n;

	for (n = 1; n <= 10; n++) {
		memset(out, '#', sizeof(out));
		ttrpc_status_text(whole, out, n);
		ck_assert_uint_eq(strlen(out), want[n - 1]);
		ck_assert_int_eq(strncmp(out, whole, want[n - 1]), 0);
		ck_assert_int_eq(out[n], '#');
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ttrpc status");
	TCase *t = tcase_create("status");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_names);
	tcase_add_loop_test(t, test_text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, test_text_is_cut);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
