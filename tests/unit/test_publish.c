/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/publish.h"

#include "events.pb-c.h"
#include "shim/messages.h"
#include "util_clock.h"
#include "util_feed.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

enum { KIB = 1024 };

START_TEST(test_in_order)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	for (i = 1; i <= 100; i++)
		feed_send(i, 10);
	ck_assert_uint_eq(publisher_waiting(feed.pub), 100);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	feed_assert_got(1, 100);
	ck_assert_uint_eq(feed.n_accepted, 1);
	ck_assert_uint_eq(feed.n_flushed, 1);
	ck_assert(loop_is_idle(feed.base));
	feed_end();
}
END_TEST

START_TEST(test_one_in_flight)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_HOLDS;
	for (i = 1; i <= 3; i++)
		feed_send(i, 10);
	for (i = 1; i <= 3; i++) {
		loop_settle(feed.base);
		publisher_poke(feed.pub); /* changes nothing */
		loop_settle(feed.base);
		feed_assert_got(1, i);
		ck_assert_uint_eq(publisher_waiting(feed.pub), 4 - i);
		ck_assert_uint_eq(feed.n_flushed, 0);
		feed_answer();
	}
	loop_settle(feed.base);
	feed_assert_got(1, 3);
	ck_assert_uint_eq(feed.n_flushed, 1);
	feed_end();
}
END_TEST

static void free_publisher(void *unused)
{
	(void)unused;
	publisher_free(feed.pub);
	feed.pub = NULL;
}

START_TEST(test_free_when_flushed)
{
	feed_begin();
	feed_come();
	feed_publisher();
	publisher_on_flushed(feed.pub, free_publisher, NULL);
	feed_send(1, 10);
	loop_settle(feed.base);
	ck_assert_ptr_null(feed.pub);
	feed_assert_got(1, 1);
	feed_end();
}
END_TEST

/* ---- a daemon that goes away ---- */

START_TEST(test_comes_back)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	for (i = 1; i <= 3; i++)
		feed_send(i, 10);
	loop_settle(feed.base);
	feed_go();
	loop_settle(feed.base);
	for (i = 4; i <= 8; i++)
		feed_send(i, 10);
	for (i = 0; i < 10; i++)
		feed_pass(7000);
	ck_assert_uint_eq(publisher_waiting(feed.pub), 5);
	feed_come();
	feed_pass(5000);
	feed_assert_got(1, 8);
	ck_assert_uint_eq(publisher_lost(feed.pub), 0);
	ck_assert_uint_eq(feed.n_accepted, 2);
	ck_assert(loop_is_idle(feed.base));
	feed_end();
}
END_TEST

/* What was not acknowledged is told again; what was, is not. */
START_TEST(test_dies_before_it_answers)
{
	feed_begin();
	feed_come();
	feed_publisher();
	feed_send(1, 10);
	loop_settle(feed.base);
	feed.mood = FEED_HOLDS;
	feed_send(2, 10);
	feed_send(3, 10);
	loop_settle(feed.base);
	feed_go();
	loop_settle(feed.base);
	feed_assert_got(1, 2);
	ck_assert_uint_eq(publisher_waiting(feed.pub), 2);
	feed.mood = FEED_TAKES;
	feed.n_got = 0;
	feed_come();
	feed_pass(5000);
	feed_assert_got(2, 3);
	feed_end();
}
END_TEST

/* 50 ms, doubled, up to 5 s. */
START_TEST(test_retry_intervals)
{
	static const int64_t ms[] = {
		50, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_UNAVAILABLE;
	feed_send(1, 10);
	loop_settle(feed.base);
	for (i = 0; i < LENGTH(ms); i++) {
		ck_assert_uint_eq(feed.n_asked, i + 1);
		feed_pass(ms[i] - 1);
		ck_assert_uint_eq(feed.n_asked, i + 1);
		feed_pass(1);
	}
	/* new ones don't hurry it */
	feed_send(2, 10);
	loop_settle(feed.base);
	ck_assert_uint_eq(feed.n_asked, LENGTH(ms) + 1);
	feed.mood = FEED_TAKES;
	feed_pass(5000);
	feed_assert_got(1, 2);
	ck_assert_uint_eq(publisher_lost(feed.pub), 0);
	feed_end();
}
END_TEST

START_TEST(test_poke)
{
	unsigned i;

	feed_begin();
	feed_publisher();
	publisher_poke(feed.pub); /* with nothing to send */
	feed_send(1, 10);
	for (i = 0; i < 10; i++)
		feed_pass(10000);
	feed_come();
	loop_settle(feed.base);
	ck_assert_uint_eq(feed.n_got, 0);
	publisher_poke(feed.pub);
	loop_settle(feed.base);
	feed_assert_got(1, 1);
	ck_assert(loop_is_idle(feed.base));
	/* in vain: the intervals begin anew */
	feed_go();
	loop_settle(feed.base);
	feed_send(2, 10);
	for (i = 0; i < 10; i++)
		feed_pass(10000);
	publisher_poke(feed.pub);
	feed_come();
	feed_pass(50);
	feed_assert_got(1, 2);
	feed_end();
}
END_TEST

/* ANSWER_MS: "then the connection is made anew", ARCHITECTURE.md. */
START_TEST(test_no_answer)
{
	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_HOLDS;
	feed_send(1, 10);
	loop_settle(feed.base);
	feed_pass(59999);
	ck_assert_uint_eq(feed.n_asked, 1);
	feed_pass(1);
	feed_answer_nothing();
	feed.mood = FEED_TAKES;
	feed_pass(50);
	ck_assert_uint_eq(feed.n_asked, 2);
	ck_assert(publisher_is_flushed(feed.pub));
	ck_assert_uint_eq(feed.n_accepted, 2);
	feed_end();
}
END_TEST

/* ---- a daemon that refuses ---- */

START_TEST(test_refused)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_REFUSES;
	feed_send(1, 10);
	feed_send(2, 10);
	loop_settle(feed.base);
	for (i = 1; i < 8; i++) {
		ck_assert_uint_eq(feed.n_asked, i);
		ck_assert_uint_eq(publisher_lost(feed.pub), 0);
		if (i == 7)
			feed.mood = FEED_REFUSES_ONCE;
		feed_pass(5000);
	}
	ck_assert_uint_eq(feed.n_asked, 9);
	feed_assert_got(2, 2);
	ck_assert_uint_eq(publisher_lost(feed.pub), 1);
	ck_assert_uint_eq(feed.n_flushed, 1);
	feed_end();
}
END_TEST

/* Seven times is not yet too often, and being away is no refusal. */
START_TEST(test_refused_for_a_while)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_REFUSES;
	feed_send(1, 10);
	loop_settle(feed.base);
	for (i = 1; i < 7; i++)
		feed_pass(5000);
	feed.mood = FEED_UNAVAILABLE;
	for (i = 1; i < 20; i++)
		feed_pass(5000);
	feed.mood = FEED_TAKES;
	feed_pass(5000);
	feed_assert_got(1, 1);
	ck_assert_uint_eq(publisher_lost(feed.pub), 0);
	feed_end();
}
END_TEST

/* The refusals of an event that was given up are not the next one's. */
START_TEST(test_refusals_are_its_own)
{
	size_t lost;
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_REFUSES;
	feed_send(1, 100 * KIB);
	loop_settle(feed.base);
	for (i = 1; i < 7; i++)
		feed_pass(5000);
	ck_assert_uint_eq(feed.n_asked, 7);
	for (i = 2; i < 12; i++)
		feed_send(i, 100 * KIB);
	lost = publisher_lost(feed.pub);
	ck_assert_uint_ge(lost, 1);
	feed_pass(5000);
	ck_assert_uint_eq(feed.n_asked, 8);
	ck_assert_uint_eq(publisher_lost(feed.pub), lost);
	feed_end();
}
END_TEST

/* ---- the bound ---- */

START_TEST(test_bound)
{
	unsigned i, last = 0, exits = 0;
	size_t lost;

	feed_begin();
	feed_publisher();
	for (i = 1; i <= 1000; i++) {
		if (i % 20 == 0)
			feed_send_exit(i);
		else
			feed_send(i, 2 * KIB);
	}
	lost = publisher_lost(feed.pub);
	ck_assert_uint_gt(lost, 400);
	ck_assert_uint_lt(lost, 600);
	ck_assert_uint_eq(publisher_waiting(feed.pub) + lost, 1000);
	feed_come();
	feed_pass(5000);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	ck_assert_uint_eq(feed.n_got + lost, 1000);
	for (i = 0; i < feed.n_got; i++) {
		ck_assert_uint_gt(feed.got[i], last);
		last = feed.got[i];
		exits += last % 20 == 0;
		/* of the others, the newest */
		ck_assert(last % 20 == 0 || last > lost);
	}
	ck_assert_uint_eq(exits, 50);
	ck_assert_uint_eq(publisher_lost(feed.pub), lost);
	feed_end();
}
END_TEST

START_TEST(test_exits_are_never_dropped)
{
	unsigned i;

	feed_begin();
	feed_publisher();
	for (i = 1; i <= 3000; i++)
		feed_send_big_exit(i, KIB);
	ck_assert_uint_eq(publisher_waiting(feed.pub), 3000);
	feed_send(3001, 10); /* there is no room for it */
	ck_assert_uint_eq(publisher_lost(feed.pub), 1);
	feed_come();
	feed_pass(5000);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	feed_assert_got(1, 3000);
	feed_send(3001, 10); /* again there is */
	loop_settle(feed.base);
	feed_assert_got(1, 3001);
	feed_end();
}
END_TEST

/* The one that is on its way stays, else its answer would be another's. */
START_TEST(test_head_is_never_dropped)
{
	unsigned i;

	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_HOLDS;
	feed_send(1, 100 * KIB);
	loop_settle(feed.base);
	for (i = 2; i <= 21; i++)
		feed_send(i, 100 * KIB);
	ck_assert_uint_eq(publisher_lost(feed.pub), 11);
	feed.mood = FEED_TAKES;
	feed_answer();
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	ck_assert_uint_eq(feed.n_got, 10);
	ck_assert_uint_eq(feed.got[0], 1);
	for (i = 1; i < 10; i++)
		ck_assert_uint_eq(feed.got[i], 12 + i);
	feed_end();
}
END_TEST

/* ---- room that was reserved ---- */

START_TEST(test_reserved_in_two_parts)
{
	Containerd__Events__TaskExit part = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	Containerd__Events__TaskExit rest = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	struct publisher_event *room;

	feed_begin();
	feed_come();
	feed_publisher();
	part.container_id = (char *)"web";
	part.id = (char *)"exec-1";
	part.pid = 99; /* the last one wins */
	room = publisher_reserve(&part.base, 16);
	ck_assert_ptr_nonnull(room);
	part.id = (char *)"gone by now";
	rest.pid = 7;
	rest.exit_status = 137;
	publisher_send_reserved(feed.pub, room, "/tasks/exit",
		"containerd.events.TaskExit", &rest.base);
	loop_settle(feed.base);
	feed_assert_got(7, 7);
	ck_assert_str_eq(feed.container_id, "web");
	ck_assert_str_eq(feed.exec_id, "exec-1");
	ck_assert_uint_eq(feed.exit_status, 137);
	feed_end();
}
END_TEST

START_TEST(test_reserved_too_little)
{
	Containerd__Events__TaskExit x = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	struct publisher_event *room = publisher_reserve(NULL, 8);

	feed_begin();
	feed_come();
	feed_publisher();
	x.container_id = (char *)"longer than 8";
	publisher_send_reserved(feed.pub, room, "/tasks/exit",
		"containerd.events.TaskExit", &x.base);
	ck_assert_uint_eq(publisher_lost(feed.pub), 1);
	ck_assert(publisher_is_flushed(feed.pub));
	publisher_unreserve(publisher_reserve(&x.base, 8));
	feed_end();
}
END_TEST

/* ---- the daemon's binary ---- */

START_TEST(test_binary)
{
	feed_begin_binary();
	feed_send(1, 10);
	feed_send_exit(2);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	feed_assert_any(1, "containerd.events.TaskStart",
		"--address /run/c.sock publish --topic /tasks/start "
		"--namespace test-ns\n");
	feed_assert_any(2, "containerd.events.TaskExit",
		"--address /run/c.sock publish --topic /tasks/exit "
		"--namespace test-ns\n");
	ck_assert(!file_exists("any.3"));
	feed_end();
}
END_TEST

START_TEST(test_binary_fails)
{
	feed_begin_binary();
	put_text("fail", "");
	feed_send_exit(1);
	ck_assert(wait_for(feed.base, file_exists("any.1")));
	ck_assert(wait_for(feed.base, reaper_claimed(feed.reaper) == 0));
	remove("fail");
	ck_assert_uint_eq(publisher_waiting(feed.pub), 1);
	feed_pass(50);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	ck_assert(file_exists("any.2"));
	ck_assert_uint_eq(publisher_lost(feed.pub), 0);
	/* a pipe does not hold it; the callback comes from the loop */
	feed_send(2, 100 * KIB);
	ck_assert_uint_eq(feed.n_flushed, 1);
	ck_assert(wait_for(feed.base, publisher_is_flushed(feed.pub)));
	ck_assert_uint_eq(publisher_lost(feed.pub), 1);
	ck_assert(!file_exists("any.3"));
	feed_end();
}
END_TEST

START_TEST(test_binary_is_missing)
{
	unsigned i;

	feed_begin_binary();
	remove("publish");
	feed_send_exit(1);
	for (i = 1; i < 8; i++) {
		ck_assert_uint_eq(publisher_lost(feed.pub), 0);
		feed_pass(5000);
	}
	ck_assert_uint_eq(publisher_lost(feed.pub), 1);
	ck_assert(publisher_is_flushed(feed.pub));
	feed_end();
}
END_TEST

START_TEST(test_free_while_binary_runs)
{
	feed_begin_binary();
	put_text("wait", "");
	feed_send_exit(1);
	ck_assert(wait_for(feed.base, file_exists("any.1")));
	publisher_free(feed.pub);
	feed.pub = NULL;
	remove("wait");
	ck_assert(wait_for(feed.base, feed_has_no_child()));
	ck_assert_uint_eq(feed.n_flushed, 0);
	feed_end();
}
END_TEST

/* ---- ends ---- */

START_TEST(test_nothing_configured)
{
	unsigned i;

	feed_begin();
	feed.config.ttrpc_address = "";
	feed_publisher();
	for (i = 1; i <= 2000; i++)
		feed_send(i, KIB);
	feed_send_exit(1);
	ck_assert(publisher_is_flushed(feed.pub));
	ck_assert_uint_eq(publisher_waiting(feed.pub), 0);
	ck_assert_uint_eq(publisher_lost(feed.pub), 0);
	ck_assert(loop_is_idle(feed.base));
	feed_end();
}
END_TEST

START_TEST(test_free_with_events)
{
	feed_begin();
	feed_come();
	feed_publisher();
	feed.mood = FEED_HOLDS;
	feed_send(1, 10);
	loop_settle(feed.base);
	feed_send(2, 10);
	feed_send_exit(3);
	publisher_free(feed.pub); /* one on its way, two behind it */
	feed_answer_nothing();
	feed_go();
	feed_publisher();
	feed_send_exit(4); /* waits to try again */
	ck_assert_uint_eq(feed.n_flushed, 0);
	feed_end();
}
END_TEST

/* ---- memory ---- */

/* The exit arrives whatever happens; the other one does or is counted. */
static void live(unsigned n)
{
	oom_at(n);
	feed.pub = publisher_new(feed.base, feed.reaper, &feed.config);
	if (feed.pub) {
		feed_send(1, 10);
		feed_send_reserved(2);
		loop_settle(feed.base);
	}
	oom_off();
	feed.n_asked = 0;
	while (feed.pub && !publisher_is_flushed(feed.pub) && feed.n_asked < 20)
		feed_pass(5000);
}

START_TEST(test_out_of_memory)
{
	oom_begin();
	feed_begin();
	feed_come();
	OOM_SWEEP(n)
	{
		feed.n_got = 0;
		feed_reserve();
		live(n);
		if (feed.pub) {
			size_t lost = publisher_lost(feed.pub);

			ck_assert(publisher_is_flushed(feed.pub));
			/* the daemon's memory may have ended instead */
			ck_assert_uint_ge(feed.n_got + lost, 2);
			ck_assert_uint_eq(feed.got[feed.n_got - 1], 2);
		} else {
			feed_unreserve();
		}
		publisher_free(feed.pub);
		feed.pub = NULL;
		loop_settle(feed.base);
	}
	feed_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_in_order, test_one_in_flight,
		test_free_when_flushed, test_comes_back,
		test_dies_before_it_answers, test_retry_intervals, test_poke,
		test_no_answer, test_refused, test_refused_for_a_while,
		test_refusals_are_its_own, test_bound,
		test_exits_are_never_dropped, test_head_is_never_dropped,
		test_reserved_in_two_parts, test_reserved_too_little,
		test_nothing_configured, test_free_with_events, test_binary,
		test_binary_fails, test_binary_is_missing,
		test_free_while_binary_runs, test_out_of_memory, NULL};

	return suite_run("publish", tests);
}
