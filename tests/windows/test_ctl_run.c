/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: wispctl.exe run, the shim, and real programs. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/util_test.h"
#include "tests/windows/util_ctl.h"
#include "tests/windows/util_handles.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

/* Tests without a container of their own leave nothing open, either. */
static struct ctl ctl;

static uint32_t run(const char *const *words, const char *const *child)
{
	ctl_clear(&ctl);
	ctl_begin(&ctl, "run", words, child, false);
	return ctl_end(&ctl);
}

static const char *out(void)
{
	return ctl.out.text ? ctl.out.text : "";
}

static const char *err_out(void)
{
	return ctl.err.text ? ctl.err.text : "";
}

static void done(void)
{
	ctl_clear(&ctl);
	ctl_teardown();
}

START_TEST(test_exit_status)
{
	static const char *const codes[] = {"0", "1", "255", "256",
		"0x7fffffff", "0x80000000", "0xC0000005", "0xffffffff"};
	size_t i;

	ctl_setup();
	for (i = 0; i < LENGTH(codes); i++) {
		uint32_t status = run(NONE, WORDS("exit", codes[i]));

		ck_assert_msg(status == strtoul(codes[i], NULL, 0),
			"%s became %#x: %s", codes[i], status, err_out());
		ck_assert_str_eq(err_out(), "");
	}
	done();
}
END_TEST

/* Both streams at once, and none ends up in the other. */
START_TEST(test_bursts_out)
{
	enum { N = 8 << 20 };
	size_t i;

	ctl_setup();
	ck_assert_uint_eq(run(NONE, WORDS("both", "8388608")), 0);
	ck_assert_uint_eq(ctl.out.n, N);
	ck_assert_uint_eq(ctl.err.n, N);
	for (i = 0; i < N; i++) {
		if (ctl.out.text[i] != (char)(i % 251))
			ck_abort_msg("byte %zu of stdout is wrong", i);
		if (ctl.err.text[i] != (char)(i * 7 % 251))
			ck_abort_msg("byte %zu of stderr is wrong", i);
	}
	done();
}
END_TEST

static char *pattern(size_t n, char *ret_sum)
{
	unsigned long long hash = 14695981039346656037ull;
	char *data = malloc(n);
	size_t i;

	ck_assert_ptr_nonnull(data);
	for (i = 0; i < n; i++) {
		data[i] = (char)(i * 31 % 253);
		hash = (hash ^ (unsigned char)data[i]) * 1099511628211ull;
	}
	sprintf(ret_sum, "%zu %016llx", n, hash);
	return data;
}

/* All of stdin arrives, then CloseIO: the program sees the end. */
START_TEST(test_burst_in)
{
	enum { N = 8 << 20 };
	char sum[64], *data = pattern(N, sum);

	ctl_setup();
	ctl_begin(&ctl, "run", WORDS("-i"), WORDS("sum"), true);
	ctl_type(&ctl, data, N);
	ck_assert_uint_eq(ctl_end(&ctl), 0);
	ck_assert_str_eq(out(), sum);
	free(data);
	done();
}
END_TEST

/* There and back at the same time. */
START_TEST(test_echo)
{
	enum { N = 1 << 20 };
	char sum[64], *data = pattern(N, sum);

	ctl_setup();
	ctl_begin(&ctl, "run", WORDS("-i"), WORDS("echo"), true);
	ctl_type(&ctl, data, N);
	ck_assert_uint_eq(ctl_end(&ctl), 0);
	ck_assert_uint_eq(ctl.out.n, N);
	ck_assert(memcmp(ctl.out.text, data, N) == 0);
	free(data);
	done();
}
END_TEST

/* Without -i a program sees the end at once, though ours stays open. */
START_TEST(test_no_stdin)
{
	ctl_setup();
	ctl_begin(&ctl, "run", NONE, WORDS("sum"), true);
	ck_assert(ctl_says(&ctl.out, "0 cbf29ce484222325"));
	ck_assert_uint_eq(ctl_end(&ctl), 0);
	done();
}
END_TEST

START_TEST(test_environment_and_folder)
{
	ctl_setup();
	ck_assert_uint_eq(run(WORDS("-e", "WISP_X=\xf0\x9f\x90\x88 a=b;%PATH%"),
				  WORDS("env", "WISP_X")),
		0);
	ck_assert_str_eq(out(), "\xf0\x9f\x90\x88 a=b;%PATH%");
	/* ours is passed on by name */
	ck_assert(SetEnvironmentVariableW(L"WISP_Y", L"\x00e9\xd83d\xdc08"));
	ck_assert_uint_eq(run(WORDS("-e", "WISP_Y", "-e", "WISP_NOT_THERE"),
				  WORDS("env", "WISP_Y")),
		0);
	ck_assert_str_eq(out(), "\xc3\xa9\xf0\x9f\x90\x88");
	ck_assert_uint_eq(
		run(WORDS("-w", "C:\\windows\\system32"), WORDS("cwd")), 0);
	ck_assert_int_eq(strcasecmp(out(), "C:\\windows\\system32"), 0);
	done();
}
END_TEST

START_TEST(test_bundle)
{
	const char *config =
		"{\"ociVersion\":\"1.1.0\",\"process\":{\"commandLine\":"
		"\"cmd /c exit 77\",\"cwd\":\"C:\\\\\",\"env\":[\"A=1\"]},"
		"\"windows\":{},\"annotations\":{"
		"\"microsoft.com/hostprocess-container\":\"true\","
		"\"microsoft.com/hostprocess-inherit-user\":\"true\"}}";

	ctl_setup();
	ck_assert(CreateDirectoryA("b", NULL));
	put_text("b\\config.json", config);
	ck_assert_uint_eq(run(WORDS("--bundle", here("b")), NULL), 77);
	/* another command, the rest as it is */
	ck_assert_uint_eq(
		run(WORDS("--bundle", here("b")), WORDS("env", "A")), 0);
	ck_assert_str_eq(out(), "1");
	/* what was given is not what was worked on */
	ck_assert(!file_exists("b\\address"));
	ck_assert_uint_eq(
		run(WORDS("--bundle", here("b"), "-w", "C:\\"), NULL), 125);
	done();
}
END_TEST

/* Nothing of these is left below the root: ctl_teardown(). */
START_TEST(test_failures)
{
	ctl_setup();
	ck_assert_uint_eq(run(WORDS("--", "no-such-program"), NULL), 127);
	ck_assert_ptr_nonnull(strstr(err_out(), "no-such-program"));
	put_text("text.exe", "no program");
	ck_assert_uint_eq(run(WORDS("--", here("text.exe")), NULL), 126);
	ck_assert_uint_eq(
		run(WORDS("--shim", "C:\\not\\there.exe"), NULL), 125);
	/* a shim that is none: it prints no address */
	ck_assert_uint_eq(
		run(WORDS("--shim", "C:\\windows\\system32\\cmd.exe"), NULL),
		125);
	done();
}
END_TEST

START_TEST(test_hostile_options)
{
	static const char *const bad[][3] = {
		{"--name", "..\\..\\x"},
		{"--name", "con/x"},
		{"--name", ""},
		{"--name", "a..b"},
		{"--memory", "0"},
		{"--memory", "-1"},
		{"--memory", "99999999999999999999"},
		{"--memory", "9007199254740992g"},
		{"--memory", "1kk"},
		{"--cpu-count", "x"},
		{"--env", "=x"},
		{"--annotation", "no-value"},
		{"--cwd", "not-absolute"},
		{"--root", "C:relative"},
		{"--bundle", "C:\\not\\there"},
		{"--output", "yaml"},
		{"--no-such-option"},
		{"--name"},
		{"-t", "-i"},
		{"--command-line", "a", "b"},
		{"--command-line", ""},
		{"-u", "NOBODY\\nobody", "cmd"},
	};
	size_t i;

	ctl_setup();
	for (i = 0; i < LENGTH(bad); i++) {
		const char *const words[] = {
			bad[i][0], bad[i][1], bad[i][2], NULL};
		uint32_t status = run(words, NULL);

		ck_assert_msg(status == 125, "%s %s: %u, %s", words[0],
			words[1] ? words[1] : "", status, err_out());
		ck_assert_msg(strncmp(err_out(), "wispctl: ", 9) == 0, "%s",
			err_out());
	}
	done();
}
END_TEST

START_TEST(test_events)
{
	static const char *const topics[] = {"\"/tasks/create\"",
		"\"/tasks/start\"", "\"/tasks/exit\"", "\"/tasks/delete\""};
	const char *at;
	size_t i;

	ctl_setup();
	ck_assert_uint_eq(run(WORDS("--events", "-o", "json", "--name", "told"),
				  WORDS("exit", "0x80000001")),
		0x80000001);
	at = err_out();
	for (i = 0; i < LENGTH(topics); i++) {
		at = strstr(at, topics[i]);
		ck_assert_msg(at != NULL, "no %s in %s", topics[i], err_out());
	}
	ck_assert_ptr_nonnull(strstr(err_out(), "2147483649"));
	done();
}
END_TEST

START_TEST(test_two_at_once)
{
	struct ctl a, b, c;

	ctl_setup();
	ctl_begin(&a, "run", WORDS("-i", "--name", "a"), WORDS("echo"), true);
	ctl_begin(&b, "run", WORDS("-i", "--name", "b"), WORDS("echo"), true);
	ctl_type(&a, "to a", 4);
	ctl_type(&b, "to b", 4);
	ck_assert(ctl_says(&b.out, "to b"));
	ck_assert(ctl_says(&a.out, "to a"));
	/* the name is taken, and a is none the worse for it */
	ctl_begin(&c, "run", WORDS("--name", "a"), WORDS("exit", "0"), false);
	ck_assert_uint_eq(ctl_end(&c), 125);
	ck_assert_ptr_nonnull(strstr(c.err.text, "taken"));
	ctl_type(&a, " more", 5);
	ck_assert(ctl_says(&a.out, "to a more"));
	ck_assert_uint_eq(ctl_end(&a), 0);
	ck_assert_uint_eq(ctl_end(&b), 0);
	ck_assert_int_eq(ctl_shim_pid("a"), 0);
	ctl_clear(&a);
	ctl_clear(&b);
	ctl_clear(&c);
	done();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_exit_status, test_bursts_out,
		test_burst_in, test_echo, test_no_stdin,
		test_environment_and_folder, test_bundle, test_failures,
		test_hostile_options, test_events, test_two_at_once, NULL};

	child_main();
	return suite_run("windows ctl_run", tests);
}
