/* SPDX-License-Identifier: Apache-2.0 */
#include "client/shim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/program.h"
#include "platform/listener.h"
#include "util_test.h"

/* Shims are shell scripts here; where they "listen", the test does. */
struct world {
	struct event_base *base;
	struct client *client;
	struct listener *listener;
	struct stream *peer;
	struct client_container container;
	struct client_shim *shim;
	char bundle[256], program[256];
};

static void on_connection(struct stream *s, void *arg)
{
	struct world *w = arg;

	stream_close(w->peer);
	w->peer = s;
}

static void world_init(struct world *w, const char *script)
{
	*w = (struct world){.base = event_base_new()};
	ck_assert_int_eq(client_new(w->base, &w->client, NULL), 0);
	ck_assert_int_eq(listener_bind(here("socket"), &w->listener, NULL), 0);
	ck_assert_int_eq(
		listener_start(w->listener, w->base, on_connection, w), 0);
	ck_assert_int_eq(mkdir("bundle", 0700), 0);
	snprintf(w->bundle, sizeof(w->bundle), "%s", here("bundle"));
	snprintf(w->program, sizeof(w->program), "%s", here("shim"));
	put_text("shim", script);
	ck_assert_int_eq(chmod("shim", 0755), 0);
	w->container = (struct client_container){.ns = "ns1",
		.id = "c1",
		.bundle = w->bundle,
		.shim = w->program,
		.events = "/events",
		.publisher = "/publisher",
		.runtime = "crun"};
}

static void world_clear(struct world *w)
{
	client_shim_free(w->shim);
	stream_close(w->peer);
	listener_close(w->listener);
	client_free(w->client);
	event_base_free(w->base);
}

static int start(struct world *w, struct err *e)
{
	struct client_await *aw = client_await_new(w->client, 0);
	int r = client_shim_start(
		w->client, &w->container, client_await_done, aw, &w->shim, e);

	return client_await(aw, r, e);
}

#define HEAD "#!/bin/sh\n"

START_TEST(test_what_it_is_told)
{
	char text[4096];
	struct world w;

	world_init(&w,
		HEAD "echo \"$@\" > args; pwd > cwd; cat > stdin\n"
		     "echo \"$MAX_SHIM_VERSION $TTRPC_ADDRESS $GRPC_ADDRESS "
		     "$NAMESPACE\" > env\n"
		     "printf unix://$PWD/../socket\n");
	ck_assert_int_eq(start(&w, NULL), 0);
	ck_assert(client_shim_is_connected(w.shim));
	ck_assert_uint_eq(client_shim_version(w.shim), 2);
	get_file("bundle/args", text, sizeof(text));
	ck_assert_str_eq(text,
		"-namespace ns1 -address /events -publish-binary /publisher "
		"-id c1 start\n");
	get_file("bundle/env", text, sizeof(text));
	ck_assert_str_eq(text, "2 /events /events ns1\n");
	get_file("bundle/cwd", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	ck_assert_str_eq(text, w.bundle);
	get_file("bundle/stdin", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "containerd.runc.v1.Options"));
	ck_assert_ptr_nonnull(strstr(text, "crun"));
	world_clear(&w);
}
END_TEST

START_TEST(test_dialect_1_6)
{
	char text[64];
	struct world w;

	world_init(&w, HEAD "echo \"${MAX_SHIM_VERSION-none}\" > env\n"
			    "printf '{\"version\":3,\"address\":\"%s\"}' "
			    "$PWD/../socket\n");
	w.container.dialect = CLIENT_DIALECT_ADDRESS;
	w.container.debug = true;
	ck_assert_int_eq(setenv("MAX_SHIM_VERSION", "9", 1), 0);
	ck_assert_int_eq(start(&w, NULL), 0);
	ck_assert_uint_eq(client_shim_version(w.shim), 3);
	get_file("bundle/env", text, sizeof(text));
	ck_assert_str_eq(text, "none\n");
	world_clear(&w);
}
END_TEST

START_TEST(test_dialect_2_3)
{
	char text[512];
	size_t n;
	struct world w;

	world_init(&w, HEAD "cat > stdin; printf unix://$PWD/../socket\n");
	w.container.dialect = CLIENT_DIALECT_BOOTSTRAP;
	w.container.socket_dir = "/sockets";
	ck_assert_int_eq(start(&w, NULL), 0);
	n = get_file("bundle/stdin", text, sizeof(text));
	ck_assert_mem_eq(text, "\x0a\x02\x63\x31\x12\x03ns1", 9);
	ck_assert_ptr_nonnull(memmem(text, n, "/sockets", 8));
	ck_assert_ptr_nonnull(
		memmem(text, n, "containerd.runc.v1.Options", 26));
	world_clear(&w);
}
END_TEST

START_TEST(test_start_fails)
{
	static const struct {
		const char *script, *why;
		int code;
	} all[] = {
		{HEAD "echo one >&2; echo no such thing >&2; exit 1\n",
			"start: no such thing", -EREMOTEIO},
		{HEAD "exit 4\n", "start: exit status 4, no message",
			-EREMOTEIO},
		{HEAD "echo hello\n", "neither an address", -EINVAL},
		{HEAD "printf unix:///no/such/socket\n", "/no/such/socket",
			-ENOENT},
		{HEAD "exec sleep 100\n", "has not finished after 200 ms",
			-ETIMEDOUT},
	};
	struct world w;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(all); i++) {
		world_init(&w, all[i].script);
		w.container.timeout_ms = i == LENGTH(all) - 1 ? 200 : 0;
		ck_assert_int_eq(start(&w, &e), all[i].code);
		ck_assert_msg(strstr(e.msg, all[i].why), "%s", e.msg);
		ck_assert(!client_shim_is_connected(w.shim));
		world_clear(&w);
		ck_assert_int_eq(rmdir("bundle"), 0);
		ck_assert_int_eq(unlink("socket"), 0);
	}
}
END_TEST

START_TEST(test_no_shim)
{
	struct world w;
	struct err e;

	world_init(&w, "");
	w.container.shim = "/no/such/shim";
	ck_assert_int_eq(start(&w, &e), -ENOENT);
	ck_assert_ptr_null(w.shim);
	world_clear(&w);
}
END_TEST

static void count(const struct err *e, void *arg)
{
	(void)e;
	++*(unsigned *)arg;
}

/* Nobody waits for it any more. */
START_TEST(test_freed_while_starting)
{
	unsigned n = 0;
	struct world w;

	world_init(&w, HEAD "exec sleep 100\n");
	ck_assert_int_eq(client_shim_start(w.client, &w.container, count, &n,
				 &w.shim, NULL),
		0);
	client_shim_free(w.shim);
	w.shim = NULL;
	ck_assert(wait_for(w.base, waitpid(-1, NULL, WNOHANG) < 0));
	ck_assert_uint_eq(n, 0);
	world_clear(&w);
}
END_TEST

static int run_delete(struct world *w, struct client_delete *d, struct err *e)
{
	struct client_await *aw = client_await_new(w->client, 0);
	int r = client_shim_run_delete(
		w->client, &w->container, d, client_await_done, aw, e);

	return client_await(aw, r, e);
}

START_TEST(test_delete)
{
	char text[512], want[512];
	struct client_delete d;
	struct world w;

	/* pid 7, exit_status 137, exited_at 5 s */
	world_init(&w, HEAD
		"echo \"$@\" > args\n"
		"printf '\\010\\007\\020\\211\\001\\032\\002\\010\\005'\n");
	ck_assert_int_eq(run_delete(&w, &d, NULL), 0);
	ck_assert_uint_eq(d.exit.pid, 7);
	ck_assert_uint_eq(d.exit.status, 137);
	ck_assert_int_eq(d.exit.at.tv_sec, 5);
	get_file("bundle/args", text, sizeof(text));
	snprintf(want, sizeof(want),
		"-namespace ns1 -address /events -publish-binary /publisher "
		"-id c1 -bundle %s delete\n",
		w.bundle);
	ck_assert_str_eq(text, want);
	world_clear(&w);
}
END_TEST

START_TEST(test_delete_fails)
{
	struct client_delete d;
	struct world w;
	struct err e;

	world_init(&w, HEAD "echo why not >&2; exit 1\n");
	ck_assert_int_eq(run_delete(&w, &d, &e), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "delete: why not"));
	put_text("shim", HEAD "printf '\\377'\n");
	ck_assert_int_eq(run_delete(&w, &d, &e), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "no DeleteResponse"));
	world_clear(&w);
}
END_TEST

START_TEST(test_ids)
{
	static const char *const good[] = {"a", "A-1", "a.b_c-d", "0"};
	static const char *const bad[] = {"", "-a", "a-", "a--b", "a/b", "..",
		"a b", "a\xc3\xa4", "a._b"};
	char text[78];
	size_t i;

	for (i = 0; i < LENGTH(good); i++)
		ck_assert(client_id_is_valid(good[i]));
	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_msg(!client_id_is_valid(bad[i]), "%s", bad[i]);
	memset(text, 'x', 77);
	text[77] = '\0';
	ck_assert(!client_id_is_valid(text));
	text[76] = '\0';
	ck_assert(client_id_is_valid(text));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_what_it_is_told, test_dialect_1_6,
		test_dialect_2_3, test_start_fails, test_no_shim,
		test_freed_while_starting, test_delete, test_delete_fails,
		test_ids, NULL};

	return suite_run("client shim", tests);
}
