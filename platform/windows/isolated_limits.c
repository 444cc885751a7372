/* SPDX-License-Identifier: Apache-2.0 */
/* New limits for a compute system. */
#include <stdlib.h>

#include "platform/windows/hcs_document.h"
#include "platform/windows/isolated_parts.h"

static void limited(struct step *s, struct hcs_answer *a);

static bool same_cpu(
	const struct container_limits *a, const struct container_limits *b)
{
	return a->cpu_count == b->cpu_count &&
	       a->cpu_maximum == b->cpu_maximum &&
	       a->cpu_weight == b->cpu_weight;
}

/* Memory, then CPU, as far as they are to be others; 0: nothing is left. */
static int limit_next(struct step *s, struct err *e)
{
	struct isolated *i = s->i;
	bool memory = s->limits.memory_bytes != i->limits.memory_bytes;
	wchar_t *document;
	HRESULT hr;
	int r;

	if (!memory && same_cpu(&s->limits, &i->limits))
		return 0;
	r = memory ? hcs_memory_document(&s->limits, &document, e)
		   : hcs_processor_document(&s->limits, &document, e);
	if (r < 0)
		return r;
	r = step_ask(s, false, memory ? "limit memory of" : "limit CPU of",
		HCS_SHORT_MS, limited, e);
	if (r == 0) {
		hr = i->api->HcsModifyComputeSystem(
			i->system, hcs_call_operation(s->call), document, NULL);
		r = hcs_call_begun(s->call, hr, e);
		if (r < 0)
			s->call = NULL;
	}
	free(document);
	return r < 0 ? r : CONTAINER_LATER;
}

static void limited(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0) {
		if (s->limits.memory_bytes != i->limits.memory_bytes) {
			i->limits.memory_bytes = s->limits.memory_bytes;
		} else {
			i->limits = s->limits;
		}
		r = limit_next(s, &e);
	}
	if (r != CONTAINER_LATER)
		step_done(s, r, 0, &e);
}

int isolated_limit(struct isolated *i, const struct container_limits *limits,
	const struct container_later *later, struct err *e)
{
	struct step *s;
	int r = hcs_check_limits(limits, e);

	if (r < 0)
		return r;
	if (i->vm)
		return err_set(e, -ENOSYS,
			"the limits of a Linux container in a virtual machine "
			"can't be changed");
	if (!i->system || i->exited)
		return isolated_missing(i, e);
	s = step_new(i, later, e);
	if (!s)
		return -ENOMEM;
	s->limits = *limits;
	r = limit_next(s, e);
	if (r != CONTAINER_LATER)
		step_free(s);
	return r;
}
