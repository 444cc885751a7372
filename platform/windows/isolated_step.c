/* SPDX-License-Identifier: Apache-2.0 */
/* What the host compute service has been asked for, and who waits for it. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/isolated_parts.h"

struct step *step_new(
	struct isolated *i, const struct container_later *later, struct err *e)
{
	struct step *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(e, -ENOMEM, "no memory for container '%s'", i->id);
		return NULL;
	}
	s->i = i;
	if (later)
		s->later = *later;
	s->next = i->steps;
	i->steps = s;
	return s;
}

void step_free(struct step *s)
{
	struct step **at = &s->i->steps;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	hcs_call_drop(s->call);
	if (s->timer)
		event_free(s->timer);
	isolated_process_free(s->process);
	free(s);
}

void step_done(struct step *s, int r, int64_t pid, const struct err *e)
{
	struct container_later later = s->later;
	process_told told = s->told;
	void *told_arg = s->told_arg;
	struct err own = {.code = r};

	if (e)
		own = *e;
	step_free(s);
	if (later.done)
		later.done(r, pid, &own, later.arg);
	if (told)
		told(r, &own, told_arg);
}

static void step_answered(struct hcs_answer *a, void *arg)
{
	struct step *s = arg;

	s->call = NULL;
	s->go_on(s, a);
}

int step_ask(struct step *s, bool process, const char *verb,
	uint32_t timeout_ms,
	void (*go_on)(struct step *s, struct hcs_answer *a), struct err *e)
{
	char what[ISOLATED_ID_MAX + 64];
	int r;

	snprintf(what, sizeof(what), "%s '%s'", verb, s->i->id);
	s->go_on = go_on;
	r = process ? hcs_call_new_process(s->i->base, what, timeout_ms,
			      step_answered, s, &s->call, e)
		    : hcs_call_new(s->i->base, what, timeout_ms, step_answered,
			      s, &s->call, e);
	return r;
}

int step_asked(struct step *s, HRESULT hr, struct err *e)
{
	int r = hcs_call_begun(s->call, hr, e);

	if (r < 0) {
		s->call = NULL;
		step_free(s);
	}
	return r;
}
