/* SPDX-License-Identifier: Apache-2.0 */
#include "io/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_flow.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

enum { MIB = 1024 * 1024, LOTS = 10 * MIB };

static void carry_lots(char from, char to)
{
	flow_open(from, to);
	flow_carry(LOTS);
	ck_assert_uint_eq(relay_bytes(flow.relay), LOTS);
	ck_assert_uint_eq(relay_lost(flow.relay), 0);
	ck_assert_uint_eq(flow.n_done, 0);
	fd_close(&flow.in);
	flow_settle();
	ck_assert(flow_take());
	ck_assert_uint_eq(flow.n_done, 1);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert(!relay_is_blocked(flow.relay));
	flow_end();
}

START_TEST(test_pipe_to_pipe)
{
	carry_lots('p', 'p');
}
END_TEST

START_TEST(test_socket_to_pipe)
{
	carry_lots('s', 'p');
}
END_TEST

START_TEST(test_pipe_to_socket)
{
	carry_lots('p', 's');
}
END_TEST

/* splice(2) can't. */
START_TEST(test_socket_to_socket)
{
	carry_lots('s', 's');
}
END_TEST

/* Nothing passes through this process: there is not even a buffer for it. */
START_TEST(test_moves_by_splice)
{
	static char buf[65536];
	unsigned n;

	flow_open('p', 'p');
	ck_assert_int_eq(write(flow.in, buf, 30000), 30000);
	oom_count_begin();
	loop_settle(flow.base);
	n = oom_count();
	ck_assert_int_eq(write(flow.in, buf, 30000), 30000);
	oom_count_begin();
	loop_settle(flow.base);
	n += oom_count();
	ck_assert_uint_eq(relay_bytes(flow.relay), 60000);
	ck_assert_uint_eq(n, 0);
	flow_end();
}
END_TEST

/* A destination that is full stops everything, in little memory, with no
 * wakeups; then it is drained, and nothing is missing. */
static void press(char from, char to, size_t most)
{
	size_t stuck = 0;
	int i;

	flow_open(from, to);
	for (i = 0; i < 2000 && flow.sent < LOTS; i++) {
		flow_feed(LOTS - flow.sent);
		flow_turn();
	}
	ck_assert_uint_lt(flow.sent, most);
	ck_assert(relay_is_blocked(flow.relay));
	ck_assert(flow_is_idle());
	stuck = flow.sent;
	flow_carry(stuck);
	ck_assert(!relay_is_blocked(flow.relay));
	flow_carry(LOTS);
	ck_assert_uint_eq(relay_bytes(flow.relay), LOTS);
	flow_end();
}

START_TEST(test_back_pressure_of_pipes)
{
	press('p', 'p', 3 * 65536);
}
END_TEST

START_TEST(test_back_pressure_of_sockets)
{
	press('s', 's', 2 * MIB);
}
END_TEST

START_TEST(test_back_pressure_socket_to_pipe)
{
	press('s', 'p', 2 * MIB);
}
END_TEST

/* One byte at a time, with an end that takes as little. */
START_TEST(test_trickle)
{
	int i;

	flow_open('p', 'p');
	ck_assert_int_gt(fcntl(flow.out, F_SETPIPE_SZ, 4096), 0);
	for (i = 0; i < 500; i++) {
		flow_feed(1);
		flow_turn();
		if (i % 3 == 0)
			flow_take();
	}
	flow_settle();
	flow_take();
	ck_assert_uint_eq(flow.got, 500);
	ck_assert(flow_is_idle());
	flow_end();
}
END_TEST

/* Many writers' small pieces fill a pipe by number, not by size: pipe(7). */
START_TEST(test_small_pieces)
{
	int i;

	flow_open('p', 'p');
	for (i = 0; i < 5000; i++) {
		flow_feed(3);
		flow_turn();
	}
	flow_carry(15000);
	flow_end();
}
END_TEST

/* The far end closes: what was written before is delivered all the same. */
START_TEST(test_source_ends_while_blocked)
{
	flow_open('p', 'p');
	while (flow_feed(65536) > 0)
		flow_settle();
	ck_assert(relay_is_blocked(flow.relay));
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, flow.sent);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}
END_TEST

/* What was written has just filled the destination when the writer ends: the
 * source is empty and at its end, and there is no room. */
START_TEST(test_source_ends_exactly_when_full)
{
	flow_open('p', 'p');
	while (flow.sent < 65536) {
		flow_feed(4096);
		flow_settle();
	}
	ck_assert_uint_eq(relay_bytes(flow.relay), 65536);
	fd_close(&flow.in);
	ck_assert(flow_is_idle());
	flow_take();
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, 65536);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}
END_TEST

/* finish(): the source has no end, its writer lives on. */
static void finish_with(size_t n, char from, char to)
{
	flow_open(from, to);
	flow_settle();
	flow_feed(n);
	relay_finish(flow.relay);
	relay_finish(flow.relay);
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, flow.sent);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	relay_finish(flow.relay);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}

START_TEST(test_finish)
{
	finish_with(0, 'p', 'p');
	finish_with(1, 'p', 'p');
	finish_with(60000, 'p', 'p');
	finish_with(0, 's', 's');
	finish_with(50000, 's', 's');
	finish_with(50000, 's', 'p');
}
END_TEST

START_TEST(test_finish_while_blocked)
{
	flow_open('p', 'p');
	while (flow_feed(65536) > 0)
		flow_settle();
	relay_finish(flow.relay);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(flow_is_idle());
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, flow.sent);
	flow_end();
}
END_TEST

/* Before the loop has run even once. */
START_TEST(test_finish_at_once)
{
	struct stream *from;

	flow_begin();
	from = flow_source('p');
	flow_feed(5000);
	flow_start(from, flow_destination('p'));
	relay_finish(flow.relay);
	flow_settle();
	ck_assert(flow_take());
	ck_assert_uint_eq(flow.got, 5000);
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}
END_TEST

/* No memory for the buffer is no reason to take the source for empty. */
START_TEST(test_finish_without_memory)
{
	flow_open('s', 's');
	flow_feed(10000);
	relay_finish(flow.relay);
	oom_all();
	flow_settle();
	oom_off();
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
	ck_assert_uint_eq(flow.got, 10000);
	flow_end();
}
END_TEST

/* Nor is it one to use all of the processor. */
START_TEST(test_copy_without_memory)
{
	bool idle;

	flow_open('s', 's');
	flow_feed(10000);
	oom_all();
	idle = flow_is_idle();
	oom_off();
	ck_assert(idle);
	flow_carry(LOTS / 10);
	flow_end();
}
END_TEST

static void broken_end(char from, char to)
{
	flow_open(from, to);
	flow_feed(1000);
	flow_settle();
	ck_assert_uint_eq(relay_bytes(flow.relay), 1000);
	fd_close(&flow.out);
	flow_feed(1000);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_uint_eq(relay_lost(flow.relay), 0);
	/* the source is closed, which its writer learns */
	ck_assert_int_eq(write(flow.in, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	flow_end();
}

START_TEST(test_destination_breaks)
{
	broken_end('p', 'p');
	broken_end('s', 'p');
	broken_end('p', 's');
	broken_end('s', 's');
}
END_TEST

/* It breaks while it is full. */
START_TEST(test_destination_breaks_while_blocked)
{
	flow_open('p', 'p');
	while (flow_feed(65536) > 0)
		flow_settle();
	fd_close(&flow.out);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert(!relay_is_blocked(flow.relay));
	flow_end();
}
END_TEST

/* ---- lives ---- */

START_TEST(test_free_in_done)
{
	flow_open('p', 'p');
	flow.free_in_done = true;
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	ck_assert_ptr_null(flow.relay);
	flow_end();
}
END_TEST

START_TEST(test_free)
{
	int turns, i;

	relay_free(NULL);
	for (turns = 0; turns < 4; turns++) {
		flow_open('p', 'p');
		flow_feed(100000);
		for (i = 0; i < turns; i++)
			flow_turn();
		relay_free(flow.relay);
		flow.relay = NULL;
		ck_assert_int_eq(write(flow.in, "x", 1), -1);
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 0);
		flow_end();
	}
}
END_TEST

/* Freed between its end and done(). */
START_TEST(test_free_before_done)
{
	flow_open('p', 'p');
	flow_settle();
	fd_close(&flow.in);
	flow_turn();
	if (flow.n_done == 0) {
		relay_free(flow.relay);
		flow.relay = NULL;
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 0);
	}
	flow_end();
}
END_TEST

START_TEST(test_no_done)
{
	struct stream *from;

	flow_begin();
	from = flow_source('p');
	ck_assert_int_eq(relay_start(flow.base, from, flow_destination('p'),
				 NULL, NULL, &flow.relay),
		0);
	fd_close(&flow.in);
	flow_settle();
	ck_assert(flow_take());
	flow_end();
}
END_TEST

START_TEST(test_out_of_memory_at_the_start)
{
	struct stream *from, *to;
	unsigned fds;
	int r;

	oom_begin();
	OOM_SWEEP(n)
	{
		flow_begin();
		from = flow_source('p');
		to = flow_destination('p');
		fds = count_fds();
		oom_at(n);
		r = relay_start(
			flow.base, from, to, flow_done, &flow, &flow.relay);
		if (oom_off()) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_ptr_null(flow.relay);
			ck_assert_uint_eq(count_fds(), fds - 2);
		}
		flow_end();
	}
}
END_TEST

/* Whatever fails on the way, all of it arrives. */
static void carry_without_memory(char from, char to)
{
	bool hit = true;
	unsigned n;

	for (n = 1; hit; n++) {
		flow_open(from, to);
		flow_feed(40000);
		oom_at(n);
		flow_settle();
		hit = oom_off();
		fd_close(&flow.in);
		ck_assert(wait_for(NULL, (flow_turn(), flow_take())));
		ck_assert_uint_eq(flow.got, flow.sent);
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 1);
		flow_end();
	}
}

START_TEST(test_out_of_memory_on_the_way)
{
	oom_begin();
	carry_without_memory('p', 'p');
	carry_without_memory('s', 's');
	carry_without_memory('s', 'p');
}
END_TEST

/* ---- a destination that the writer must outlive ---- */

static void open_outliving(char from)
{
	flow_open(from, 'p');
	relay_outlive(flow.relay);
	flow_settle();
}

static void say(const char *text)
{
	ck_assert_int_eq(
		write(flow.in, text, strlen(text)), (ssize_t)strlen(text));
	flow_settle();
}

static void outlive(char from)
{
	char buf[8];

	open_outliving(from);
	say("one");
	ck_assert_uint_eq(relay_bytes(flow.relay), 0); /* nobody took it */
	ck_assert_int_eq(read(flow.out, buf, sizeof(buf)), 3);
	ck_assert_uint_eq(relay_bytes(flow.relay), 3);
	say("left behind");
	fd_close(&flow.out);
	say("and lost");
	say("for ever");
	ck_assert_uint_eq(flow.n_done, 0);
	ck_assert_uint_eq(relay_bytes(flow.relay), 3);
	ck_assert_uint_eq(relay_lost(flow.relay), 11 + 8 + 8);
	ck_assert(flow_is_idle());
	fd_close(&flow.in);
	flow_settle();
	ck_assert_uint_eq(flow.n_done, 1);
	flow_end();
}

START_TEST(test_outlives)
{
	outlive('p');
	outlive('s');
}
END_TEST

START_TEST(test_outlives_while_blocked)
{
	char data[4096] = {0};
	size_t n = 0;
	ssize_t w;

	open_outliving('p');
	while ((w = write(flow.in, data, sizeof(data))) > 0) {
		n += (size_t)w;
		flow_settle();
	}
	ck_assert(relay_is_blocked(flow.relay));
	fd_close(&flow.out);
	flow_settle();
	ck_assert(!relay_is_blocked(flow.relay));
	ck_assert_uint_eq(relay_lost(flow.relay), n);
	say("on");
	ck_assert_uint_eq(relay_lost(flow.relay), n + 2);
	flow_end();
}
END_TEST

/* It has not ended before somebody has read, or nobody can any more. */
START_TEST(test_outlives_until_read)
{
	char buf[8];
	int i;

	for (i = 0; i < 2; i++) {
		open_outliving('p');
		say("last");
		fd_close(&flow.in);
		flow_settle();
		ck_assert_uint_eq(flow.n_done, 0);
		ck_assert(relay_is_blocked(flow.relay));
		if (i == 0)
			ck_assert_int_eq(read(flow.out, buf, sizeof(buf)), 4);
		else
			fd_close(&flow.out);
		for (; flow.n_done == 0; usleep(1000))
			flow_settle();
		ck_assert_uint_eq(relay_bytes(flow.relay), i == 0 ? 4 : 0);
		ck_assert_uint_eq(relay_lost(flow.relay), i == 0 ? 0 : 4);
		flow_end();
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_pipe_to_pipe, test_socket_to_pipe,
		test_pipe_to_socket, test_socket_to_socket,
		test_moves_by_splice, test_back_pressure_of_pipes,
		test_back_pressure_of_sockets,
		test_back_pressure_socket_to_pipe, test_trickle,
		test_small_pieces, test_source_ends_while_blocked,
		test_source_ends_exactly_when_full, test_finish,
		test_finish_while_blocked, test_finish_at_once,
		test_finish_without_memory, test_copy_without_memory,
		test_destination_breaks, test_destination_breaks_while_blocked,
		test_free_in_done, test_free, test_free_before_done,
		test_no_done, test_out_of_memory_at_the_start,
		test_out_of_memory_on_the_way, test_outlives,
		test_outlives_while_blocked, test_outlives_until_read, NULL};

	return suite_run("relay", tests);
}
