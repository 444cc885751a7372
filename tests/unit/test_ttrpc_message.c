/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/message.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "echo.pb-c.h"
#include "ttrpc.pb-c.h"

static const ProtobufCMessageDescriptor *const echo =
	&wisp__test__echo_request__descriptor;

START_TEST(test_both_ways)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	ProtobufCMessage *m = NULL;
	uint8_t buf[64];
	size_t n, cost = 0;

	q.text = (char *)"hello";
	q.n = 300;
	n = protobuf_c_message_pack(&q.base, buf);
	ck_assert_int_eq(message_unpack(echo, buf, n, &m, &cost), 0);
	ck_assert_str_eq(((Wisp__Test__EchoRequest *)m)->text, "hello");
	ck_assert_uint_eq(((Wisp__Test__EchoRequest *)m)->n, 300);
	ck_assert_uint_ge(cost, sizeof(q) + 6);
	message_free(m);
	message_free(NULL);
	ck_assert_int_eq(message_unpack(echo, NULL, 0, &m, NULL), 0);
	ck_assert_str_eq(((Wisp__Test__EchoRequest *)m)->text, "");
	message_free(m);
}
END_TEST

/* Whatever is cut off is refused, or a shorter message. */
START_TEST(test_cut)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	Wisp__Test__EchoPart part = WISP__TEST__ECHO_PART__INIT, *parts[3];
	ProtobufCMessage *m;
	uint8_t buf[64], *exact;
	size_t n, i;
	int r;

	part.data.data = (uint8_t *)"data";
	part.data.len = 4;
	parts[0] = parts[1] = parts[2] = &part;
	q.text = (char *)"hello";
	q.n_parts = 3;
	q.parts = parts;
	n = protobuf_c_message_pack(&q.base, buf);
	for (i = 0; i <= n; i++) {
		m = NULL;
		exact = malloc(i + !i); /* so that ASan sees its end */
		memcpy(exact, buf, i);
		r = message_unpack(echo, exact, i, &m, NULL);
		free(exact);
		ck_assert(r == 0 || (r == -EBADMSG && !m));
		message_free(m);
	}
	ck_assert_int_eq(r, 0);
}
END_TEST

START_TEST(test_bound)
{
	const size_t max = 4 << 20;
	uint8_t *buf = malloc(max);
	ProtobufCMessage *m = NULL;
	size_t i, n, cost = 0, refused = 0;

	for (i = 0; i < max; i += 2) {
		buf[i] = 3 << 3 | 2; /* an empty part */
		buf[i + 1] = 0;
	}
	for (n = 2; n <= max; n *= 2) {
		int r = message_unpack(echo, buf, n, &m, &cost);

		if (r == 0) {
			ck_assert_uint_eq(refused, 0);
			ck_assert_uint_le(cost, MESSAGE_MEMORY_MAX);
			message_free(m);
			continue;
		}
		ck_assert_int_eq(r, -E2BIG);
		refused++;
	}
	ck_assert_uint_ge(refused, 1);
	/* 100,000 parts are no attack */
	ck_assert_int_eq(message_unpack(echo, buf, 200000, &m, &cost), 0);
	message_free(m);
	free(buf);
}
END_TEST

/* Lengths that are not there. */
START_TEST(test_lies)
{
	static const char *const lies[] = {
		"\x0a\xff\xff\xff\xff\x0f", /* 4 GiB of text */
		"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* 2^64 - 1 */
		"\x1a\x05\x0a\x7f", /* a part in a part */
		"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", /* no end */
		"\x0b",                                         /* a group */
		"\x0f", /* wire type 7 */
	};
	ProtobufCMessage *m = NULL;
	size_t i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		ck_assert_int_eq(message_unpack(echo, (const uint8_t *)lies[i],
					 strlen(lies[i]), &m, NULL),
			-EBADMSG);
	ck_assert_ptr_null(m);
}
END_TEST

/* One buffer for both must read as protobuf-c's own packing does. */
START_TEST(test_envelope)
{
	static const size_t sizes[] = {
		0, 1, 2, 120, 127, 128, 129, 16383, 16384, 2097151, 2097152};
	Wisp__Test__EchoResponse e = WISP__TEST__ECHO_RESPONSE__INIT;
	Ttrpc__Request q = TTRPC__REQUEST__INIT, *got;
	struct envelope m = {&q.base, &e.base, 3};
	size_t i, n;
	uint8_t *buf;

	q.service = (char *)"s";
	q.timeout_nano = -1;
	e.data.data = calloc(1, 2097152);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		e.data.len = sizes[i];
		n = envelope_size(&m);
		buf = malloc(n);
		envelope_pack(&m, buf);
		got = ttrpc__request__unpack(NULL, n, buf);
		ck_assert_ptr_nonnull(got);
		ck_assert_str_eq(got->service, "s");
		ck_assert_int_eq(got->timeout_nano, -1);
		ck_assert_uint_eq(got->payload.len,
			protobuf_c_message_get_packed_size(&e.base));
		ttrpc__request__free_unpacked(got, NULL);
		free(buf);
	}
	free(e.data.data);
}
END_TEST

START_TEST(test_envelope_parts)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct envelope none = {0}, head = {.head = &q.base},
			bare = {.body = &q.base};
	uint8_t buf[3];

	q.text = (char *)"x";
	ck_assert_uint_eq(envelope_size(&none), 0);
	envelope_pack(&none, buf);
	ck_assert_uint_eq(envelope_size(&head), 3);
	envelope_pack(&head, buf);
	ck_assert_mem_eq(buf, "\x0a\1x", 3);
	ck_assert_uint_eq(envelope_size(&bare), 3);
	envelope_pack(&bare, buf);
	ck_assert_mem_eq(buf, "\x0a\1x", 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ttrpc message");
	TCase *t = tcase_create("message");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_both_ways);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_lies);
	tcase_add_test(t, test_envelope);
	tcase_add_test(t, test_envelope_parts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
