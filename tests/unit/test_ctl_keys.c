/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "ctl/keys.h"
#include "util_test.h"

static void keys_set(struct ctl_keys *k, const char *text)
{
	ck_assert_int_eq(ctl_keys_parse(k, text, NULL), 0);
}

/* What is passed on of `in`, given in pieces of n bytes; found tells whether
 * the keys came. */
static const char *feed(
	struct ctl_keys *k, const char *in, size_t n, bool *ret_found)
{
	static char out[256];
	size_t at = 0, len = strlen(in), m;

	*ret_found = false;
	while (len > 0 && !*ret_found) {
		char piece[64 + CTL_KEYS_MAX];

		n = n < len ? n : len;
		*ret_found = ctl_keys_feed(k, in, n, piece, &m);
		memcpy(out + at, piece, m);
		at += m;
		in += n;
		len -= n;
	}
	out[at] = '\0';
	return out;
}

START_TEST(test_parse)
{
	struct ctl_keys k;

	keys_set(&k, "ctrl-p,ctrl-q");
	ck_assert_uint_eq(k.n, 2);
	ck_assert_mem_eq(k.keys, "\x10\x11", 2);
	keys_set(&k, "a,ctrl-@,ctrl-[,ctrl-_,Z,ctrl-A");
	ck_assert_uint_eq(k.n, 6);
	ck_assert_mem_eq(k.keys, "a\0\x1b\x1fZ\x01", 6);
	keys_set(&k, ",");
	ck_assert_mem_eq(k.keys, ",", 1);
	keys_set(&k, "");
	ck_assert_uint_eq(k.n, 0);
}
END_TEST

START_TEST(test_parse_wrong)
{
	static const char *const wrong[] = {"ctrl-", "ctrl-1", "ab", "a,,b",
		"ctrl-pp", "a,", "Ctrl-p", "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7"};
	struct ctl_keys k;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		ck_assert_msg(ctl_keys_parse(&k, wrong[i], &e) == -EINVAL, "%s",
			wrong[i]);
		ck_assert_ptr_nonnull(strstr(e.msg, wrong[i]));
	}
}
END_TEST

START_TEST(test_feed)
{
	static const struct {
		const char *keys, *in, *out;
		bool found;
	} cases[] = {
		{"ctrl-p,ctrl-q", "hello", "hello", false},
		{"ctrl-p,ctrl-q", "hi\x10\x11rest", "hi", true},
		{"ctrl-p,ctrl-q", "\x10x\x11", "\x10x\x11", false},
		{"ctrl-p,ctrl-q", "\x10\x10\x11", "\x10", true},
		{"a,a,b", "aaab", "a", true},
		{"a,b,a,b,c", "ababababc", "abab", true},
		{"a,b,a,c", "ababac!", "ab", true},
		{"a,b,a,c", "abaab", "aba", false},
		{"x", "x", "", true},
		{"", "\x10\x11", "\x10\x11", false},
	};
	size_t i, n;

	for (i = 0; i < LENGTH(cases); i++)
		for (n = 1; n < 10; n++) {
			struct ctl_keys k;
			bool found;

			keys_set(&k, cases[i].keys);
			ck_assert_str_eq(
				feed(&k, cases[i].in, n, &found), cases[i].out);
			ck_assert_int_eq(found, cases[i].found);
		}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_parse, test_parse_wrong, test_feed, NULL};

	return suite_run("ctl_keys", tests);
}
