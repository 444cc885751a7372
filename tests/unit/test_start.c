/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util_test.h"

#define ADDRESS "unix:///run/s/0123"

/* The field numbers of a BootstrapResult are 1, 2 and 3. */
static const char bare[] = ADDRESS,
		  json[] = "{\"version\":2,\"address\":\"" ADDRESS
			   "\",\"protocol\":\"ttrpc\"}",
		  bootstrap[] = "\x08\x03\x12\x12" ADDRESS "\x1a\x05ttrpc";

static const struct {
	const char *text;
	size_t n;
} answers[] = {
	[START_BARE] = {bare, sizeof(bare) - 1},
	[START_JSON] = {json, sizeof(json) - 1},
	[START_BOOTSTRAP] = {bootstrap, sizeof(bootstrap) - 1},
};

START_TEST(test_exact_bytes)
{
	uint8_t buf[256];
	unsigned i;

	for (i = 0; i < LENGTH(answers); i++) {
		memset(buf, '#', sizeof(buf));
		ck_assert_int_eq(start_answer((enum start_dialect)i, ADDRESS,
					 buf, sizeof(buf)),
			(int)answers[i].n);
		ck_assert_mem_eq(buf, answers[i].text, answers[i].n);
		/* no newline after it: the daemon would dial that too */
		ck_assert_int_ne(buf[answers[i].n], '\n');
	}
}
END_TEST

/* Every size from none to enough; not a byte is written past it. */
START_TEST(test_small_buffers)
{
	uint8_t buf[256];
	unsigned i;
	size_t n;

	for (i = 0; i < LENGTH(answers); i++) {
		/* text may need room for a NUL */
		size_t need = answers[i].n + (i != START_BOOTSTRAP);

		for (n = 0; n <= need; n++) {
			memset(buf, '#', sizeof(buf));
			ck_assert_int_eq(start_answer((enum start_dialect)i,
						 ADDRESS, buf, n),
				n < need ? -ENAMETOOLONG : (int)answers[i].n);
			ck_assert_uint_eq(buf[n], '#');
		}
	}
}
END_TEST

/* What JSON has a backslash before. */
START_TEST(test_quote_in_address)
{
	static const char *const odd[] = {
		"unix:///run/\"s\"/0123", "\\\\.\\pipe\\x"};
	static const char *const escaped[] = {
		"unix:///run/\\\"s\\\"/0123", "\\\\\\\\.\\\\pipe\\\\x"};
	char want[256];
	uint8_t buf[256];
	unsigned i;

	for (i = 0; i < LENGTH(odd); i++) {
		int n = (int)strlen(odd[i]);
		int len = snprintf(want, sizeof(want),
			"{\"version\":2,\"address\":\"%s\","
			"\"protocol\":\"ttrpc\"}",
			escaped[i]);

		ck_assert_int_eq(
			start_answer(START_JSON, odd[i], buf, sizeof(buf)),
			len);
		ck_assert_mem_eq(buf, want, (size_t)len);
		ck_assert_int_eq(
			start_answer(START_JSON, odd[i], buf, (size_t)len),
			-ENAMETOOLONG);
		ck_assert_int_eq(
			start_answer(START_BARE, odd[i], buf, sizeof(buf)), n);
		ck_assert_mem_eq(buf, odd[i], (size_t)n);
		ck_assert_int_eq(
			start_answer(START_BOOTSTRAP, odd[i], buf, sizeof(buf)),
			n + 11);
		ck_assert_mem_eq(buf + 4, odd[i], (size_t)n);
	}
}
END_TEST

/* Its length takes two bytes: protobuf's encoding guide, "Base 128 Varints". */
START_TEST(test_long_address)
{
	char address[4096];
	uint8_t buf[4224];

	memset(address, 'a', sizeof(address));
	address[4095] = '\0';
	ck_assert_int_eq(
		start_answer(START_BARE, address, buf, sizeof(buf)), 4095);
	ck_assert_int_eq(start_answer(START_JSON, address, buf, sizeof(buf)),
		(int)(4095 + sizeof(json) - sizeof(ADDRESS)));
	ck_assert_int_eq(
		start_answer(START_BOOTSTRAP, address, buf, sizeof(buf)),
		4095 + 12);
	ck_assert_mem_eq(buf, "\x08\x03\x12\xff\x1f", 5);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_exact_bytes, test_small_buffers,
		test_quote_in_address, test_long_address, NULL};

	return suite_run("start", tests);
}
