/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "ctl/run.h"
#include "ctl/say.h"

#define START_PATIENCE_MS 3000
#define HANGUP_PATIENCE_MS 3000
#define SIGNALS_TO_FORCE 3 /* as docker */

static const int caught[CTL_N_SIGNALS] = {
	SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static void send_signal(struct ctl_run *r, int sig, bool all)
{
	client_process_kill(
		client_task_init(r->task), (uint32_t)sig, all, NULL, NULL);
}

static void on_patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_run *r = arg;

	(void)fd;
	(void)what;
	if (r->state == CTL_RUN_RUNNING)
		send_signal(r, SIGKILL, true);
	else
		client_interrupt(r->client, true);
}

void ctl_run_lose_patience(struct ctl_run *r, unsigned ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	if (!r->patience)
		r->patience = evtimer_new(r->base, on_patience_lost, r);
	if (r->patience)
		event_add(r->patience, &tv);
}

/* In the container, init ignores what it has no handler for, as the first
 * process of a pid namespace does: pid_namespaces(7). */
static void signal_running(struct ctl_run *r, int sig)
{
	bool hangup = r->terminal.raw && (sig == SIGHUP || sig == SIGTERM);

	if (r->n_signals == SIGNALS_TO_FORCE)
		ctl_say("signalled %u times: killing the container",
			r->n_signals);
	if (r->n_signals >= SIGNALS_TO_FORCE)
		send_signal(r, SIGKILL, true);
	else
		send_signal(r, sig, false);
	if (hangup)
		ctl_run_lose_patience(r, HANGUP_PATIENCE_MS);
}

/* Remembered, in order of arrival: it is soon passed on. */
static void queue_signal(struct ctl_run *r, int sig)
{
	if (r->n_queued < CTL_N_QUEUED)
		r->queued[r->n_queued++] = sig;
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_run *r = arg;
	bool ends = sig != SIGUSR1 && sig != SIGUSR2;

	(void)what;
	if (ends)
		r->n_signals++;
	if (r->state == CTL_RUN_RUNNING) {
		signal_running(r, (int)sig);
		return;
	}
	if (r->state == CTL_RUN_LAUNCHING)
		queue_signal(r, (int)sig);
	if (!ends)
		return;
	if (r->n_signals >= SIGNALS_TO_FORCE) {
		client_interrupt(r->client, true);
	} else if (r->state != CTL_RUN_ENDING) {
		if (!r->stop_signal)
			r->stop_signal = (int)sig;
		ctl_run_lose_patience(r, START_PATIENCE_MS);
	}
}

void ctl_run_pass_signals(struct ctl_run *r)
{
	unsigned i;

	if (r->patience)
		event_del(r->patience);
	r->stop_signal = 0;
	for (i = 0; i < r->n_queued; i++)
		signal_running(r, r->queued[i]);
	if (r->reader_gone) /* as SIGPIPE would have */
		send_signal(r, SIGKILL, true);
	r->n_queued = 0;
}

void ctl_run_resize(struct ctl_run *r)
{
	uint32_t width, height;

	if (r->o->terminal && ctl_terminal_size(&width, &height))
		client_process_set_size(
			client_task_init(r->task), width, height);
}

static void on_resized(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_run *r = arg;

	(void)sig;
	(void)what;
	if (r->state == CTL_RUN_LAUNCHING || r->state == CTL_RUN_RUNNING)
		ctl_run_resize(r);
}

static bool is_ignored(int sig)
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

int ctl_run_catch_signals(struct ctl_run *r, struct err *e)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN); /* a write tells */
	for (i = 0; i < CTL_N_SIGNALS; i++) {
		if (caught[i] == SIGHUP && is_ignored(SIGHUP))
			continue; /* nohup(1) */
		r->signals[i] = evsignal_new(r->base, caught[i], on_signal, r);
		if (!r->signals[i] || event_add(r->signals[i], NULL) < 0)
			return err_set(e, -1, "cannot catch signals");
	}
	r->resized = evsignal_new(r->base, SIGWINCH, on_resized, r);
	if (!r->resized || event_add(r->resized, NULL) < 0)
		return err_set(e, -1, "cannot catch signals");
	return 0;
}

void ctl_run_ignore_signals(struct ctl_run *r)
{
	sigset_t all;
	size_t i;

	sigfillset(&all); /* libevent would let one through */
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (i = 0; i < CTL_N_SIGNALS; i++) {
		if (r->signals[i])
			event_free(r->signals[i]);
		r->signals[i] = NULL;
	}
	if (r->resized)
		event_free(r->resized);
	if (r->patience)
		event_free(r->patience);
	r->resized = r->patience = NULL;
}
