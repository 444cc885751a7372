/* SPDX-License-Identifier: Apache-2.0 */
/* What others can see of a process. */
#include "platform/look.h"

#include <stdlib.h>

#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

struct kinds {
	unsigned all, events, files, processes, same;
	int number;
};

static void on_open(const struct look_open *o, void *arg)
{
	struct kinds *k = arg;

	k->all++;
	k->events += strcmp(o->what, "Event") == 0;
	k->files += strcmp(o->what, "File") == 0;
	k->processes += strcmp(o->what, "Process") == 0;
	k->same += o->number == k->number;
	ck_assert_int_eq(o->waiting, -1);
}

START_TEST(test_open)
{
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), file, process;
	struct kinds before = {.number = (int)(intptr_t)event}, after = before;
	int64_t self = GetCurrentProcessId();

	look_open(self, on_open, &before);
	ck_assert_uint_eq(before.same, 1);
	ck_assert_int_eq(look_open_count(self), (int)before.all);
	file = CreateFileW(
		L"file", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	process = OpenProcess(
		PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId());
	look_open(self, on_open, &after);
	ck_assert_uint_eq(after.all, before.all + 2);
	ck_assert_uint_eq(after.events, before.events);
	ck_assert_uint_eq(after.files, before.files + 1);
	ck_assert_uint_eq(after.processes, before.processes + 1);
	CloseHandle(event);
	CloseHandle(file);
	CloseHandle(process);
	ck_assert_int_eq(look_open_count(self), (int)before.all - 1);
	ck_assert_int_eq(look_open_count(99999999), 0);
}
END_TEST

static void see(int64_t pid, void *arg)
{
	struct look_process p;
	unsigned *n = arg;

	if (look_process(pid, &p) == 0 && strstr(p.command, "look-for-me"))
		n[0]++;
	n[1] += pid == (int64_t)GetCurrentProcessId();
}

static void on_ready(void *arg)
{
	(void)arg;
}

static int64_t sleeper(const char *word)
{
	struct process_spec spec = {.argv = (const char *[]){own_path(),
					    "child", "sleep", word, NULL}};
	struct err e;
	int64_t pid;

	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	return pid;
}

static void end(
	struct event_base *base, struct exit_source *source, int64_t pid)
{
	struct process_exit x;
	struct process_ref *ref;

	ck_assert_int_eq(process_ref_open(pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	process_ref_close(ref);
	ck_assert(wait_for(base, exit_source_next_of(source, pid, &x)));
}

/* A command line that is longer than there is room for begins all the same. */
START_TEST(test_others)
{
	struct event_base *base = event_base_new();
	struct exit_source *source;
	unsigned n[2] = {0};
	struct look_process p;
	struct err e;
	int64_t a, b;
	char word[2001];

	memset(word, 'x', 2000);
	word[2000] = '\0';
	ck_assert_int_eq(exit_source_new(base, on_ready, NULL, &source, &e), 0);
	a = sleeper("look-for-me");
	b = sleeper(word);
	ck_assert_int_eq(look_all(see, n), 0);
	ck_assert_uint_eq(n[0], 1);
	ck_assert_uint_eq(n[1], 1);
	ck_assert_int_eq(look_process(a, &p), 0);
	ck_assert_ptr_nonnull(strstr(p.command, " sleep look-for-me"));
	ck_assert_uint_ge(p.threads, 1);
	ck_assert_int_eq(look_process(b, &p), 0);
	ck_assert_ptr_nonnull(strstr(p.command, "child"));
	ck_assert_uint_lt(strlen(p.command), sizeof(p.command));
	end(base, source, a);
	end(base, source, b);
	ck_assert_int_eq(look_process(a, &p), -ESRCH);
	exit_source_free(source);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_open, test_others, NULL};

	child_main();
	return suite_run("windows look", tests);
}
