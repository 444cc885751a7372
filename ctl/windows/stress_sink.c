/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "ctl/stress/stress_system.h"
#include "platform/stream.h"

#define PREFIX "\\\\.\\pipe\\"

static void on_output(struct stream *from, unsigned what, void *arg)
{
	struct stress_sink *s = arg;
	static unsigned char buf[64 << 10];
	ssize_t n = stream_read(from, buf, sizeof(buf));

	(void)what;
	if (n == -EAGAIN)
		return;
	if (n > 0) {
		s->bytes += (uint64_t)n;
		s->sum = stress_sum(s->sum, buf, (size_t)n);
		return;
	}
	s->ended = true;
	s->stream = NULL;
	stream_close(from);
}

int stress_sink_open(struct stress_box *b, int i, struct err *e)
{
	struct stress_sink *s = &b->sinks[i];
	struct endpoint *theirs;
	char name[80];
	int r;

	snprintf(name, sizeof(name), "wispctl-%s-%d", b->id, i + 1);
	r = stream_pipe_by_name(
		b->actor.world->base, name, false, &s->stream, &theirs);
	if (r < 0)
		return err_sys(e, r, "make the pipe '%s'", name);
	endpoint_close(theirs); /* it has a name */
	snprintf(b->out[i], sizeof(b->out[i]), PREFIX "%s", name);
	stream_set_cb(s->stream, on_output, s);
	r = stream_watch(s->stream, STREAM_READ);
	return r < 0 ? err_sys(e, r, "read '%s'", b->out[i]) : 0;
}

void stress_sink_close(struct stress_box *b, int i)
{
	stream_close(b->sinks[i].stream);
	b->sinks[i].stream = NULL;
}
