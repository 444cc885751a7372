/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/state.h"

#include "util_test.h"

/* What is legal, said a second time; everything else is not. */
static const struct {
	enum task_event ev;
	enum task_state from, to;
} legal[] = {
	{EV_START, TASK_CREATED, TASK_STARTING},
	{EV_PAUSE, TASK_RUNNING, TASK_PAUSING},
	{EV_RESUME, TASK_PAUSED, TASK_RESUMING},
	{EV_KILL, TASK_CREATED, TASK_CREATED},
	{EV_KILL, TASK_STARTING, TASK_STARTING},
	{EV_KILL, TASK_RUNNING, TASK_RUNNING},
	{EV_KILL, TASK_PAUSING, TASK_PAUSING},
	{EV_KILL, TASK_PAUSED, TASK_PAUSED},
	{EV_KILL, TASK_RESUMING, TASK_RESUMING},
	{EV_EXEC, TASK_CREATED, TASK_CREATED},
	{EV_EXEC, TASK_RUNNING, TASK_RUNNING},
	{EV_RESIZE, TASK_CREATED, TASK_CREATED},
	{EV_RESIZE, TASK_STARTING, TASK_STARTING},
	{EV_RESIZE, TASK_RUNNING, TASK_RUNNING},
	{EV_RESIZE, TASK_PAUSING, TASK_PAUSING},
	{EV_RESIZE, TASK_PAUSED, TASK_PAUSED},
	{EV_RESIZE, TASK_RESUMING, TASK_RESUMING},
	{EV_RESIZE, TASK_STOPPED, TASK_STOPPED},
	{EV_RESIZE, TASK_DELETING, TASK_DELETING},
	{EV_UPDATE, TASK_CREATED, TASK_CREATED},
	{EV_UPDATE, TASK_STARTING, TASK_STARTING},
	{EV_UPDATE, TASK_RUNNING, TASK_RUNNING},
	{EV_UPDATE, TASK_PAUSING, TASK_PAUSING},
	{EV_UPDATE, TASK_PAUSED, TASK_PAUSED},
	{EV_UPDATE, TASK_RESUMING, TASK_RESUMING},
	{EV_CHECKPOINT, TASK_RUNNING, TASK_SAVING},
	{EV_CHECKPOINT, TASK_PAUSED, TASK_SAVING_PAUSED},
	{EV_CHECKPOINTED, TASK_SAVING, TASK_RUNNING},
	{EV_CHECKPOINTED, TASK_SAVING_PAUSED, TASK_PAUSED},
	{EV_KILL, TASK_SAVING, TASK_SAVING},
	{EV_KILL, TASK_SAVING_PAUSED, TASK_SAVING_PAUSED},
	{EV_RESIZE, TASK_SAVING, TASK_SAVING},
	{EV_RESIZE, TASK_SAVING_PAUSED, TASK_SAVING_PAUSED},
	{EV_DELETE, TASK_CREATING, TASK_CREATING}, /* once it is over */
	{EV_DELETE, TASK_CREATED, TASK_DELETING},
	{EV_DELETE, TASK_STOPPED, TASK_DELETING},
	{EV_CREATED, TASK_CREATING, TASK_CREATED},
	{EV_STARTED, TASK_STARTING, TASK_RUNNING},
	{EV_START_FAILED, TASK_STARTING, TASK_CREATED},
	{EV_PAUSED, TASK_PAUSING, TASK_PAUSED},
	{EV_PAUSE_FAILED, TASK_PAUSING, TASK_RUNNING},
	{EV_RESUMED, TASK_RESUMING, TASK_RUNNING},
	{EV_RESUME_FAILED, TASK_RESUMING, TASK_PAUSED},
	{EV_EXIT, TASK_CREATED, TASK_STOPPED},
	{EV_EXIT, TASK_RUNNING, TASK_STOPPED},
	{EV_EXIT, TASK_PAUSING, TASK_STOPPED},
	{EV_EXIT, TASK_PAUSED, TASK_STOPPED},
	{EV_EXIT, TASK_RESUMING, TASK_STOPPED},
	{EV_EXIT, TASK_DELETING, TASK_DELETING},
	{EV_DELETE_FAILED, TASK_DELETING, TASK_STOPPED},
};

static enum task_state expected(enum task_state s, enum task_event ev)
{
	size_t i;

	for (i = 0; i < LENGTH(legal); i++)
		if (legal[i].from == s && legal[i].ev == ev)
			return legal[i].to;
	return TASK_BAD;
}

START_TEST(test_every_cell)
{
	int s, ev;

	for (s = 0; s < TASK_STATES; s++) {
		for (ev = 0; ev < TASK_EVENTS; ev++) {
			enum task_state got = state_next(s, ev);

			ck_assert_msg(got == expected(s, ev),
				"%s in state %s leads to %s, not %s",
				state_event_name(ev), state_name(s),
				state_name(got), state_name(expected(s, ev)));
		}
	}
}
END_TEST

START_TEST(test_out_of_range)
{
	ck_assert_int_eq(state_next(TASK_STATES, EV_KILL), TASK_BAD);
	ck_assert_int_eq(state_next(TASK_RUNNING, TASK_EVENTS), TASK_BAD);
	ck_assert_int_eq(state_next((enum task_state) - 1, EV_KILL), TASK_BAD);
	ck_assert_int_eq(
		state_next(TASK_RUNNING, (enum task_event) - 1), TASK_BAD);
	ck_assert_str_eq(state_name(TASK_STATES), "bad");
	ck_assert_str_eq(state_event_name(TASK_EVENTS), "bad");
	ck_assert_int_eq(state_status(TASK_STATES), 0);
}
END_TEST

/* Marks what can be reached from s. */
static void visit(enum task_state s, bool *seen)
{
	int ev;

	if (s == TASK_BAD || seen[s])
		return;
	seen[s] = true;
	for (ev = 0; ev < TASK_EVENTS; ev++)
		visit(state_next(s, ev), seen);
}

START_TEST(test_no_dead_end)
{
	int s, from;

	for (from = TASK_CREATING; from < TASK_STATES; from++) {
		bool seen[TASK_STATES] = {false};

		visit(from, seen);
		ck_assert_msg(
			seen[TASK_DELETING], "stuck in %s", state_name(from));
		for (s = TASK_CREATING; from == TASK_CREATING; s++) {
			if (s == TASK_STATES)
				break;
			ck_assert_msg(
				seen[s], "%s is unreachable", state_name(s));
		}
	}
}
END_TEST

START_TEST(test_names)
{
	static const char *const states[TASK_STATES] = {"bad", "creating",
		"created", "starting", "running", "pausing", "paused",
		"resuming", "checkpointing", "paused, checkpointing", "stopped",
		"deleting"};
	int i, j;

	for (i = 0; i < TASK_STATES; i++)
		ck_assert_str_eq(state_name(i), states[i]);
	for (i = 0; i < TASK_EVENTS; i++) {
		ck_assert_ptr_nonnull(state_event_name(i));
		ck_assert_str_ne(state_event_name(i), "bad");
		for (j = 0; j < i; j++)
			ck_assert_str_ne(
				state_event_name(i), state_event_name(j));
	}
	ck_assert_str_eq(state_event_name(EV_START), "start");
	ck_assert_str_eq(state_event_name(EV_DELETE), "delete");
}
END_TEST

/* The numbers of reference/wire.md, which are what a daemon sees. */
START_TEST(test_statuses)
{
	enum { UNKNOWN, CREATED, RUNNING, STOPPED, PAUSED, PAUSING };
	static const int want[TASK_STATES] = {
		[TASK_BAD] = UNKNOWN,
		[TASK_CREATING] = CREATED,
		[TASK_CREATED] = CREATED,
		[TASK_STARTING] = CREATED,
		[TASK_RUNNING] = RUNNING,
		[TASK_PAUSING] = PAUSING,
		[TASK_PAUSED] = PAUSED,
		[TASK_RESUMING] = PAUSED,
		[TASK_SAVING] = RUNNING,
		[TASK_SAVING_PAUSED] = PAUSED,
		[TASK_STOPPED] = STOPPED,
		[TASK_DELETING] = STOPPED,
	};
	int s;

	for (s = 0; s < TASK_STATES; s++)
		ck_assert_int_eq(state_status(s), want[s]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_every_cell, test_out_of_range,
		test_no_dead_end, test_names, test_statuses, NULL};

	return suite_run("state", tests);
}
