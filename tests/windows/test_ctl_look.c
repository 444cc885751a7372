/* SPDX-License-Identifier: Apache-2.0 */
/* wispctl.exe ps, kill and events, beside a wispctl.exe run. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/signal_name.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_ctl.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

static struct ctl box, ctl;

static uint32_t call(const char *verb, const char *const *words)
{
	ctl_clear(&ctl);
	ctl_begin(&ctl, verb, words, NULL, false);
	return ctl_end(&ctl);
}

static bool says(const char *text)
{
	return ctl.out.text && strstr(ctl.out.text, text);
}

static bool complains(const char *text)
{
	return ctl.err.text && strstr(ctl.err.text, text);
}

/* A container that sleeps, and says when it has begun to. */
static void begin(const char *name)
{
	ctl_clear(&box);
	ctl_begin(&box, "run", WORDS("--name", name), WORDS("hello"), false);
	ck_assert_msg(ctl_says(&box.out, "hello"), "%s",
		box.err.text ? box.err.text : "");
}

static void done(void)
{
	ctl_clear(&box);
	ctl_clear(&ctl);
	ctl_teardown();
}

START_TEST(test_ps)
{
	ctl_setup();
	ck_assert_uint_eq(call("ps", NONE), 0);
	ck_assert(says("STATUS"));
	begin("one");
	ck_assert_uint_eq(call("ps", NONE), 0);
	ck_assert(says("one") && says("running"));
	ck_assert_uint_eq(call("ps", WORDS("-o", "json")), 0);
	ck_assert(says("\"id\":\"one\"") && says("\"status\":\"running\""));
	ck_assert(says("\"ageMs\":"));
	ck_assert_uint_eq(call("ps", WORDS("one")), 0);
	ck_assert(says("windows_ctl_look.exe child hello"));
	ck_assert_uint_eq(call("ps", WORDS("-o", "json", "one")), 0);
	ck_assert(says("\"user\":\"") && !says("\"uid\""));
	ck_assert_uint_eq(call("ps", WORDS("two")), 125);
	ck_assert(complains("two"));
	ck_assert_uint_eq(call("kill", WORDS("-s", "KILL", "one")), 0);
	ck_assert_uint_eq(ctl_end(&box), 1);
	ck_assert_uint_eq(call("ps", NONE), 0);
	ck_assert(!says("one"));
	done();
}
END_TEST

START_TEST(test_signal_names)
{
	static const struct {
		const char *text;
		uint32_t number;
	} good[] = {{"CtrlC", 0}, {"ctrlbreak", 1}, {"CtrlClose", 2},
		{"CtrlLogOff", 5}, {"CtrlShutdown", 6}, {"KILL", 9},
		{"SIGKILL", 9}, {"sigterm", 15}, {"0", 0}, {"64", 64}};
	static const char *const bad[] = {
		"", "HUP", "SIG", "65", "-1", "9x", "CtrlC ", "99999999999999"};
	uint32_t n;
	size_t i;

	for (i = 0; i < LENGTH(good); i++) {
		ck_assert_int_eq(ctl_signal_number(good[i].text, &n), 0);
		ck_assert_uint_eq(n, good[i].number);
	}
	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(ctl_signal_number(bad[i], &n), -EINVAL);
}
END_TEST

/* Console events are sent in the tests of the shim: what a program does with
 * them under Wine is no test of wispctl. */
START_TEST(test_kill)
{
	static const char *const all[] = {"KILL", "9"};
	size_t i;

	ctl_setup();
	for (i = 0; i < LENGTH(all); i++) {
		begin("box");
		ck_assert_msg(call("kill", WORDS("-s", all[i], "box")) == 0,
			"%s: %s", all[i], ctl.err.text);
		ck_assert_uint_eq(ctl_end(&box), 1);
	}
	ck_assert_uint_eq(call("kill", WORDS("-s", "HUP", "box")), 125);
	ck_assert(complains("CtrlBreak, CtrlClose"));
	ck_assert_uint_eq(call("kill", WORDS("box")), 125);
	begin("box"); /* a number that the shim does not know */
	ck_assert_uint_eq(call("kill", WORDS("-s", "10", "box")), 125);
	ck_assert_uint_eq(call("kill", WORDS("-a", "-s", "9", "box")), 0);
	ck_assert_uint_eq(ctl_end(&box), 1);
	done();
}
END_TEST

static void end_follower(struct ctl *f)
{
	struct process_ref *ref;

	ck_assert_int_eq(process_ref_open(f->pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	process_ref_close(ref);
	ctl_end(f);
	ctl_clear(f);
}

START_TEST(test_events)
{
	struct ctl follower;
	int tries;

	ctl_setup();
	ck_assert_uint_eq(call("events", WORDS("--no-follow")), 0);
	ctl_begin(
		&follower, "events", WORDS("-o", "json", "seen"), NULL, false);
	ctl_begin(&box, "run", WORDS("--name", "unseen"), WORDS("exit", "0"),
		false);
	ck_assert_uint_eq(ctl_end(&box), 0);
	ctl_clear(&box);
	/* those that follow begin where the journal ends then */
	for (tries = 0; !follower.out.text && tries < 3; tries++) {
		ctl_begin(&box, "run", WORDS("--name", "seen"),
			WORDS("exit", "7"), false);
		ck_assert_uint_eq(ctl_end(&box), 7);
		ctl_clear(&box);
		ctl_says(&follower.out, "/tasks/delete");
	}
	ck_assert(ctl_says(&follower.out, "/tasks/delete"));
	ck_assert_ptr_nonnull(strstr(follower.out.text, "/tasks/exit"));
	ck_assert_ptr_null(strstr(follower.out.text, "unseen"));
	end_follower(&follower);
	ck_assert_uint_eq(
		call("events", WORDS("--no-follow", "-o", "json")), 0);
	ck_assert(says("\"id\":\"unseen\"") && says("\"status\":7"));
	ck_assert_uint_eq(call("events", WORDS("--no-follow", "--since",
						 "2099-01-01T00:00:00Z")),
		0);
	ck_assert(!ctl.out.text || !*ctl.out.text);
	done();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_ps, test_signal_names, test_kill, test_events, NULL};

	child_main();
	return suite_run("windows ctl look", tests);
}
