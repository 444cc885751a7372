/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/proc.h"
#include "client/fifo.h"

#define CHUNK 65536 /* a pipe's size: pipe(7) */
#define STUCK_MS 10000

static const char *const cat[] = {"/bin/cat", NULL};

struct flow {
	int to, from; /* stdin's and stdout's FIFO */
	int err;  /* stderr's: nothing comes, but the Go shim waits for us */
	int null; /* where output goes, without passing through us */
	size_t all, put, got; /* bytes */
};

static int feed(struct flow *f)
{
	static const char zeros[CHUNK];
	size_t n = f->all - f->put;
	ssize_t r = write(f->to, zeros, n < CHUNK ? n : CHUNK);

	if (r > 0)
		f->put += (size_t)r;
	return r < 0 && errno != EAGAIN ? -errno : 0;
}

static int drain(struct flow *f)
{
	ssize_t r = splice(f->from, NULL, f->null, NULL, CHUNK,
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (r > 0)
		f->got += (size_t)r;
	if (r == 0)
		return -EPIPE;
	return r < 0 && errno != EAGAIN ? -errno : 0;
}

/* Not in the event loop: only the shim's own speed should show. */
static int flow_run(struct flow *f)
{
	int r = 0;

	while (r == 0 && f->got < f->all) {
		struct pollfd p[2] = {{f->from, POLLIN, 0},
			{f->put < f->all ? f->to : -1, POLLOUT, 0}};

		if (poll(p, 2, STUCK_MS) <= 0)
			return errno == EINTR ? -EINTR : -ETIMEDOUT;
		if (p[0].revents)
			r = drain(f);
		if (r == 0 && p[1].revents)
			r = feed(f);
	}
	return r;
}

static int flow_open(struct flow *f, const struct bench_box *b, struct err *e)
{
	f->from = client_fifo_open_output(b->stdout_path, e);
	if (f->from < 0)
		return f->from;
	f->err = client_fifo_open_output(b->stderr_path, e);
	if (f->err < 0)
		return f->err;
	f->to = client_fifo_open_input(b->stdin_path, e);
	if (f->to < 0)
		return f->to;
	f->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return f->null < 0 ? err_sys(e, -errno, "/dev/null") : 0;
}

static void flow_close(struct flow *f)
{
	const int fds[] = {f->from, f->to, f->err, f->null};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int flow_measure(struct bench_box *b, struct bench_shim *s,
	struct flow *f, struct err *e)
{
	double cpu = bench_proc_cpu_s(b->shim_pid), begun = bench_now_ms();
	int r = flow_run(f);

	if (r < 0)
		return err_sys(
			e, r, "%s: bytes through stdin and stdout", s->path);
	bench_samples_add(
		&s->mb_per_s, (double)f->all / 1e3 / (bench_now_ms() - begun));
	cpu = bench_proc_cpu_s(b->shim_pid) - cpu;
	bench_samples_add(&s->cpu_s_per_gb, cpu / ((double)f->all / 1e9));
	return 0;
}

static int measure_shim(struct bench_world *w, struct bench_shim *s,
	const struct bench_options *o, struct err *e)
{
	struct flow f = {-1, -1, -1, -1, (size_t)o->mib << 20, 0, 0};
	struct bench_box *b;
	double ms;
	int r = bench_box_new(w, s->path, cat, true, &b, e);

	if (r < 0)
		return r;
	r = flow_open(&f, b, e);
	if (r == 0)
		r = bench_box_start_shim(b, &ms, e);
	if (r == 0)
		r = bench_box_create(b, &ms, e);
	if (r == 0)
		r = bench_box_start(b, &ms, e);
	if (r == 0)
		r = flow_measure(b, s, &f, e);
	flow_close(&f);
	bench_box_free(b);
	return r;
}

int bench_measure_streams(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e)
{
	unsigned i, n;
	int r = 0;

	for (i = 0; r == 0 && i < o->streams; i++) {
		bench_progress("throughput", i, o->streams);
		for (n = 0; r == 0 && n < x->n_shims; n++)
			r = measure_shim(
				w, &x->shims[(i + n) % x->n_shims], o, e);
	}
	return r;
}
