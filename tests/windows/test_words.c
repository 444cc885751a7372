/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is told, in any language. */
#include <stdlib.h>

#include "platform/file.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

/* In no code page together. */
#define NAME "b\xc3\xbcndel \xe6\x97\xa5\xe6\x9c\xac \xd0\x96"
#define WIDE L"b\u00fcndel \u65e5\u672c \u0416"

static void on_ready(void *arg)
{
	(void)arg;
}

START_TEST(test_arguments)
{
	const char *bundle = here(NAME), *shim = getenv("WISP_SHIM");
	const char *argv[] = {shim, "-namespace", "ns", "-id", "words",
		"-address", "\\\\.\\pipe\\nobody", "-bundle", bundle, "delete",
		NULL};
	struct process_spec spec = {.argv = argv};
	struct event_base *base = event_base_new();
	struct exit_source *source;
	struct process_exit x = {0};
	struct err e;
	int64_t pid;

	ck_assert_ptr_nonnull(shim);
	ck_assert_int_eq(file_make_folder(bundle), 0);
	ck_assert_int_eq(exit_source_new(base, on_ready, NULL, &source, &e), 0);
	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	ck_assert(wait_for(base, exit_source_next_of(source, pid, &x)));
	ck_assert_uint_eq(x.status, 0);
	exit_source_free(source);
	event_base_free(base);
}
END_TEST

START_TEST(test_getenv)
{
	char *text;

	ck_assert_ptr_null(getenv("WISP_WORDS"));
	SetEnvironmentVariableW(L"WISP_WORDS", WIDE);
	text = getenv("WISP_WORDS");
	ck_assert_str_eq(text, NAME);
	ck_assert_ptr_eq(getenv("WISP_WORDS"), text);
	SetEnvironmentVariableW(L"WISP_WORDS", L"other");
	ck_assert_str_eq(getenv("WISP_WORDS"), "other");
	/* half a character is no text */
	SetEnvironmentVariableW(L"WISP_WORDS", L"a\xd800z");
	ck_assert_ptr_null(getenv("WISP_WORDS"));
	SetEnvironmentVariableW(L"WISP_WORDS", L"");
	ck_assert_str_eq(getenv("WISP_WORDS"), "");
	SetEnvironmentVariableW(L"WISP_WORDS", NULL);
	ck_assert_ptr_null(getenv("WISP_WORDS"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_arguments, test_getenv, NULL};

	return suite_run("windows words", tests);
}
