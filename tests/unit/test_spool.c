/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

enum { KIB = 1024, MAX = 10000 }; /* which is no multiple of anything */

static struct event_base *base;
static struct spool *spool;
static struct stream *to;
static int out = -1; /* the far end of to */
static size_t put, got;

static unsigned char byte_at(size_t at)
{
	return (unsigned char)((at * 2654435761u) >> 13);
}

static void begin(uint64_t max)
{
	int fds[2];

	base = event_base_new();
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	out = fds[0];
	ck_assert_int_eq(stream_from_fd(base, fds[1], &to), 0);
	ck_assert_int_eq(spool_open(".", max, &spool), 0);
	put = got = 0;
}

static void end(void)
{
	spool_close(spool);
	stream_close(to);
	fd_close(&out);
	event_base_free(base);
}

static ssize_t put_some(size_t n)
{
	unsigned char buf[4096];
	size_t i;
	ssize_t r;

	for (i = 0; i < n; i++)
		buf[i] = byte_at(put + i);
	r = spool_put(spool, buf, n);
	put += r > 0 ? (size_t)r : 0;
	return r;
}

static void take(void)
{
	unsigned char buf[4096];
	ssize_t n, i;

	while ((n = read(out, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			ck_assert_int_eq(buf[i], byte_at(got++));
}

/* Round and round, in pieces of all sizes; the file does not grow. */
START_TEST(test_ring)
{
	size_t i, n;

	begin(MAX);
	for (i = 0; put < 40 * MAX; i++) {
		ssize_t r = put_some(1 + i * 37 % 4096);

		ck_assert(r > 0 || r == -ENOBUFS);
		ck_assert_uint_le(spool_used(spool), MAX);
		for (n = 0; n < i % 4; n++) {
			r = spool_get(spool, to);
			ck_assert(r > 0 || r == -ENODATA);
			take();
		}
		ck_assert_uint_eq(spool_used(spool), put - got);
	}
	while (spool_get(spool, to) > 0)
		take();
	ck_assert_uint_eq(got, put);
	ck_assert_uint_eq(spool_used(spool), 0);
	end();
}
END_TEST

START_TEST(test_no_name_and_bounded)
{
	struct stat st;
	int before = (int)count_fds(), fd;

	begin(MAX);
	while (put_some(4096) > 0)
		;
	ck_assert_uint_eq(put, MAX);
	ck_assert_int_eq(put_some(1), -ENOBUFS);
	ck_assert_int_eq(rmdir("."), -1); /* EINVAL: "." is never removed */
	for (fd = before; fd < before + 8; fd++)
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
			ck_assert_uint_eq(st.st_nlink, 0);
			ck_assert_uint_eq(st.st_size, MAX);
			ck_assert_uint_eq(st.st_mode & 0777, 0600);
		}
	end();
}
END_TEST

/* The reader is behind: nothing of what it has not got is lost. */
START_TEST(test_stream_is_full)
{
	begin(200 * KIB);
	while (put_some(4096) > 0)
		;
	while (spool_get(spool, to) > 0)
		;
	ck_assert_int_eq(spool_get(spool, to), -EAGAIN);
	ck_assert_uint_gt(spool_used(spool), 0);
	for (; got < put; spool_get(spool, to))
		take();
	ck_assert_int_eq(spool_get(spool, to), -ENODATA);
	end();
}
END_TEST

START_TEST(test_stream_is_broken)
{
	begin(MAX);
	put_some(100);
	fd_close(&out);
	ck_assert_int_eq(spool_get(spool, to), -EPIPE);
	ck_assert_uint_eq(spool_used(spool), 100);
	end();
}
END_TEST

START_TEST(test_skip)
{
	begin(MAX);
	ck_assert_uint_eq(spool_skip(spool), 0);
	put_some(4096);
	put_some(1000);
	got = spool_skip(spool);
	ck_assert_uint_gt(got, 0);
	while (spool_get(spool, to) > 0)
		take();
	ck_assert_uint_eq(got, put);
	end();
}
END_TEST

START_TEST(test_full_disk)
{
	ssize_t r;

	if (unshare(CLONE_NEWNS) < 0)
		return;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", ".", "tmpfs", 0, "size=64k"), 0);
	ck_assert_int_eq(chdir(here(".")), 0);
	begin(200 * KIB);
	while ((r = put_some(4096)) > 0)
		;
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_eq(spool_used(spool), put);
	while (spool_get(spool, to) > 0)
		take();
	ck_assert_uint_eq(got, put);
	end();
}
END_TEST

START_TEST(test_no_folder)
{
	struct spool *s = NULL;

	ck_assert_int_eq(spool_open("nowhere", MAX, &s), -ENOENT);
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(spool_used(NULL), 0);
	spool_close(NULL);
}
END_TEST

START_TEST(test_no_memory)
{
	struct spool *s = NULL;
	int r;

	OOM_SWEEP(n)
	{
		oom_at(n);
		r = spool_open(".", MAX, &s);
		if (oom_off())
			ck_assert_int_eq(r, -ENOMEM);
		else
			spool_close(s);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_ring, test_no_name_and_bounded,
		test_stream_is_full, test_stream_is_broken, test_skip,
		test_full_disk, test_no_folder, test_no_memory, NULL};

	return suite_run("spool", tests);
}
