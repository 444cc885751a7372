/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - events as people, or programs, read them.
 */
#ifndef WISP_CTL_SHOW_H
#define WISP_CTL_SHOW_H

#include <stdbool.h>

#include "client/events.h"

#define CTL_SHOW_MAX 2048

/* A line of text, without a newline, cut if it is too long. */
void ctl_event_text(
	const struct client_event *ev, bool colours, char ret[CTL_SHOW_MAX]);

/* A JSON object, for the caller to free. -ENOMEM. */
int ctl_event_json(const struct client_event *ev, char **ret);

/* One line on stderr: time of day, topic and what the event carries. */
void ctl_show_event(const struct client_event *ev);

/* One line of JSON on stderr, with the same words as keys. */
void ctl_show_event_json(const struct client_event *ev);

#endif
