/* SPDX-License-Identifier: Apache-2.0 */
#include "io/policy.h"

#include <errno.h>
#include <string.h>

#include "util_test.h"

static const struct {
	const char *text;
	struct policy p;
	const char *again; /* as it is written */
} good[] = {
	{NULL, {POLICY_BLOCK, false, 0}, "block"},
	{"", {POLICY_BLOCK, false, 0}, "block"},
	{"block", {POLICY_BLOCK, false, 0}, "block"},
	{"drop", {POLICY_DROP, false, 0}, "drop"},
	{"spool", {POLICY_SPOOL, false, 16 << 20}, "spool=16777216,then=block"},
	{"spool=4096", {POLICY_SPOOL, false, 4096}, "spool=4096,then=block"},
	{"spool=64M", {POLICY_SPOOL, false, 64 << 20},
		"spool=67108864,then=block"},
	{"spool=8k,then=drop", {POLICY_SPOOL, true, 8192},
		"spool=8192,then=drop"},
	{"spool,then=drop", {POLICY_SPOOL, true, 16 << 20},
		"spool=16777216,then=drop"},
	{"spool=1024g,then=block", {POLICY_SPOOL, false, 1ULL << 40},
		"spool=1099511627776,then=block"},
};

START_TEST(test_good)
{
	char buf[POLICY_TEXT_MAX];
	struct policy p;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(good); i++) {
		memset(&p, 0xff, sizeof(p));
		ck_assert_int_eq(policy_parse(good[i].text, &p, &e), 0);
		ck_assert_int_eq(p.kind, good[i].p.kind);
		ck_assert_int_eq(p.then_drop, good[i].p.then_drop);
		ck_assert_uint_eq(p.spool_size, good[i].p.spool_size);
		policy_text(&p, buf);
		ck_assert_str_eq(buf, good[i].again);
	}
}
END_TEST

static const char *const bad[] = {"Block", "block ", " drop", "spill",
	"spool=", "spool=4095", "spool=x", "spool=-1", "spool=+4096",
	"spool= 4096", "spool=64Mi", "spool=64M,",
	"spool=64M,then=", "spool=64M,then=spool", "spool=64M,then=drop,",
	"spool64M", "spooler", "spool,drop", "spool=1025g",
	"spool=99999999999999999999", "spool=18446744073709551615",
	"spool=18014398509481985k", "drop=1"};

START_TEST(test_bad)
{
	struct policy p = {.kind = POLICY_DROP};
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(bad); i++) {
		ck_assert_msg(policy_parse(bad[i], &p, &e) == -EINVAL,
			"'%s' was taken", bad[i]);
		ck_assert_int_eq(e.code, -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, POLICY_ANNOTATION));
		ck_assert_ptr_nonnull(strstr(e.msg, bad[i]));
		ck_assert_int_eq(p.kind, POLICY_DROP);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_good, test_bad, NULL};

	return suite_run("policy", tests);
}
