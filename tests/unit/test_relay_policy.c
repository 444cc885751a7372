/* SPDX-License-Identifier: Apache-2.0 */
/* A relay whose reader is behind, or whose disk is full, by its policy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_clock.h"
#include "util_flow.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static struct relay_options options;
static unsigned told[4]; /* by state */

static void tell(struct relay *r, enum flow_state now, void *arg)
{
	(void)r;
	(void)arg; /* no assertion: this may run with no memory */
	told[now]++;
}

static void open_with(const char *policy, char from, char to)
{
	memset(told, 0, sizeof(told));
	options = (struct relay_options){.dir = ".", .told = tell, .arg = told};
	ck_assert_int_eq(policy_parse(policy, &options.policy, NULL), 0);
	flow_open(from, to);
	relay_set_options(flow.relay, &options);
	flow_settle();
}

static struct flow_stats stats(void)
{
	struct flow_stats fs;

	relay_stats(flow.relay, &fs);
	ck_assert_uint_le(fs.in, flow.sent);
	ck_assert_uint_ge(fs.in, fs.out + fs.lost + fs.spooled);
	return fs;
}

/* The writer never waits: it can always write what a pipe takes. */
static void burst(size_t n)
{
	size_t end = flow.sent + n;

	while (flow.sent < end) {
		ck_assert_uint_gt(flow_feed(end - flow.sent), 0);
		flow_settle();
	}
}

static void say(const char *text)
{
	ck_assert_int_eq(
		write(flow.in, text, strlen(text)), (ssize_t)strlen(text));
	flow_settle();
}

/* ---- drop ---- */

static void drop(char from, char to)
{
	open_with("drop", from, to);
	burst(2 * MIB);
	ck_assert_uint_eq(stats().out + stats().lost, 2 * MIB);
	ck_assert_uint_gt(stats().lost, MIB);
	ck_assert_int_eq(stats().state, FLOW_DROPS);
	ck_assert_uint_eq(stats().stalls, 1);
	ck_assert_uint_eq(told[FLOW_DROPS], 1);
	ck_assert(!relay_is_blocked(flow.relay));
	ck_assert(flow_is_idle());
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}

START_TEST(test_drop)
{
	drop('p', 'p');
	drop('s', 'p');
	drop('p', 's');
}
END_TEST

/* With a reader that takes what there is, nothing is dropped. */
START_TEST(test_drop_with_a_reader)
{
	open_with("drop", 'p', 'p');
	while (flow.sent < MIB) {
		flow_feed(10000);
		flow_settle();
		flow_take();
	}
	ck_assert_uint_eq(flow.got, flow.sent);
	ck_assert_uint_eq(stats().lost, 0);
	ck_assert_uint_eq(stats().stalls, 0);
	ck_assert_uint_eq(told[FLOW_DROPS], 0);
	flow_end();
}
END_TEST

/* Reads lines "<number>\n"; none is joined with another, and each that is whole
 * is greater than the last. */
static unsigned take_numbers(char *part, size_t room, long *last)
{
	size_t len = strlen(part);
	unsigned lines = 0;
	ssize_t n;
	char *end;

	while ((n = read(flow.out, part + len, room - 1 - len)) > 0) {
		part[len + (size_t)n] = '\0';
		while ((end = strchr(part, '\n'))) {
			long number;
			char *stop;

			*end = '\0';
			number = strtol(part, &stop, 10);
			ck_assert_msg(stop == end && end - part <= 9,
				"'%s' after %ld", part, *last);
			if (end - part == 9) { /* not one that was cut */
				ck_assert_int_gt(number, *last);
				*last = number;
				lines++;
			}
			memmove(part, end + 1, strlen(end + 1) + 1);
		}
		len = strlen(part);
	}
	return lines;
}

/* Lines of ten bytes, which no buffer's size is a multiple of. */
START_TEST(test_drop_whole_lines)
{
	char line[16], part[8192] = "";
	long number = 0, last = -1;
	unsigned lines = 0, i;

	open_with("drop", 'p', 'p');
	ck_assert_int_gt(fcntl(flow.out, F_SETPIPE_SZ, 8192), 0);
	for (i = 0; i < 3000; i++) {
		unsigned n = 1 + i % 700;

		while (n-- > 0) {
			snprintf(line, sizeof(line), "%09ld\n", number);
			if (write(flow.in, line, 10) != 10)
				break;
			number++;
		}
		flow.sent = (size_t)number * 10;
		flow_settle();
		if (i % 7 == 0)
			lines += take_numbers(part, sizeof(part), &last);
		if (number > 100000)
			break;
	}
	lines += take_numbers(part, sizeof(part), &last);
	ck_assert_uint_gt(stats().lost, 0);
	ck_assert_uint_gt(told[FLOW_DROPS], 2);
	ck_assert_uint_gt(told[FLOW_FREE], 1);
	ck_assert_uint_gt(lines, 1000);
	ck_assert_uint_eq(stats().in, flow.sent);
	flow_end();
}
END_TEST

/* A prompt must come through: a line need not end to be passed on. */
START_TEST(test_drop_keeps_prompts)
{
	char buf[64] = "";

	open_with("drop", 'p', 'p');
	say("Password: ");
	ck_assert_int_eq(read(flow.out, buf, sizeof(buf)), 10);
	ck_assert_str_eq(buf, "Password: ");
	flow.sent = 10;
	flow_end();
}
END_TEST

/* What was cut ends where it was cut, and the next line is whole. */
START_TEST(test_drop_in_the_middle_of_a_line)
{
	static char fill[4096], buf[128 * KIB];
	size_t n = 0;
	ssize_t r;

	open_with("drop", 'p', 'p');
	memset(fill, 'x', sizeof(fill));
	while (stats().lost == 0) {
		n += sizeof(fill);
		flow.sent = n;
		ck_assert_int_eq(write(flow.in, fill, sizeof(fill)), 4096);
		flow_settle();
	}
	ck_assert_int_eq(read(flow.out, buf, sizeof(buf)), (ssize_t)n - 4096);
	flow.sent += 4096;
	say("rest\nwhole\n");
	r = read(flow.out, buf, sizeof(buf) - 1);
	ck_assert_int_gt(r, 0);
	buf[r] = '\0';
	ck_assert_str_eq(buf, "\nwhole\n");
	ck_assert_int_eq(stats().state, FLOW_FREE);
	flow_end();
}
END_TEST

/* What has no lines goes on all the same, not much later. */
START_TEST(test_drop_without_lines)
{
	static char fill[1000], buf[128 * KIB];
	uint64_t lost;
	int i;

	open_with("drop", 'p', 'p');
	memset(fill, 'x', sizeof(fill));
	for (i = 0; i < 200; i++) {
		ck_assert_int_eq(write(flow.in, fill, sizeof(fill)), 1000);
		flow.sent += 1000;
		flow_settle();
	}
	lost = stats().lost;
	ck_assert_uint_gt(lost, 0);
	ck_assert_int_gt(read(flow.out, buf, sizeof(buf)), 0);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(write(flow.in, fill, sizeof(fill)), 1000);
		flow.sent += 1000;
		flow_settle();
	}
	ck_assert_uint_le(stats().lost, lost + 5000);
	flow_end();
}
END_TEST

/* ---- spool ---- */

/* 20 MiB at once, with nobody reading; then all of it, in order. */
static void spool(char from, char to)
{
	unsigned fds;

	open_with("spool=32m", from, to);
	fds = count_fds();
	burst(20 * MIB);
	ck_assert_uint_eq(stats().in, 20 * MIB);
	ck_assert_uint_gt(stats().spooled, 19 * MIB);
	ck_assert_uint_eq(stats().lost, 0);
	ck_assert_int_eq(stats().state, FLOW_SPOOLS);
	ck_assert_uint_eq(told[FLOW_SPOOLS], 1);
	ck_assert_uint_eq(count_fds(), fds + 1);
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert(flow_is_idle());
	flow_carry(20 * MIB);
	flow_settle();
	ck_assert_uint_eq(stats().spooled, 0);
	ck_assert_uint_eq(stats().out, 20 * MIB);
	ck_assert_int_eq(stats().state, FLOW_FREE);
	ck_assert_uint_eq(told[FLOW_FREE], 1);
	ck_assert_uint_eq(count_fds(), fds);
	ck_assert(!relay_is_blocked(flow.relay));
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}

START_TEST(test_spool)
{
	spool('p', 'p');
	spool('s', 'p');
	spool('s', 's');
}
END_TEST

/* The writer ends long before the reader has it all. */
START_TEST(test_spool_after_the_end)
{
	open_with("spool", 'p', 'p');
	burst(5 * MIB);
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert(flow_is_idle());
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, 5 * MIB);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_uint_eq(stats().out, 5 * MIB);
	flow_end();
}
END_TEST

/* It does not: it only never writes again. */
START_TEST(test_spool_finish)
{
	open_with("spool", 'p', 'p');
	burst(MIB);
	relay_finish(flow.relay);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, MIB);
	flow_end();
}
END_TEST

/* While nobody is behind, not a byte is copied, and nothing is kept. */
START_TEST(test_spool_moves_by_splice)
{
	unsigned n, i;

	open_with("spool", 'p', 'p');
	flow_carry(MIB);
	oom_count_begin();
	for (i = 0; i < 10; i++) {
		flow_feed(30000);
		loop_settle(flow.base);
		flow_take();
	}
	n = oom_count();
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(flow.got, flow.sent);
	flow_end();
}
END_TEST

/* A reader who comes and goes, while more is written all the time. */
START_TEST(test_spool_ring)
{
	int i;

	open_with("spool=200k", 'p', 'p');
	for (i = 0; i < 4000 && flow.sent < 20 * MIB; i++) {
		flow_feed(i % 50 < 10 ? 65536 : 5000);
		flow_turn();
		flow_turn();
		if (i % 20 > 5)
			flow_take();
		ck_assert_uint_le(stats().spooled, 200 * KIB);
	}
	ck_assert_uint_gt(told[FLOW_SPOOLS], 5);
	flow_carry(flow.sent);
	ck_assert_uint_eq(stats().lost, 0);
	ck_assert_uint_eq(stats().out, flow.sent);
	flow_end();
}
END_TEST

START_TEST(test_spool_then_block)
{
	size_t most = (1024 + 64 + 64 + 8) * KIB;
	int i;

	open_with("spool=1m", 'p', 'p');
	for (i = 0; i < 1000; i++) {
		flow_feed(65536);
		flow_settle();
	}
	ck_assert_uint_le(flow.sent, most);
	ck_assert_uint_ge(flow.sent, MIB);
	ck_assert_uint_eq(stats().spooled, MIB);
	ck_assert_int_eq(stats().state, FLOW_WAITS);
	ck_assert(flow_is_idle());
	flow_carry(flow.sent);
	flow_carry(3 * MIB);
	ck_assert_uint_eq(stats().lost, 0);
	flow_end();
}
END_TEST

START_TEST(test_spool_then_drop)
{
	uint64_t kept;

	open_with("spool=1m,then=drop", 'p', 'p');
	burst(5 * MIB);
	ck_assert_uint_eq(stats().in, 5 * MIB);
	ck_assert_uint_gt(stats().lost, 3 * MIB);
	ck_assert_int_eq(stats().state, FLOW_DROPS);
	ck_assert(flow_is_idle());
	kept = 5 * MIB - stats().lost;
	while (flow.got < kept) {
		flow_turn();
		flow_take();
	}
	ck_assert_uint_eq(stats().out, kept);
	flow_end();
}
END_TEST

/* No room for the spool: no folder, no memory, a full disk. */
START_TEST(test_spool_is_not_to_be_had)
{
	open_with("spool,then=drop", 'p', 'p');
	options.dir = "nowhere";
	burst(MIB);
	ck_assert_uint_gt(stats().lost, 0);
	flow_end();
	open_with("spool", 'p', 'p');
	options.dir = "nowhere";
	while (flow_feed(65536) > 0)
		flow_settle();
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert(flow_is_idle());
	options.dir = ".";
	flow_carry(MIB);
	ck_assert_uint_eq(stats().lost, 0);
	flow_end();
}
END_TEST

/* A reader that breaks while there is a spool for it. */
START_TEST(test_spool_breaks)
{
	open_with("spool", 'p', 'p');
	burst(MIB);
	fd_close(&flow.out);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_uint_eq(
		relay_lost(flow.relay), MIB - relay_bytes(flow.relay));
	flow_end();
	open_with("spool", 'p', 'p');
	relay_outlive(flow.relay);
	burst(MIB);
	fd_close(&flow.out);
	flow_settle();
	burst(MIB);
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert_uint_eq(relay_lost(flow.relay), 2 * MIB);
	ck_assert_uint_eq(stats().spooled, 0);
	flow_end();
}
END_TEST

START_TEST(test_spool_out_of_memory)
{
	bool hit = true;
	unsigned n;

	oom_begin();
	for (n = 1; hit; n++) {
		open_with("spool", 'p', 'p');
		flow_feed(65536);
		flow_settle();
		flow_feed(65536); /* these have no room */
		oom_at(n);
		loop_settle(flow.base);
		hit = oom_off();
		/* it gets its memory in the end, with nobody reading */
		ck_assert(wait_for(
			NULL, (flow_feed(300 * KIB - flow.sent), flow_turn(),
				      flow.sent == 300 * KIB)));
		fd_close(&flow.in);
		ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
		ck_assert_uint_eq(flow.got, flow.sent);
		ck_assert_uint_eq(flow.got, 300 * KIB);
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 1);
		flow_end();
	}
}
END_TEST

/* Freed at any time, with all that it has. */
START_TEST(test_free)
{
	int i;

	for (i = 0; i < 20; i++) {
		open_with(i % 2 ? "spool=64k" : "drop", 'p', 'p');
		flow_feed(65536);
		flow_turn();
		flow_feed(65536);
		if (i > 10)
			flow_settle();
		relay_free(flow.relay);
		flow.relay = NULL;
		flow_end();
	}
}
END_TEST

/* ---- whom an exit waits for ---- */

START_TEST(test_stalled_reader_is_nobody)
{
	clock_freeze();
	open_with("spool", 'p', 'p');
	burst(MIB);
	ck_assert(relay_is_unread(flow.relay)); /* it may be just slow */
	clock_skip_ms(200);
	ck_assert(!relay_is_unread(flow.relay));
	flow_take(); /* it is there again */
	flow_settle();
	ck_assert(relay_is_unread(flow.relay));
	ck_assert_uint_eq(stats().stalled_ms, 200);
	flow_carry(flow.sent);
	flow_settle();
	ck_assert(!relay_is_unread(flow.relay));
	flow_end();
}
END_TEST

/* Counting costs `block` nothing: it never stalls here. */
START_TEST(test_block_counts)
{
	clock_freeze();
	open_with("block", 'p', 'p');
	flow_carry(MIB);
	ck_assert_uint_eq(stats().in, MIB);
	ck_assert_uint_eq(stats().out, MIB);
	ck_assert_uint_eq(stats().spooled, 0);
	while (flow_feed(65536) > 0)
		flow_settle();
	ck_assert_uint_ge(stats().stalls, 1);
	clock_skip_ms(3000);
	ck_assert_uint_ge(stats().stalled_ms, 3000);
	ck_assert_uint_gt(stats().waiting, 0);
	flow_carry(flow.sent);
	ck_assert_uint_eq(told[FLOW_WAITS], 0);
	flow_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_drop, test_drop_with_a_reader,
		test_drop_whole_lines, test_drop_keeps_prompts,
		test_drop_in_the_middle_of_a_line, test_drop_without_lines,
		test_spool, test_spool_after_the_end, test_spool_finish,
		test_spool_moves_by_splice, test_spool_ring,
		test_spool_then_block, test_spool_then_drop,
		test_spool_is_not_to_be_had, test_spool_breaks,
		test_spool_out_of_memory, test_free,
		test_stalled_reader_is_nobody, test_block_counts, NULL};

	return suite_run("relay_policy", tests);
}
