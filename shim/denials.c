/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/denials.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "shim/bundle.h"
#include "shim/denials_tell.h"
#include "platform/json_write.h"

#define KINDS 64
#define PROGRAM_MAX (SECCOMP_INSNS_MAX * SECCOMP_INSN_SIZE)

/* New kinds that may be told: so many at once, and so many in a second. */
#define BURST 64
#define PER_SECOND 8

#define PAUSE_MAX_S 10

struct denials {
	struct event_base *base; /* borrowed */
	struct seccomp_filter *filter;
	struct denials_teller teller;
	struct event *timer; /* tells what is untold */
	unsigned pause_s;
	struct denial kinds[KINDS];
	unsigned n_kinds;
	struct denial *current; /* what decide() has found; NULL: no room */
	bool is_denied;         /* the call that decide() looked at */
	uint64_t denied, others, others_untold, allowed;
	unsigned tokens;
	time_t tokens_at;
};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool take_token(struct denials *d)
{
	time_t now = now_s();
	uint64_t more = (uint64_t)(now - d->tokens_at) * PER_SECOND;

	d->tokens_at = now;
	d->tokens =
		d->tokens + more > BURST ? BURST : d->tokens + (unsigned)more;
	if (d->tokens == 0)
		return false;
	d->tokens--;
	return true;
}

static void tell_others(struct denials *d)
{
	if (d->others_untold == 0)
		return;
	denials_tell_others(&d->teller, d->others_untold);
	d->others_untold = 0;
}

static void keep_file_small(struct denials *d)
{
	if (denials_file_is_full(&d->teller))
		denials_file_renew(&d->teller, d->kinds, d->n_kinds);
}

/* Whether there was something to tell. */
static bool tell_all(struct denials *d)
{
	bool told = d->others_untold > 0;
	unsigned i;

	for (i = 0; i < d->n_kinds; i++) {
		told |= d->kinds[i].untold > 0;
		denials_tell(&d->teller, &d->kinds[i]);
	}
	tell_others(d);
	keep_file_small(d);
	return told;
}

static void arm(struct denials *d)
{
	struct timeval tv = {.tv_sec = d->pause_s};

	if (!event_pending(d->timer, EV_TIMEOUT, NULL))
		event_add(d->timer, &tv); /* else the next denial tries again */
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct denials *d = arg;

	(void)fd;
	(void)what;
	if (!tell_all(d)) {
		d->pause_s = 1;
		return;
	}
	d->pause_s =
		d->pause_s * 2 > PAUSE_MAX_S ? PAUSE_MAX_S : d->pause_s * 2;
	arm(d);
}

/* The profile's filter, as it would have been without us. */
static int load_filter(struct denials *d, const char *bundle, struct err *e)
{
	auto_free char *program = NULL;
	char path[BUNDLE_PATH_MAX];
	size_t n;
	int r = bundle_path(bundle, DENIALS_FILTER, path);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	r = file_read(path, PROGRAM_MAX, &program, &n, e);
	if (r < 0)
		return r;
	r = seccomp_filter_new(program, n, &d->filter);
	return r < 0 ? err_set(e, r, "'%s' is no seccomp filter", path) : 0;
}

int denials_new(struct event_base *base, const char *id, const char *bundle,
	struct denials **ret, struct err *e)
{
	struct denials *d = calloc(1, sizeof(*d));
	int r;

	if (d)
		d->timer = event_new(base, -1, 0, on_timer, d);
	if (!d || !d->timer) {
		free(d);
		return err_set(e, -ENOMEM, "no memory for seccomp denials");
	}
	d->base = base;
	d->pause_s = 1;
	d->tokens = BURST;
	d->tokens_at = now_s();
	d->teller = (struct denials_teller){
		.base = base, .id = id, .bundle = bundle};
	bundle_remove(bundle, DENIALS_FILE);
	r = load_filter(d, bundle, e);
	if (r < 0)
		denials_free(d);
	else
		*ret = d;
	return r;
}

static bool same_call(const struct denial *k, const struct seccomp_call *call)
{
	return k->call.arch == call->arch && k->call.nr == call->nr;
}

static bool same_kind(const struct denial *k, const struct seccomp_call *call,
	uint32_t verdict)
{
	unsigned i;

	if (!same_call(k, call) || k->verdict != verdict ||
		strcmp(k->call.comm, call->comm) != 0)
		return false;
	for (i = 0; i < SECCOMP_ARGS; i++)
		if (k->words.compared & 1U << i &&
			k->call.args[i] != call->args[i])
			return false;
	return true;
}

/* A free place, or that of the kind that has been silent for longest. */
static struct denial *find_room(struct denials *d)
{
	struct denial *oldest = &d->kinds[0];
	unsigned i;

	if (d->n_kinds < KINDS)
		return &d->kinds[d->n_kinds++];
	for (i = 1; i < KINDS; i++)
		if (d->kinds[i].last_s < oldest->last_s)
			oldest = &d->kinds[i];
	denials_tell(&d->teller, oldest);
	return oldest;
}

static struct denial *find_kind(
	struct denials *d, const struct seccomp_call *call, uint32_t verdict)
{
	const struct denial *alike = NULL;
	struct denials_words words;
	struct denial *k;
	unsigned i;

	for (i = 0; i < d->n_kinds; i++) {
		if (same_kind(&d->kinds[i], call, verdict))
			return &d->kinds[i];
		if (same_call(&d->kinds[i], call))
			alike = &d->kinds[i];
	}
	if (!take_token(d))
		return NULL;
	if (alike)
		words = alike->words;
	else
		denials_find_words(&d->teller, call, &words);
	k = find_room(d);
	memset(k, 0, sizeof(*k));
	k->call = *call;
	k->verdict = verdict;
	k->words = words;
	denials_describe(&d->teller, k);
	return k;
}

uint32_t denials_decide(const struct seccomp_call *call, void *arg)
{
	struct denials *d = arg;
	uint32_t verdict = seccomp_filter_says(d->filter, call);

	d->is_denied = (verdict & ~SECCOMP_SAYS_DATA) == SECCOMP_SAYS_ERRNO;
	d->current = d->is_denied ? find_kind(d, call, verdict) : NULL;
	return verdict;
}

void denials_answered(void *arg)
{
	struct denials *d = arg;
	struct denial *k = d->current;

	if (!d->is_denied) {
		d->allowed++;
		return;
	}
	d->denied++;
	if (!k) {
		d->others++;
		d->others_untold++;
		arm(d);
		return;
	}
	k->total++;
	k->untold++;
	k->last_s = now_s();
	if (k->total > 1) {
		arm(d);
		return;
	}
	denials_tell(&d->teller, k);
	keep_file_small(d);
}

void denials_put(const struct denials *d, struct json_out *o)
{
	json_number(o, "denied", (int64_t)d->denied);
	json_number(o, "kinds", d->n_kinds);
	json_number(o, "unnamed", (int64_t)d->others);
	json_number(o, "allowed", (int64_t)d->allowed);
}

void denials_free(struct denials *d)
{
	if (!d)
		return;
	tell_all(d);
	denials_file_close(&d->teller);
	seccomp_filter_free(d->filter);
	event_free(d->timer);
	free(d);
}
