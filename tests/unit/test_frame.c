/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_encode)
{
	static const uint8_t want[FRAME_HEADER_SIZE] = {
		0, 1, 2, 3, 0x80, 5, 6, 7, 3, 5};
	struct frame f = {0x010203, 0x80050607, FRAME_DATA,
		FRAME_REMOTE_CLOSED | FRAME_NO_DATA};
	uint8_t got[FRAME_HEADER_SIZE];

	frame_encode(&f, got);
	ck_assert_mem_eq(got, want, sizeof(want));
}
END_TEST

START_TEST(test_both_ways)
{
	static const uint32_t numbers[] = {
		0, 1, 255, 256, FRAME_DATA_MAX, 0x7fffffff, 0xffffffff};
	uint8_t wire[FRAME_HEADER_SIZE];
	struct frame f, g;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		f = (struct frame){numbers[i], ~numbers[i], (uint8_t)i, 7};
		frame_encode(&f, wire);
		frame_decode(wire, &g);
		ck_assert_uint_eq(g.length, f.length);
		ck_assert_uint_eq(g.id, f.id);
		ck_assert_uint_eq(g.type, f.type);
		ck_assert_uint_eq(g.flags, f.flags);
	}
}
END_TEST

START_TEST(test_malformed)
{
	struct frame f = {0x01000000, 1, 0, 0};
	unsigned type;

	for (type = 0; type < 256; type++) {
		f.type = (uint8_t)type;
		ck_assert(frame_is_malformed(&f) == !(type >= 1 && type <= 3));
	}
	/* a type of a later version, at a length that is allowed */
	f = (struct frame){0x00ffffff, 1, 9, 0};
	ck_assert(!frame_is_malformed(&f));
}
END_TEST

START_TEST(test_malformed_http)
{
	struct frame f;

	frame_decode((const uint8_t *)"PRI * HTTP/2.0", &f);
	ck_assert(frame_is_malformed(&f));
	frame_decode((const uint8_t *)"GET / HTTP/1.1", &f);
	ck_assert(frame_is_malformed(&f));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("frame");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_encode);
	tcase_add_test(t, test_both_ways);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_malformed_http);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
