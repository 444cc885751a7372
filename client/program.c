/* SPDX-License-Identifier: Apache-2.0 */
#include "client/program.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/process.h"
#include "ttrpc/list.h"

#define READ_CHUNK 4096
#define SIGNAL_KILL 9

struct client_programs {
	struct event_base *base; /* borrowed */
	struct exit_source *exits;
	struct list running;
};

struct output {
	struct stream *stream; /* NULL: at its end */
	char *text;
	size_t n, size;
};

/* What a program is still waited for. */
enum { WAIT_EXIT = 1, WAIT_OUT = 2, WAIT_ERR = 4 };

struct program {
	struct list link;
	int64_t pid;
	unsigned waits;
	struct stream *in;
	char *input;
	size_t input_n, input_at;
	struct output out, err_out;
	struct event *deadline; /* NULL: none */
	uint32_t timeout_ms;
	struct client_program_result result;
	client_program_cb cb;
	void *arg;
	char name[64];
};

static void program_free(struct program *p)
{
	list_del(&p->link);
	stream_close(p->in);
	stream_close(p->out.stream);
	stream_close(p->err_out.stream);
	if (p->deadline)
		event_free(p->deadline);
	free(p->out.text);
	free(p->err_out.text);
	free(p->input);
	free(p);
}

static void program_kill(struct program *p)
{
	struct process_ref *ref;

	if (!(p->waits & WAIT_EXIT) || process_ref_open(p->pid, &ref) < 0)
		return;
	process_ref_signal(ref, SIGNAL_KILL);
	process_ref_close(ref);
}

/* Ends the program's story if there is nothing more to wait for. */
static void program_pump(struct program *p)
{
	struct client_program_result *r = &p->result;

	if (p->waits)
		return;
	r->out = p->out.text ? p->out.text : "";
	r->out_n = p->out.n;
	r->err_out = p->err_out.text ? p->err_out.text : "";
	r->err_out_n = p->err_out.n;
	p->cb(r, p->arg);
	program_free(p);
}

/* Gives up: its exit is still waited for (SIGKILL sees to it), but not the
 * ends of its output, which a grandchild may hold. */
static void program_abort(struct program *p, int code, const char *why)
{
	if (p->result.err.code == 0)
		err_set(&p->result.err, code, "'%s' %s", p->name, why);
	program_kill(p);
	p->waits &= WAIT_EXIT;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	char why[96];

	(void)fd;
	(void)what;
	snprintf(why, sizeof(why),
		p->waits & WAIT_EXIT
			? "has not finished after %u ms"
			: "has ended, but its output is still held open "
			  "after %u ms",
		p->timeout_ms);
	program_abort(p, -ETIMEDOUT, why);
	program_pump(p);
}

static int output_grow(struct output *o)
{
	size_t size = o->size ? o->size * 2 : READ_CHUNK;
	char *text;

	if (o->n + 1 < o->size)
		return 0;
	if (size > CLIENT_PROGRAM_OUTPUT_MAX)
		return -EMSGSIZE;
	text = realloc(o->text, size);
	if (!text)
		return -ENOMEM;
	text[o->n] = '\0';
	o->text = text;
	o->size = size;
	return 0;
}

/* 0 at the end or when there is no more now; the end closes the stream. */
static int output_read(struct output *o)
{
	ssize_t got;
	int r;

	for (;;) {
		r = output_grow(o);
		if (r < 0)
			return r;
		got = stream_read(
			o->stream, o->text + o->n, o->size - o->n - 1);
		if (got == -EAGAIN)
			return 0;
		if (got <= 0)
			break;
		o->n += (size_t)got;
		o->text[o->n] = '\0';
	}
	stream_close(o->stream);
	o->stream = NULL;
	return (int)got;
}

static void program_read(struct program *p, struct output *o, unsigned bit)
{
	int r = output_read(o);

	if (r < 0)
		program_abort(p, r, "wrote what cannot be read");
	else if (!o->stream)
		p->waits &= ~bit;
	program_pump(p);
}

static void on_out(struct stream *s, unsigned what, void *arg)
{
	struct program *p = arg;

	(void)s;
	(void)what;
	program_read(p, &p->out, WAIT_OUT);
}

static void on_err_out(struct stream *s, unsigned what, void *arg)
{
	struct program *p = arg;

	(void)s;
	(void)what;
	program_read(p, &p->err_out, WAIT_ERR);
}

/* A program that does not read its input to the end is no error. */
static void on_in(struct stream *s, unsigned what, void *arg)
{
	struct program *p = arg;
	ssize_t r;

	(void)what;
	r = stream_write(s, p->input + p->input_at, p->input_n - p->input_at);
	if (r > 0)
		p->input_at += (size_t)r;
	if (r == -EAGAIN || (r > 0 && p->input_at < p->input_n))
		return;
	stream_close(p->in);
	p->in = NULL;
}

/* Returns how many programs there are. */
static size_t record_exit(
	struct client_programs *ps, const struct process_exit *x)
{
	struct list *node;
	size_t n = 0;

	for (node = ps->running.next; node != &ps->running; node = node->next) {
		struct program *p = list_entry(node, struct program, link);

		n++;
		if (p->pid != x->pid || !(p->waits & WAIT_EXIT))
			continue;
		p->result.status = x->status;
		p->waits &= ~(unsigned)WAIT_EXIT;
	}
	return n;
}

/* All exits are recorded before any callback runs: that may begin the next
 * program, or drop one. */
static void on_exits(void *arg)
{
	struct client_programs *ps = arg;
	struct process_exit x;
	struct list *node;
	size_t left = 0;

	while (exit_source_next(ps->exits, &x) > 0)
		left = record_exit(ps, &x);
	while (left-- > 0 && (node = list_pop(&ps->running))) {
		list_add_tail(&ps->running, node);
		program_pump(list_entry(node, struct program, link));
	}
}

static int program_set_input(
	struct program *p, const struct client_program_spec *spec)
{
	if (!spec->input_n)
		return 0;
	p->input = malloc(spec->input_n);
	if (!p->input)
		return -ENOMEM;
	memcpy(p->input, spec->input, spec->input_n);
	p->input_n = spec->input_n;
	return 0;
}

static int program_set_deadline(struct program *p, struct event_base *base)
{
	struct timeval tv = {p->timeout_ms / 1000, p->timeout_ms % 1000 * 1000};

	if (!p->timeout_ms)
		return 0;
	p->deadline = evtimer_new(base, on_deadline, p);
	if (!p->deadline || event_add(p->deadline, &tv) < 0)
		return -ENOMEM;
	return 0;
}

static int program_watch(struct program *p)
{
	int r = 0;

	if (p->in) {
		stream_set_cb(p->in, on_in, p);
		r = stream_watch(p->in, STREAM_WRITE);
	}
	if (r < 0 || !p->out.stream)
		return r;
	stream_set_cb(p->out.stream, on_out, p);
	stream_set_cb(p->err_out.stream, on_err_out, p);
	r = stream_watch(p->out.stream, STREAM_READ);
	if (r == 0)
		r = stream_watch(p->err_out.stream, STREAM_READ);
	return r;
}

static int program_pipes(struct program *p, struct event_base *base,
	const struct client_program_spec *spec, struct process_spec *ps)
{
	int r = 0;

	if (spec->input)
		r = stream_pipe_to_child(base, &p->in, &ps->endpoints[0]);
	if (r < 0 || spec->discard)
		return r;
	r = stream_pipe_from_child(base, &p->out.stream, &ps->endpoints[1]);
	if (r == 0)
		r = stream_pipe_from_child(
			base, &p->err_out.stream, &ps->endpoints[2]);
	return r;
}

static int program_spawn(struct program *p, struct event_base *base,
	const struct client_program_spec *spec, struct err *e)
{
	struct process_spec ps = {.argv = spec->argv,
		.envp = spec->envp,
		.cwd = spec->cwd,
		.own_group = true};
	int i, r;

	r = program_pipes(p, base, spec, &ps);
	if (r == 0)
		r = program_watch(p);
	if (r < 0)
		err_sys(e, r, "pipes for '%s'", p->name);
	else
		r = process_spawn(&ps, &p->pid, e);
	for (i = 0; i < 3; i++)
		endpoint_close(ps.endpoints[i]);
	return r;
}

int client_program_run(struct client *c, const struct client_program_spec *spec,
	client_program_cb cb, void *arg, struct err *e)
{
	struct client_programs *ps = client_programs_of(c);
	struct program *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_sys(e, -ENOMEM, "run '%s'", spec->argv[0]);
	list_add_tail(&ps->running, &p->link);
	snprintf(p->name, sizeof(p->name), "%s", spec->argv[0]);
	p->waits = spec->discard ? 0 : WAIT_OUT | WAIT_ERR;
	p->timeout_ms = spec->timeout_ms;
	p->cb = cb;
	p->arg = arg;
	r = program_set_input(p, spec);
	if (r == 0)
		r = program_set_deadline(p, ps->base);
	if (r < 0)
		err_sys(e, r, "run '%s'", p->name);
	else
		r = program_spawn(p, ps->base, spec, e);
	if (r < 0) {
		program_free(p);
		return r;
	}
	p->waits |= WAIT_EXIT;
	return 0;
}

void client_program_drop(struct client *c, const void *arg)
{
	struct list *all = &client_programs_of(c)->running, *node, *next;

	for (node = all->next; node != all; node = next) {
		struct program *p = list_entry(node, struct program, link);

		next = node->next;
		if (p->arg != arg)
			continue;
		program_kill(p);
		program_free(p);
	}
}

void client_program_last_line(
	const char *text, size_t n, char *buf, size_t buf_n)
{
	size_t end = n, start;

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	for (start = end; start > 0 && text[start - 1] != '\n'; start--)
		;
	snprintf(buf, buf_n, "%.*s", (int)(end - start), text + start);
}

int client_programs_new(
	struct event_base *base, struct client_programs **ret, struct err *e)
{
	struct client_programs *ps = calloc(1, sizeof(*ps));
	int r;

	if (!ps)
		return err_sys(e, -ENOMEM, "client");
	ps->base = base;
	list_init(&ps->running);
	r = exit_source_new(base, on_exits, ps, &ps->exits, e);
	if (r < 0) {
		free(ps);
		return r;
	}
	*ret = ps;
	return 0;
}

void client_programs_free(struct client_programs *ps)
{
	struct list *node;

	if (!ps)
		return;
	while ((node = list_pop(&ps->running))) {
		struct program *p = list_entry(node, struct program, link);

		program_kill(p);
		program_free(p);
	}
	exit_source_free(ps->exits);
	free(ps);
}
