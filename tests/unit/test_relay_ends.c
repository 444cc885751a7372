/* SPDX-License-Identifier: Apache-2.0 */
/* A relay's ends: files, full disks, terminals, FIFOs. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_clock.h"
#include "util_flow.h"
#include "util_pty.h"
#include "util_test.h"

enum { MIB = 1024 * 1024 };

/* ---- destinations that refuse ---- */

static const struct relay_options dropping = {.policy = {POLICY_DROP}};

/* Feeds n bytes and an end to a relay into `to`, to its end. */
static void pour(struct stream *to, size_t n)
{
	flow_start(flow_source('p'), to);
	relay_set_options(flow.relay, &dropping);
	while (flow.sent < n) {
		flow_feed(n - flow.sent);
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 0);
	}
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_uint_eq(
		relay_bytes(flow.relay) + relay_lost(flow.relay), flow.sent);
}

START_TEST(test_dev_full)
{
	flow_begin();
	pour(flow_stream(open("/dev/full", O_WRONLY | O_CLOEXEC)), 300000);
	ck_assert_uint_eq(relay_lost(flow.relay), 300000);
	flow_end();
}
END_TEST

START_TEST(test_dev_null)
{
	struct stream *to;

	flow_begin();
	ck_assert_int_eq(stream_open_null(flow.base, &to), 0);
	pour(to, 3 * MIB);
	ck_assert_uint_eq(relay_lost(flow.relay), 0);
	flow_end();
}
END_TEST

/* A file system of 256 KiB at "small", which goes with this process. */
static bool mount_small(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir("small", 0700), 0);
	ck_assert_int_eq(mount("tmpfs", "small", "tmpfs", 0, "size=256k"), 0);
	return true;
}

static size_t file_size(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static bool is_pattern(const char *path, size_t n)
{
	unsigned char *buf = malloc(n + 1);
	bool same;
	size_t i;

	ck_assert_uint_eq(get_file(path, (char *)buf, n + 1), n);
	for (i = 0; i < n && buf[i] == flow_byte(i); i++)
		;
	same = i == n;
	free(buf);
	return same;
}

START_TEST(test_file)
{
	struct stream *to;
	struct err e;

	flow_begin();
	ck_assert_int_eq(
		stream_open_log(flow.base, here("a/b/log"), &to, &e), 0);
	pour(to, MIB);
	ck_assert_uint_eq(file_size("a/b/log"), MIB);
	ck_assert(is_pattern("a/b/log", MIB));
	flow_end();
}
END_TEST

START_TEST(test_full_disk)
{
	struct stream *to;
	struct err e;

	if (!mount_small())
		return;
	flow_begin();
	ck_assert_int_eq(
		stream_open_log(flow.base, here("small/log"), &to, &e), 0);
	pour(to, MIB);
	ck_assert_uint_gt(relay_lost(flow.relay), 0);
	ck_assert_uint_eq(relay_bytes(flow.relay), 256 * 1024);
	ck_assert(is_pattern("small/log", 256 * 1024));
	flow_end();
	umount("small");
}
END_TEST

/* Feeds n bytes under `block`, as far as they go into a disk that gets full. */
static void press(struct stream *to, size_t n)
{
	int i;

	flow_start(flow_source('p'), to);
	for (i = 0; i < 200; i++) {
		flow_feed(n - flow.sent);
		flow_settle();
	}
	ck_assert_uint_lt(flow.sent, n);
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert_uint_eq(relay_bytes(flow.relay), 256 * 1024);
	ck_assert_uint_eq(relay_lost(flow.relay), 0);
	ck_assert_uint_eq(flow.n_done, 0);
}

/* Where splice(2) is what the disk refuses: a file without O_APPEND. */
START_TEST(test_full_disk_by_splice)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

	if (!mount_small())
		return;
	flow_begin();
	press(flow_stream(open("small/f", flags, 0600)), MIB);
	flow_end();
	umount("small");
}
END_TEST

static unsigned n_told;
static struct flow_stats told;

static void tell(struct relay *r, enum flow_state now, void *arg)
{
	ck_assert_ptr_eq(arg, &n_told);
	relay_stats(r, &told);
	told.state = now;
	n_told++;
}

/* It waits, is told once, is not tried all the time, and goes on. */
START_TEST(test_space_again)
{
	static const struct relay_options o = {.told = tell, .arg = &n_told};
	struct flow_stats fs;
	struct stream *to;
	size_t held;
	struct err e;

	if (!mount_small())
		return;
	flow_begin();
	clock_freeze();
	ck_assert_int_eq(
		stream_open_log(flow.base, here("small/log"), &to, &e), 0);
	flow_start(flow_source('p'), to);
	relay_set_options(flow.relay, &o);
	while (!relay_is_blocked(flow.relay)) {
		flow_feed(10000);
		flow_settle();
	}
	held = flow.sent - 256 * 1024;
	ck_assert(flow_is_idle());
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_eq(told.state, FLOW_WAITS);
	ck_assert(told.disk_full);
	clock_skip_ms(5000); /* still full */
	flow_settle();
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_eq(truncate("small/log", 0), 0);
	clock_skip_ms(5000);
	flow_settle();
	ck_assert(!relay_is_blocked(flow.relay));
	ck_assert_uint_eq(n_told, 2);
	ck_assert_int_eq(told.state, FLOW_FREE);
	ck_assert_uint_eq(file_size("small/log"), held);
	relay_stats(flow.relay, &fs);
	ck_assert_uint_eq(fs.lost, 0);
	ck_assert_uint_eq(fs.out, flow.sent);
	ck_assert_uint_eq(fs.stalls, 1);
	ck_assert_uint_eq(fs.stalled_ms, 10000);
	flow_end();
	umount("small");
}
END_TEST

/* Under `drop` nothing waits, and what comes after that is stored. */
START_TEST(test_space_again_after_dropping)
{
	struct stream *to;
	uint64_t lost;
	struct err e;

	if (!mount_small())
		return;
	flow_begin();
	ck_assert_int_eq(
		stream_open_log(flow.base, here("small/log"), &to, &e), 0);
	flow_start(flow_source('p'), to);
	relay_set_options(flow.relay, &dropping);
	while (relay_lost(flow.relay) == 0) {
		flow_feed(10000);
		flow_settle();
	}
	lost = relay_lost(flow.relay);
	ck_assert(flow_is_idle());
	ck_assert_int_eq(truncate("small/log", 0), 0);
	ck_assert_int_eq(write(flow.in, "rest\nafter\n", 11), 11);
	flow_settle();
	ck_assert_uint_le(relay_lost(flow.relay), lost + 5);
	ck_assert_uint_ge(file_size("small/log"), 6);
	ck_assert_uint_eq(flow.n_done, 0);
	flow_end();
	umount("small");
}
END_TEST

/* ---- terminals ---- */

/* The master is the source; the test writes into the slave. */
START_TEST(test_terminal)
{
	int master;

	flow_begin();
	master = pty_open(&flow.in);
	fcntl(flow.in, F_SETFL, O_NONBLOCK);
	flow_start(flow_stream(master), flow_destination('p'));
	flow_carry(100000);
	flow_feed(1000);
	fd_close(&flow.in); /* the last slave: the end */
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, flow.sent);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}
END_TEST

/* ---- FIFOs ---- */

/* The reader has not come yet when all is written: the bytes stay for it. */
START_TEST(test_reader_comes_late)
{
	struct stream *to;
	struct err e;

	flow_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(flow.base, here("out"), &to, &e), 0);
	flow_start(flow_source('p'), to);
	flow_feed(20000);
	flow_settle();
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	flow.out = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_uint_eq(flow.got, 20000);
	flow_end();
}
END_TEST

/* With nothing in the FIFO, nobody is waited for. */
START_TEST(test_no_reader_no_bytes)
{
	struct stream *to;
	struct err e;

	flow_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(flow.base, here("out"), &to, &e), 0);
	flow_start(flow_source('p'), to);
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}
END_TEST

/* A reader that is there gets the end once it has taken all, or at once if it
 * is trusted to. */
START_TEST(test_slow_reader)
{
	struct stream *to;
	struct err e;

	flow_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(flow.base, here("out"), &to, &e), 0);
	flow.out = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	flow_start(flow_source('p'), to);
	flow_feed(20000);
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(relay_is_unread(flow.relay));
	relay_trust_reader(flow.relay);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert(flow_take());
	ck_assert_uint_eq(flow.got, 20000);
	flow_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_dev_full, test_dev_null, test_file,
		test_full_disk, test_full_disk_by_splice, test_space_again,
		test_space_again_after_dropping, test_terminal,
		test_reader_comes_late, test_no_reader_no_bytes,
		test_slow_reader, NULL};

	return suite_run("relay_ends", tests);
}
