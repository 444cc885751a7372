/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/denials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/json_write.h"
#include "shim/log.h"
#include "util_clock.h"
#include "util_test.h"

#define ARCH 0xc000003e

static struct event_base *base;

struct insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* Everything fails with EPERM but call 7, which is allowed. */
static const struct insn filter[] = {
	{0x20, 0, 0, 0},
	{0x15, 0, 1, 7},
	{0x06, 0, 0, SECCOMP_SAYS_ALLOW},
	{0x06, 0, 0, SECCOMP_SAYS_ERRNO | EPERM},
};

static struct denials *begin(void)
{
	struct denials *d;
	struct err e;

	log_set_level(LOG_ERROR);
	base = event_base_new();
	clock_freeze();
	put_file(here(DENIALS_FILTER), filter, sizeof(filter));
	put_text(here(DENIALS_TABLE),
		"c000003e 165 mount x86_64 xxx 0 the profile says so\n"
		"c000003e 135 personality x86_64 x 1 not with this\n");
	ck_assert_int_eq(denials_new(base, "c1", here("."), &d, &e), 0);
	return d;
}

static void end(struct denials *d)
{
	denials_free(d);
	event_base_free(base);
}

static void deny(struct denials *d, int nr, uint64_t arg, const char *comm)
{
	struct seccomp_call call = {.arch = ARCH, .nr = nr, .args = {arg}};

	snprintf(call.comm, sizeof(call.comm), "%s", comm);
	ck_assert_uint_eq(denials_decide(&call, d), SECCOMP_SAYS_ERRNO | EPERM);
	denials_answered(d);
}

static char content[1 << 20];

static unsigned lines(void)
{
	unsigned n = 0;
	char *at;

	if (!file_exists(here(DENIALS_FILE)))
		return 0;
	get_file(here(DENIALS_FILE), content, sizeof(content));
	for (at = content; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

static void pass(int64_t ms)
{
	clock_skip_ms(ms);
	loop_settle(base);
}

START_TEST(test_first_at_once_others_later)
{
	struct denials *d = begin();
	int i;

	deny(d, 165, 3, "x");
	ck_assert_uint_eq(lines(), 1);
	ck_assert(strstr(content, "\"call\":\"mount(0x3, 0x0, 0x0)\""));
	ck_assert(strstr(content, "\"profile\":\"the profile says so\""));
	ck_assert(loop_is_idle(base));
	for (i = 0; i < 1000; i++)
		deny(d, 165, 4, "x");
	ck_assert_uint_eq(lines(), 1);
	pass(999);
	ck_assert_uint_eq(lines(), 1);
	pass(1);
	ck_assert_uint_eq(lines(), 2);
	ck_assert(strstr(content, "\"count\":1000,\"total\":1001"));
	deny(d, 165, 4, "x");
	pass(1000); /* the pauses grow */
	ck_assert_uint_eq(lines(), 2);
	pass(1000);
	ck_assert_uint_eq(lines(), 3);
	end(d);
}
END_TEST

START_TEST(test_silence_costs_nothing)
{
	struct denials *d = begin();

	deny(d, 165, 3, "x");
	deny(d, 165, 3, "x");
	pass(1000);
	pass(20000);
	ck_assert_uint_eq(lines(), 2);
	ck_assert(loop_is_idle(base));
	ck_assert_int_eq(
		event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
	deny(d, 165, 3, "x"); /* and then it begins anew */
	pass(1000);
	ck_assert_uint_eq(lines(), 3);
	end(d);
}
END_TEST

START_TEST(test_kinds)
{
	struct denials *d = begin();

	deny(d, 165, 3, "x");
	deny(d, 165, 4, "x"); /* not an argument that the profile looks at */
	ck_assert_uint_eq(lines(), 1);
	deny(d, 165, 3, "y");
	ck_assert_uint_eq(lines(), 2);
	deny(d, 135, 1, "x");
	deny(d, 135, 2, "x");
	ck_assert_uint_eq(lines(), 4);
	deny(d, 999, 2, "x"); /* nothing is known of it */
	ck_assert_uint_eq(lines(), 5);
	ck_assert(strstr(content, "\"syscall\":\"call 999\""));
	end(d);
	ck_assert_uint_eq(lines(), 6); /* what was untold */
}
END_TEST

START_TEST(test_what_is_allowed)
{
	struct seccomp_call call = {.arch = ARCH, .nr = 7};
	struct denials *d = begin();

	ck_assert_uint_eq(denials_decide(&call, d), SECCOMP_SAYS_ALLOW);
	denials_answered(d);
	end(d);
	ck_assert_uint_eq(lines(), 0);
}
END_TEST

/* Kinds without end: few are told, all are counted, the file is bounded. */
START_TEST(test_flood_of_kinds)
{
	struct denials *d = begin();
	uint64_t told = 0, unnamed = 0, n = 0;
	struct json_out o = {0};
	struct stat st;
	char name[16], *at;
	int i, k;

	for (i = 0; i < 500; i++) {
		for (k = 0; k < 20; k++) {
			snprintf(name, sizeof(name), "n%d", i * 20 + k);
			deny(d, 165, 0, name);
		}
		n += 20;
		pass(1000);
		ck_assert_int_eq(stat(here(DENIALS_FILE), &st), 0);
		ck_assert_int_lt(st.st_size, 300 << 10);
	}
	json_open(&o, NULL, '{');
	denials_put(d, &o);
	json_close(&o);
	ck_assert(json_ok(&o));
	at = strstr(o.data, "\"denied\":");
	told = strtoull(at + 9, NULL, 10);
	unnamed = strtoull(strstr(o.data, "\"unnamed\":") + 10, NULL, 10);
	free(o.data);
	ck_assert_uint_eq(told, n);
	/* 64 at first, and 8 in each second */
	ck_assert_uint_eq(n - unnamed, 64 + 8 * 499);
	end(d);
}
END_TEST

START_TEST(test_no_filter)
{
	struct denials *d;
	struct err e;

	base = event_base_new();
	ck_assert_int_eq(denials_new(base, "c1", here("."), &d, &e), -ENOENT);
	put_text(here(DENIALS_FILTER), "not a filter, but long enough....");
	ck_assert_int_eq(denials_new(base, "c1", here("."), &d, &e), -EINVAL);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_first_at_once_others_later,
		test_silence_costs_nothing, test_kinds, test_what_is_allowed,
		test_flood_of_kinds, test_no_filter, NULL};

	return suite_run("denials", tests);
}
