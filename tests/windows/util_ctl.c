/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/listener.h"
#include "platform/tool.h"
#include "tests/unit/util_test.h"

#define WORDS_MAX 160

static struct event_base *base;
static struct exit_source *source;
static char root[512];

struct event_base *ctl_base(void)
{
	return base;
}

const char *ctl_root(void)
{
	return root;
}

static void on_exits(void *arg)
{
	(void)arg;
}

void ctl_setup(void)
{
	struct err e;

	base = event_base_new();
	ck_assert_msg(exit_source_new(base, on_exits, NULL, &source, &e) == 0,
		"%s", e.msg);
	snprintf(root, sizeof(root), "%s", here("root"));
}

static void count(const char *name, void *arg)
{
	unsigned *n = arg;

	fprintf(stderr, "left: %s\n", name);
	++*n;
}

void ctl_teardown(void)
{
	static const char *const folders[] = {"state", "bundles"};
	char path[600];
	unsigned n = 0, i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s\\%s", root, folders[i]);
		tool_list(path, count, &n);
	}
	ck_assert_uint_eq(n, 0);
	exit_source_free(source);
	event_base_free(base);
}

static const char *program(void)
{
	static char path[1024];
	char *end;

	snprintf(path, sizeof(path), "%s", getenv("WISP_SHIM"));
	end = strrchr(path, '\\');
	ck_assert_ptr_nonnull(end);
	strcpy(end + 1, "wispctl.exe");
	return path;
}

void ctl_begin(struct ctl *c, const char *verb, const char *const *words,
	const char *const *child, bool with_stdin)
{
	const char *argv[WORDS_MAX] = {program(), verb, "--root", root};
	struct process_spec spec = {.argv = argv, .own_group = true};
	struct endpoint *ep[3] = {NULL, NULL, NULL};
	size_t n = 4, i;
	struct err e;

	memset(c, 0, sizeof(*c));
	while (*words)
		argv[n++] = *words++;
	if (child) {
		argv[n++] = "--";
		argv[n++] = own_path();
		argv[n++] = "child";
		while (*child)
			argv[n++] = *child++;
	}
	ck_assert_uint_lt(n, WORDS_MAX);
	if (with_stdin)
		ck_assert_int_eq(stream_pipe_to_child(base, &c->in, &ep[0]), 0);
	ck_assert_int_eq(stream_pipe_from_child(base, &c->out.from, &ep[1]), 0);
	ck_assert_int_eq(stream_pipe_from_child(base, &c->err.from, &ep[2]), 0);
	for (i = 0; i < 3; i++)
		spec.endpoints[i] = ep[i];
	ck_assert_msg(process_spawn(&spec, &c->pid, &e) == 0, "%s", e.msg);
	for (i = 0; i < 3; i++)
		endpoint_close(ep[i]);
}

/* Whether something came. */
static bool take(struct ctl_text *t)
{
	static char buf[65536];
	ssize_t n;

	if (!t->from)
		return false;
	n = stream_read(t->from, buf, sizeof(buf));
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		stream_close(t->from);
		t->from = NULL;
		return true;
	}
	if (t->n + (size_t)n >= t->room) {
		t->room = 2 * (t->n + (size_t)n) + 1;
		t->text = realloc(t->text, t->room);
		ck_assert_ptr_nonnull(t->text);
	}
	memcpy(t->text + t->n, buf, (size_t)n);
	t->n += (size_t)n;
	t->text[t->n] = '\0';
	return true;
}

bool ctl_says(struct ctl_text *t, const char *text)
{
	int64_t end = real_ms() + TEST_WAIT_MS;

	while (t->from && real_ms() < end) {
		if (t->text && strstr(t->text, text))
			return true;
		if (!take(t))
			loop_turn(base);
	}
	return t->text && strstr(t->text, text);
}

void ctl_type(struct ctl *c, const char *data, size_t n)
{
	int64_t end = real_ms() + 2 * TEST_WAIT_MS;

	while (n > 0 && real_ms() < end) {
		ssize_t w = stream_write(c->in, data, n);

		ck_assert(w > 0 || w == -EAGAIN);
		if (w > 0) {
			data += w;
			n -= (size_t)w;
			continue;
		}
		if (!take(&c->out) && !take(&c->err))
			loop_turn(base);
	}
	ck_assert_uint_eq(n, 0);
	ck_assert(wait_for(base, stream_unread(c->in) == 0));
}

uint32_t ctl_end(struct ctl *c)
{
	int64_t end = real_ms() + 2 * TEST_WAIT_MS;
	struct process_exit x = {0};

	stream_close(c->in);
	c->in = NULL;
	while ((c->out.from || c->err.from) && real_ms() < end)
		if (!take(&c->out) && !take(&c->err))
			loop_turn(base);
	ck_assert_msg(!c->out.from && !c->err.from, "wispctl does not end");
	ck_assert(wait_for(base, exit_source_next_of(source, c->pid, &x)));
	return x.status;
}

void ctl_clear(struct ctl *c)
{
	free(c->out.text);
	free(c->err.text);
	memset(c, 0, sizeof(*c));
}

int64_t ctl_shim_pid(const char *id)
{
	char address[256];
	int64_t pid = 0;

	snprintf(address, sizeof(address),
		"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
		"containerd-shim-wisp-%s-pipe",
		id);
	return listener_owner(address, &pid) == 0 ? pid : 0;
}
