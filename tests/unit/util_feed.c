/* SPDX-License-Identifier: Apache-2.0 */
#include "util_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "events.pb-c.h"
#include "events_service.pb-c.h"
#include "platform/listener.h"
#include "shim/messages.h"
#include "util_clock.h"
#include "util_test.h"

struct feed feed;

/* ---- the service ---- */

static bool take_start(const Any *any)
{
	Containerd__Events__TaskStart *ev;

	ev = containerd__events__task_start__unpack(
		NULL, any->value.len, any->value.data);
	if (!ev)
		return false;
	feed.got[feed.n_got++] = ev->pid;
	containerd__events__task_start__free_unpacked(ev, NULL);
	return true;
}

static bool take_exit(const Any *any)
{
	Containerd__Events__TaskExit *ev;

	ev = containerd__events__task_exit__unpack(
		NULL, any->value.len, any->value.data);
	if (!ev)
		return false;
	feed.got[feed.n_got++] = ev->pid;
	snprintf(feed.container_id, sizeof(feed.container_id), "%s",
		ev->container_id);
	snprintf(feed.exec_id, sizeof(feed.exec_id), "%s", ev->id);
	feed.exit_status = ev->exit_status;
	containerd__events__task_exit__free_unpacked(ev, NULL);
	return true;
}

static bool take(const Containerd__Types__Envelope *env)
{
	if (!env || !env->timestamp || env->timestamp->seconds <= 0 ||
		strcmp(env->namespace_, "test-ns") != 0 || !env->event ||
		feed.n_got == LENGTH(feed.got)) {
		feed.n_bad++;
		return true;
	}
	if (strcmp(env->topic, "/tasks/start") == 0 &&
		strcmp(env->event->type_url, "containerd.events.TaskStart") ==
			0)
		return take_start(env->event);
	if (strcmp(env->topic, "/tasks/exit") == 0 &&
		strcmp(env->event->type_url, "containerd.events.TaskExit") == 0)
		return take_exit(env->event);
	feed.n_bad++;
	return true;
}

static void ack(struct ttrpc_call *call)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

	ttrpc_call_reply(call, &empty.base);
}

static void on_forward(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *unused)
{
	const Containerd__Services__Events__Ttrpc__V1__ForwardRequest *rq =
		(const void *)m;
	enum feed_mood mood = feed.mood;

	(void)unused;
	feed.n_asked++;
	if (feed.held) {
		feed.n_bad++; /* one at a time */
		ack(call);
		return;
	}
	if (mood == FEED_REFUSES_ONCE)
		feed.mood = FEED_TAKES;
	if (mood == FEED_REFUSES || mood == FEED_REFUSES_ONCE)
		ttrpc_call_fail(call, TTRPC_INVALID_ARGUMENT, "no, thank you");
	else if (mood == FEED_UNAVAILABLE || !take(rq->envelope))
		ttrpc_call_fail(call, TTRPC_UNAVAILABLE, "not now");
	else if (mood == FEED_HOLDS)
		feed.held = call;
	else
		ack(call);
}

static const ttrpc_handler handlers[] = {on_forward};

static void on_accept(struct stream *s, void *unused)
{
	(void)unused;
	feed.n_accepted++;
	ttrpc_server_accept(feed.server, s);
}

void feed_come(void)
{
	const ProtobufCServiceDescriptor *d =
		&containerd__services__events__ttrpc__v1__events__descriptor;
	struct err e;

	feed.server = ttrpc_server_new(feed.base);
	ck_assert_ptr_nonnull(feed.server);
	ck_assert_int_eq(ttrpc_server_add(feed.server,
				 "containerd.services.events.ttrpc.v1.Events",
				 d, handlers, NULL),
		0);
	ck_assert_int_eq(
		listener_bind(feed.config.ttrpc_address, &feed.listener, &e),
		0);
	ck_assert_int_eq(
		listener_start(feed.listener, feed.base, on_accept, NULL), 0);
}

void feed_go(void)
{
	if (!feed.server)
		return;
	listener_close(feed.listener);
	ck_assert_int_eq(listener_unlink(feed.config.ttrpc_address), 0);
	ttrpc_server_free(feed.server);
	feed.server = NULL;
	feed_answer_nothing();
}

void feed_answer(void)
{
	ck_assert_ptr_nonnull(feed.held);
	ack(feed.held);
	feed.held = NULL;
}

/* A handler owes an answer even if nobody will get it. */
void feed_answer_nothing(void)
{
	if (feed.held)
		ttrpc_call_fail(feed.held, TTRPC_UNAVAILABLE, "late");
	feed.held = NULL;
}

/* ---- the publisher ---- */

static void on_flushed(void *unused)
{
	(void)unused;
	feed.n_flushed++;
}

void feed_publisher(void)
{
	feed.pub = publisher_new(feed.base, feed.reaper, &feed.config);
	ck_assert_ptr_nonnull(feed.pub);
	publisher_on_flushed(feed.pub, on_flushed, NULL);
}

static char *text_of(size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		return NULL;
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

void feed_send(unsigned number, size_t more)
{
	Containerd__Events__TaskStart ev = CONTAINERD__EVENTS__TASK_START__INIT;
	char *text = text_of(more);

	ev.pid = number;
	if (text)
		ev.container_id = text;
	publisher_send(feed.pub, "/tasks/start", "containerd.events.TaskStart",
		&ev.base);
	free(text);
}

void feed_send_big_exit(unsigned number, size_t more)
{
	Containerd__Events__TaskExit ev = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	struct publisher_event *room = publisher_reserve(NULL, more + 64);
	char *text = text_of(more);

	ck_assert_ptr_nonnull(room);
	ck_assert_ptr_nonnull(text);
	ev.pid = number;
	ev.container_id = text;
	publisher_send_reserved(feed.pub, room, "/tasks/exit",
		"containerd.events.TaskExit", &ev.base);
	free(text);
}

void feed_send_exit(unsigned number)
{
	feed_send_big_exit(number, 10);
}

void feed_reserve(void)
{
	feed.room = publisher_reserve(NULL, 64);
	ck_assert_ptr_nonnull(feed.room);
}

void feed_unreserve(void)
{
	publisher_unreserve(feed.room);
}

void feed_send_reserved(unsigned number)
{
	Containerd__Events__TaskExit ev = CONTAINERD__EVENTS__TASK_EXIT__INIT;

	ev.pid = number;
	publisher_send_reserved(feed.pub, feed.room, "/tasks/exit",
		"containerd.events.TaskExit", &ev.base);
}

bool feed_has_no_child(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0;
}

void feed_pass(int64_t ms)
{
	clock_skip_ms(ms);
	loop_settle(feed.base);
}

void feed_begin(void)
{
	static char address[4200];
	struct err e;

	clock_freeze();
	feed.base = event_base_new();
	ck_assert_int_eq(reaper_new(feed.base, &feed.reaper, &e), 0);
	snprintf(address, sizeof(address), "unix://%s", here("daemon"));
	feed.config.ns = "test-ns";
	feed.config.ttrpc_address = address;
}

void feed_begin_binary(void)
{
	static char path[4200];

	feed_begin();
	put_text("publish", "#!/bin/sh\n"
			    "n=$(($(cat n 2>/dev/null || echo 0) + 1))\n"
			    "echo $n >n\n"
			    "echo \"$@\" >args.$n\n"
			    "cat >any.$n\n"
			    "while [ -e wait ]; do sleep 0.02; done\n"
			    "[ ! -e fail ]\n");
	chmod("publish", 0755);
	cloexec_all();
	snprintf(path, sizeof(path), "%s", here("publish"));
	feed.config.ttrpc_address = NULL;
	feed.config.binary = path;
	feed.config.grpc_address = "/run/c.sock";
	feed_publisher();
}

void feed_end(void)
{
	publisher_free(feed.pub);
	feed.pub = NULL;
	feed_go();
	loop_settle(feed.base); /* what is freed later */
	reaper_free(feed.reaper);
	event_base_free(feed.base);
	ck_assert_uint_eq(feed.n_bad, 0);
}

void feed_assert_got(unsigned from, unsigned to)
{
	unsigned i;

	ck_assert_uint_eq(feed.n_got, to - from + 1);
	for (i = 0; i < feed.n_got; i++)
		ck_assert_uint_eq(feed.got[i], from + i);
	ck_assert_uint_eq(feed.n_bad, 0);
}

void feed_assert_any(unsigned n, const char *type, const char *arguments)
{
	char buf[1024], name[32];
	size_t len;
	Any *any;

	snprintf(name, sizeof(name), "args.%u", n);
	get_file(name, buf, sizeof(buf));
	ck_assert_str_eq(buf, arguments);
	snprintf(name, sizeof(name), "any.%u", n);
	len = get_file(name, buf, sizeof(buf));
	any = google__protobuf__any__unpack(NULL, len, (uint8_t *)buf);
	ck_assert_ptr_nonnull(any);
	ck_assert_str_eq(any->type_url, type);
	ck_assert_uint_gt(any->value.len, 0);
	google__protobuf__any__free_unpacked(any, NULL);
}
