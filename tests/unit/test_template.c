/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util_test.h"

static const struct template_mount mounts[] = {
	{.source = "/s0", .target = "/t0", .point = "/p0"},
	{.source = "", .target = NULL, .point = "/p1"},
	{.source = "/s2", .target = "", .point = "/p2"},
};

static void must_be(const char *text, const char *wanted)
{
	size_t room = 1000;
	struct err e = {0};
	char *got = NULL;

	ck_assert_msg(template_fill(text, mounts, 3, &room, &got, &e) == 0,
		"%s: %s", text, e.msg);
	ck_assert_str_eq(got, wanted);
	ck_assert_uint_eq(room, 1000 - strlen(wanted) - 1);
	free(got);
}

START_TEST(test_fills)
{
	must_be("", "");
	must_be("plain}} { {", "plain}} { {");
	must_be("{{ mount 0 }}", "/p0");
	must_be("{{mount 0}}", "/p0");
	must_be("{{\t mount \n 2  }}x", "/p2x");
	must_be("{{ source 0 }}|{{ source 1 }}|{{ target 0 }}|{{ target 1 }}",
		"/s0||/t0|");
	must_be("upperdir={{ mount 1 }}/upper", "upperdir=/p1/upper");
	must_be("lowerdir={{ overlay 0 2 }}:/x", "lowerdir=/p0:/p1:/p2:/x");
	must_be("{{ overlay 2 0 }}", "/p2:/p1:/p0");
	must_be("{{ overlay 1 1 }}", "/p1");
	must_be("{{ mount 00 }}", "/p0");
}
END_TEST

/* Go understands more of these; containerd sends none of them. */
START_TEST(test_refuses)
{
	static const char *const bad[] = {"{{", "{{}}", "{{ }}", "{{ mount }}",
		"{{ mount 3 }}", "{{ mount -1 }}", "{{ mount 0", "{{ mount 0 }",
		"{{ mount 0 1 }}", "{{ mount 0x0 }}", "{{ mount 0; }}",
		"{{ mount 99999999999999999999 }}", "{{ overlay 0 }}",
		"{{ overlay 0 3 }}", "{{ overlay 3 0 }}", "{{ overlay 0 1 2 }}",
		"{{ point 0 }}", "{{ \"x\" }}", "{{- mount 0 -}}",
		"{{ mount 0 | print }}", "{{/* x */}}", "{{mount0}}",
		"{{ mountmountmount 0 }}", "{{ {{ mount 0 }} }}",
		"fine {{ mount 0 }} {{ no }}"};
	size_t i;

	for (i = 0; i < LENGTH(bad); i++) {
		size_t room = 1000;
		struct err e = {0};
		char *got = NULL;

		ck_assert_msg(template_fill(bad[i], mounts, 3, &room, &got,
				      &e) == -EINVAL,
			"%s gave %s", bad[i], got ? got : "another error");
		ck_assert_msg(strstr(e.msg, strstr(bad[i], "no }}") ? "{{ no }}"
								    : bad[i]),
			"%s", e.msg);
		ck_assert_ptr_null(got);
		ck_assert_uint_eq(room, 1000);
	}
}
END_TEST

START_TEST(test_room)
{
	size_t room;
	struct err e;
	char *got = NULL;

	for (room = 0; room < 12; room++) {
		size_t left = room;

		ck_assert_int_eq(template_fill("{{ overlay 0 2 }}", mounts, 3,
					 &left, &got, &e),
			-E2BIG);
		ck_assert_uint_eq(left, room);
	}
	room = 12;
	ck_assert_int_eq(
		template_fill("{{ overlay 0 2 }}", mounts, 3, &room, &got, &e),
		0);
	ck_assert_uint_eq(room, 0);
	free(got);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_fills, test_refuses, test_room, NULL};

	return suite_run("template", tests);
}
