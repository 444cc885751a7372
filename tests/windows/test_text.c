/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, environments and paths of random text: WISP_TEXTS of each. */
#include <shellapi.h>
#include <stdlib.h>

#include "platform/windows/command_line.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"

#define MAX_WORDS 6

static uint32_t seed = 20190612;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % n;
}

static unsigned rounds(void)
{
	const char *text = getenv("WISP_TEXTS");

	return text ? (unsigned)strtoul(text, NULL, 10) : 20000;
}

/* Of what has a meaning to somebody, and a few that have none. */
static void random_text(char *to, size_t max, const char *const *pieces)
{
	size_t n = random_below((uint32_t)max), at = 0, count = 0;

	while (pieces[count])
		count++;
	while (at < n) {
		const char *p = pieces[random_below((uint32_t)count)];

		if (at + strlen(p) >= max)
			break;
		strcpy(to + at, p);
		at += strlen(p);
	}
	to[at] = '\0';
}

/* They come back as they were. */
START_TEST(test_command_lines)
{
	static const char *const pieces[] = {"\"", "\\", "\\\\", " ", "\t",
		"\n", "a", "^", "%", "'", "\xc3\xa4", "\xf0\x9f\x90\x8b", "*",
		NULL};
	static char words[MAX_WORDS][32], back[128];
	const char *argv[MAX_WORDS + 2] = {"program"};
	unsigned i, n, round;

	for (round = rounds(); round > 0; round--) {
		wchar_t *line, **got;
		int n_got;

		n = random_below(MAX_WORDS + 1);
		for (i = 0; i < n; i++) {
			random_text(words[i], sizeof(words[i]), pieces);
			argv[i + 1] = words[i];
		}
		argv[n + 1] = NULL;
		ck_assert_int_eq(command_line(argv, &line), 0);
		got = CommandLineToArgvW(line, &n_got);
		ck_assert_int_eq(n_got, (int)n + 1);
		for (i = 0; i < n; i++) {
			ck_assert_int_eq(
				win_narrow(got[i + 1], back, sizeof(back)), 0);
			ck_assert_msg(strcmp(back, words[i]) == 0,
				"'%s' became '%s' by '%ls'", words[i], back,
				line);
		}
		LocalFree(got);
		free(line);
	}
}
END_TEST

static size_t name_length(const wchar_t *variable)
{
	return (size_t)(wcschr(variable + 1, L'=') - variable);
}

/* Sorted, no name twice, the last one holds, and it ends. */
START_TEST(test_environments)
{
	static const char *const pieces[] = {"a", "A", "b", "_", "Z", "=",
		"\xc3\xa4", "\xc3\x84", "\\", NULL};
	static char words[MAX_WORDS][24];
	const char *envp[MAX_WORDS + 1];
	unsigned i, n, round;

	for (round = rounds(); round > 0; round--) {
		wchar_t *block, *p, *next;
		bool good = true;
		int r;

		n = random_below(MAX_WORDS + 1);
		for (i = 0; i < n; i++) {
			random_text(words[i], sizeof(words[i]), pieces);
			envp[i] = words[i];
			good &= *words[i] && strchr(words[i] + 1, '=');
		}
		envp[n] = NULL;
		r = environment_block(envp, &block);
		ck_assert_int_eq(r, good ? 0 : -EINVAL);
		if (r < 0)
			continue;
		for (p = block; *p; p = next) {
			next = p + wcslen(p) + 1;
			ck_assert_ptr_nonnull(wcschr(p + 1, L'='));
			if (*next)
				ck_assert_int_eq(
					CompareStringOrdinal(p,
						(int)name_length(p), next,
						(int)name_length(next), TRUE),
					CSTR_LESS_THAN);
		}
		free(block);
	}
}
END_TEST

/* Whatever is said is said of a buffer's inside. */
START_TEST(test_paths)
{
	static const char *const pieces[] = {"\\", "/", "..", ".", "C:", "?",
		"\\\\?\\", "\\\\.\\", "pipe", "a-name-that-is-quite-long-too",
		" ", "\xc3\xa4", "\xff", "\xed\xa0\x80", NULL};
	static char text[2048];
	static struct {
		wchar_t buf[WIN_PATH_MAX], guard;
	} path, folder;
	static struct {
		wchar_t buf[PIPE_NAME_MAX], guard;
	} name;
	unsigned round;

	path.guard = folder.guard = name.guard = L'!';
	for (round = rounds(); round > 0; round--) {
		random_text(text, round % 4 ? 64 : sizeof(text), pieces);
		if (win_path(text, path.buf) == 0) {
			ck_assert_uint_lt(wcslen(path.buf), WIN_PATH_MAX);
			ck_assert_ptr_null(wcschr(path.buf, L'/'));
		}
		if (win_folder(text, folder.buf) == 0)
			ck_assert_uint_lt(wcslen(folder.buf), WIN_PATH_MAX);
		if (pipe_name(text, name.buf) == 0)
			ck_assert_int_eq(
				_wcsnicmp(name.buf, L"\\\\.\\pipe\\", 9), 0);
	}
	ck_assert(path.guard == L'!' && folder.guard == L'!');
	ck_assert(name.guard == L'!');
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_command_lines, test_environments, test_paths, NULL};

	return suite_run("windows text", tests);
}
