/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/oneshot.h"

#include <stdio.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "platform/host.h"
#include "reaper/reaper.h"

int oneshot_init(struct oneshot *o, struct err *e)
{
	int r;

	memset(o, 0, sizeof(*o));
	o->base = event_base_new();
	if (!o->base)
		return err_set(e, -ENOMEM, "no event loop");
	r = host_become_shim(e);
	return r < 0 ? r : reaper_new(o->base, &o->reaper, e);
}

void oneshot_done(int r, const struct err *e, void *arg)
{
	struct oneshot *o = arg;

	o->done = true;
	o->r = r;
	if (r < 0)
		o->err = *e;
	event_base_loopbreak(o->base);
}

int oneshot_wait(struct oneshot *o, struct err *e)
{
	while (!o->done)
		if (event_base_dispatch(o->base) < 0)
			return err_set(e, -EIO, "the event loop failed");
	if (o->r < 0)
		*e = o->err;
	return o->r;
}

void oneshot_clear(struct oneshot *o)
{
	reaper_free(o->reaper);
	if (o->base)
		event_base_free(o->base);
}

void oneshot_complain(const char *message)
{
	fprintf(stderr, "containerd-shim-wisp-v1: %s\n", message);
}
