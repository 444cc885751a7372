/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/util_test.h on Windows: all tests of a program run in one process,
 * one after the other, as there is no fork. A test fails if it leaves a handle
 * open.
 */
#include "tests/unit/util_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/stream.h"
#include "platform/windows/job.h"
#include "tests/windows/util_handles.h"

static char suite_dir[MAX_PATH];
static unsigned handles_before, serial;

unsigned count_fds(void)
{
	return count_handles();
}

void cloexec_all(void)
{
}

static VOID CALLBACK never(PVOID arg, BOOLEAN unused)
{
	(void)arg;
	(void)unused;
}

/* What the system opens at the first use of something stays. */
static int warm_up(void)
{
	struct event_base *base = event_base_new();
	struct stream *s;
	struct endpoint *ep;
	int r = base ? stream_pipe_from_child(base, &s, &ep) : -ENOMEM;
	struct job *job;
	HANDLE wait;
	char c;

	if (r < 0) {
		fprintf(stderr, "no pipes: %s (%lu)\n", strerror(-r),
			GetLastError());
		return r;
	}
	stream_read(s, &c, 1);
	endpoint_close(ep); /* which ends the read, in the port's thread */
	while (stream_read(s, &c, 1) == -EAGAIN)
		loop_turn(base);
	stream_close(s);
	event_base_free(base);
	/* the thread that waits for processes goes when it has had nothing to
	 * do for some seconds: this keeps it */
	RegisterWaitForSingleObject(&wait,
		CreateEventW(NULL, TRUE, FALSE, NULL), never, NULL, INFINITE,
		WT_EXECUTEINWAITTHREAD);
	if (job_new("warm-up", &job, NULL) == 0)
		job_free(job);
	return 0;
}

static void test_enter(void)
{
	char dir[MAX_PATH + 16];

	snprintf(dir, sizeof(dir), "%s\\%u", suite_dir, ++serial);
	ck_assert_int_eq(file_make_folder(dir), 0);
	ck_assert_int_eq(file_enter_folder(dir), 0);
	handles_before = count_handles();
}

static void test_leave(void)
{
	unsigned tries = 0;

	/* a thread of the system's may be about to close one */
	while (count_handles() > handles_before && tries++ < 100)
		Sleep(10);
	ck_assert_msg(count_handles() <= handles_before,
		"%u handles, %u before", count_handles(), handles_before);
}

int suite_run(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	snprintf(suite_dir, sizeof(suite_dir), "%s\\wisp-%lu-%llx",
		getenv("TEMP"), GetCurrentProcessId(),
		(unsigned long long)GetTickCount64());
	if (file_make_folder(suite_dir) < 0) {
		fprintf(stderr, "cannot make %s\n", suite_dir);
		return EXIT_FAILURE;
	}
	if (warm_up() < 0)
		return EXIT_FAILURE;
	/* each one a case of its own, for CK_RUN_CASE=test_x */
	for (; *tests; tests++) {
		TCase *t = tcase_create((*tests)->name);

		tcase_add_checked_fixture(t, test_enter, test_leave);
		tcase_add_test(t, *tests);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	fflush(stdout);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const char *here(const char *name)
{
	static char paths[8][FILE_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % LENGTH(paths)];
	size_t n;

	ck_assert_int_eq(file_working_folder(path, FILE_PATH_MAX / 2), 0);
	n = strlen(path);
	snprintf(path + n, FILE_PATH_MAX - n, "/%s", name);
	return path;
}

void put_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	fclose(f);
}

void put_text(const char *path, const char *text)
{
	put_file(path, text, strlen(text));
}

size_t get_file(const char *path, char *buf, size_t n)
{
	FILE *f = fopen(path, "rb");
	size_t got;

	ck_assert_ptr_nonnull(f);
	got = fread(buf, 1, n - 1, f);
	buf[got] = '\0';
	fclose(f);
	return got;
}

bool file_exists(const char *path)
{
	return file_check(path) == 0;
}

int64_t real_ms(void)
{
	return (int64_t)GetTickCount64();
}

void nap(void)
{
	Sleep(1);
}

void loop_turn(struct event_base *base)
{
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

/* A completion comes through another thread. */
void loop_settle(struct event_base *base)
{
	int i;

	for (i = 0; i < 30; i++) {
		loop_turn(base);
		Sleep(1);
	}
}

bool is_root(void)
{
	return true;
}
