/* SPDX-License-Identifier: Apache-2.0 */
/* wispctl.exe stress: it finds what leaks, and nothing else. WISP_ROUNDS is how
 * many rounds of all scenarios there are. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/util_test.h"
#include "tests/windows/util_ctl.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LONG_MS 150000

static struct ctl ctl;

static const char *planted(void)
{
	static char path[1024];
	char *end;

	snprintf(path, sizeof(path), "%s", getenv("WISP_SHIM"));
	end = strrchr(path, '\\');
	ck_assert_ptr_nonnull(end);
	strcpy(end + 1, "plant\\containerd-shim-wisp-v1.exe");
	return path;
}

/* A run takes longer than other commands. */
static uint32_t stress(const char *const *words)
{
	int64_t end = real_ms() + LONG_MS;

	ctl_clear(&ctl);
	ctl_begin(&ctl, "stress", words, NULL, false);
	while (ctl.out.from && real_ms() < end)
		if (ctl_says(&ctl.out, "\"rounds\""))
			break;
	return ctl_end(&ctl);
}

static const char *text_of(const struct ctl_text *t)
{
	return t->text ? t->text : "";
}

static bool finds(const char *class)
{
	char what[64];

	snprintf(what, sizeof(what), "\"class\": \"%s\"", class);
	return strstr(text_of(&ctl.out), what);
}

static void done(void)
{
	ctl_clear(&ctl);
	ctl_teardown();
}

START_TEST(test_clean)
{
	const char *rounds = getenv("WISP_ROUNDS");
	uint32_t status;

	ctl_setup();
	status = stress(WORDS("-n", "1", "--rounds", rounds ? rounds : "1",
		"-o", "json", "--chart", "chart.svg"));
	ck_assert_msg(status == 0, "%u: %s%s", status, text_of(&ctl.out),
		text_of(&ctl.err));
	ck_assert_ptr_nonnull(
		strstr(text_of(&ctl.out), "\"verdict\": \"clean\""));
	ck_assert_ptr_nonnull(strstr(text_of(&ctl.out), "\"handleEvents\""));
	ck_assert(file_exists("chart.svg"));
	done();
}
END_TEST

START_TEST(test_planted)
{
	static const struct {
		const char *kind, *class;
	} all[] = {{"handle", "handleEvents"}, {"child", "processes"},
		{"file", "files"}};
	char setting[64];
	size_t i;

	ctl_setup();
	for (i = 0; i < LENGTH(all); i++) {
		snprintf(
			setting, sizeof(setting), "WISP_PLANT=%s", all[i].kind);
		_putenv(setting);
		ck_assert_msg(
			stress(WORDS("-n", "1", "--rounds", "3", "--settle",
				"200ms", "-o", "json", "--shim", planted(),
				"create-delete")) == 1,
			"%s: %s", all[i].kind, text_of(&ctl.err));
		ck_assert_msg(finds(all[i].class), "%s: %s", all[i].kind,
			text_of(&ctl.out));
	}
	_putenv("WISP_PLANT=");
	done();
}
END_TEST

START_TEST(test_refused)
{
	ctl_setup();
	ck_assert_uint_eq(stress(WORDS("--runtime", "runc")), 125);
	ck_assert_ptr_nonnull(
		strstr(text_of(&ctl.err), "no OCI runtime on Windows"));
	ck_assert_uint_eq(stress(WORDS("oom")), 125);
	ck_assert_ptr_nonnull(
		strstr(text_of(&ctl.err), "there is no scenario 'oom'"));
	done();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_clean, test_planted, test_refused, NULL};

	child_main();
	return suite_run("windows ctl stress", tests);
}
