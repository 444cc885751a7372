/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>

#include "ctl/exec.h"
#include "ctl/say.h"

#define HANGUP_PATIENCE_MS 3000
#define SIGNALS_TO_FORCE 3 /* as docker */

static const int caught[CTL_EXEC_SIGNALS] = {
	SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static void send_signal(struct ctl_exec *x, int sig)
{
	client_process_kill(x->process, (uint32_t)sig, false, NULL, NULL);
}

static void on_patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_exec *x = arg;

	(void)fd;
	(void)what;
	if (!x->over)
		send_signal(x, SIGKILL);
}

static void lose_patience(struct ctl_exec *x)
{
	static const struct timeval tv = {
		HANGUP_PATIENCE_MS / 1000, HANGUP_PATIENCE_MS % 1000 * 1000};

	if (!x->patience)
		x->patience = evtimer_new(x->session.base, on_patience_lost, x);
	if (x->patience)
		event_add(x->patience, &tv);
}

/* The terminal that keys come from has gone, or we are to go: a shell does not
 * end by either. */
static void signal_running(struct ctl_exec *x, int sig)
{
	if (x->n_signals == SIGNALS_TO_FORCE)
		ctl_say("signalled %u times: killing the process",
			x->n_signals);
	send_signal(x, x->n_signals >= SIGNALS_TO_FORCE ? SIGKILL : sig);
	if (x->terminal.raw && (sig == SIGHUP || sig == SIGTERM))
		lose_patience(x);
}

/* Remembered, in order of arrival: it is soon passed on. */
static void queue_signal(struct ctl_exec *x, int sig)
{
	if (x->n_queued < CTL_EXEC_QUEUED)
		x->queued[x->n_queued++] = sig;
}

/* What is waited for is given up. */
static void give_up(struct ctl_exec *x, int sig)
{
	if (!x->stop_signal)
		x->stop_signal = sig;
	client_interrupt(x->session.client, true);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_exec *x = arg;
	bool ends = sig != SIGUSR1 && sig != SIGUSR2;

	(void)what;
	if (ends)
		x->n_signals++;
	if (x->started && !x->over)
		signal_running(x, (int)sig);
	else if (x->launching && x->n_signals < SIGNALS_TO_FORCE)
		queue_signal(x, (int)sig);
	else if (ends)
		give_up(x, (int)sig);
}

void ctl_exec_pass_signals(struct ctl_exec *x)
{
	unsigned i;

	for (i = 0; i < x->n_queued; i++)
		signal_running(x, x->queued[i]);
	x->n_queued = 0;
}

void ctl_exec_resize(struct ctl_exec *x)
{
	uint32_t width, height;

	if (x->o->terminal && ctl_terminal_size(&width, &height))
		client_process_set_size(x->process, width, height);
}

static void on_resized(evutil_socket_t sig, short what, void *arg)
{
	struct ctl_exec *x = arg;

	(void)sig;
	(void)what;
	if (x->started && !x->over)
		ctl_exec_resize(x);
}

static bool is_ignored(int sig)
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

int ctl_exec_catch_signals(struct ctl_exec *x, struct err *e)
{
	size_t i;

	for (i = 0; i < CTL_EXEC_SIGNALS; i++) {
		if (caught[i] == SIGHUP && is_ignored(SIGHUP))
			continue; /* nohup(1) */
		x->signals[i] =
			evsignal_new(x->session.base, caught[i], on_signal, x);
		if (!x->signals[i] || event_add(x->signals[i], NULL) < 0)
			return err_set(e, -1, "cannot catch signals");
	}
	x->resized = evsignal_new(x->session.base, SIGWINCH, on_resized, x);
	if (!x->resized || event_add(x->resized, NULL) < 0)
		return err_set(e, -1, "cannot catch signals");
	return 0;
}

void ctl_exec_ignore_signals(struct ctl_exec *x)
{
	sigset_t all;
	size_t i;

	sigfillset(&all); /* libevent would let one through */
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (i = 0; i < CTL_EXEC_SIGNALS; i++) {
		if (x->signals[i])
			event_free(x->signals[i]);
		x->signals[i] = NULL;
	}
	if (x->resized)
		event_free(x->resized);
	if (x->patience)
		event_free(x->patience);
	x->resized = x->patience = NULL;
}
