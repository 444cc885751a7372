/* SPDX-License-Identifier: Apache-2.0 */
#include "client/answer.h"

#include <errno.h>
#include <string.h>

#include "bootstrap.pb-c.h"
#include "util_test.h"

static int parse(const char *text, struct client_answer *a, struct err *e)
{
	return client_answer_parse(text, strlen(text), a, e);
}

START_TEST(test_dialects)
{
	static const struct {
		const char *text;
		unsigned version;
		const char *address;
	} answers[] = {
		{"unix:///run/s/1", 2, "unix:///run/s/1"},
		{"unix:///run/s/1\n", 2, "unix:///run/s/1"},
		{" /run/s/1 \n", 2, "/run/s/1"},
		{"\\\\.\\pipe\\x", 2, "\\\\.\\pipe\\x"},
		{"{\"version\":2,\"address\":\"unix:///a\","
		 "\"protocol\":\"ttrpc\"}",
			2, "unix:///a"},
		{"\n{\"address\": \"unix:///b\", \"version\": 3}\n", 3,
			"unix:///b"},
	};
	struct client_answer a;
	size_t i;

	for (i = 0; i < LENGTH(answers); i++) {
		ck_assert_int_eq(parse(answers[i].text, &a, NULL), 0);
		ck_assert_uint_eq(a.version, answers[i].version);
		ck_assert_str_eq(a.address, answers[i].address);
	}
}
END_TEST

START_TEST(test_bootstrap)
{
	Containerd__Runtime__Bootstrap__V1__BootstrapResult b =
		CONTAINERD__RUNTIME__BOOTSTRAP__V1__BOOTSTRAP_RESULT__INIT;
	struct client_answer a;
	uint8_t data[256];
	size_t n;

	b.version = 3;
	b.address = "unix:///run/s/1";
	b.protocol = "ttrpc";
	n = containerd__runtime__bootstrap__v1__bootstrap_result__pack(
		&b, data);
	ck_assert_int_eq(client_answer_parse((char *)data, n, &a, NULL), 0);
	ck_assert_uint_eq(a.version, 3);
	ck_assert_str_eq(a.address, "unix:///run/s/1");
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *text, *why;
	} answers[] = {
		{"", "no address"},
		{" \n", "no address"},
		{"hello", "neither"},
		{"{\"version\":2", "broken JSON"},
		{"{\"version\":2}", "lacks"},
		{"{\"address\":\"unix:///a\"}", "lacks"},
		{"{\"version\":\"2\",\"address\":\"unix:///a\"}", "lacks"},
		{"{\"version\":4,\"address\":\"unix:///a\"}", "version 4"},
		{"{\"version\":2,\"address\":\"\"}", "no usable"},
		{"{\"version\":2,\"address\":\"unix:///a\","
		 "\"protocol\":\"grpc\"}",
			"'grpc', not ttrpc"},
	};
	struct client_answer a = {.version = 77};
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(answers); i++) {
		ck_assert_int_eq(parse(answers[i].text, &a, &e), -EINVAL);
		ck_assert_msg(strstr(e.msg, answers[i].why), "%s: %s",
			answers[i].text, e.msg);
	}
	ck_assert_uint_eq(a.version, 77); /* untouched */
}
END_TEST

START_TEST(test_too_long)
{
	char text[8192] = "unix:///";
	struct client_answer a;

	memset(text + 8, 'x', sizeof(text) - 8);
	ck_assert_int_eq(
		client_answer_parse(text, CLIENT_ADDRESS_MAX, &a, NULL),
		-EINVAL);
	ck_assert_int_eq(
		client_answer_parse(text, CLIENT_ADDRESS_MAX - 1, &a, NULL), 0);
	text[0] = '{';
	ck_assert_int_eq(
		client_answer_parse(text, sizeof(text), &a, NULL), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_dialects, test_bootstrap,
		test_refused, test_too_long, NULL};

	return suite_run("client answer", tests);
}
