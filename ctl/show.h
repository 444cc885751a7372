/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - events as people, or programs, read them.
 */
#ifndef WISP_CTL_SHOW_H
#define WISP_CTL_SHOW_H

#include "client/events.h"

/* One line on stderr: time of day, topic and what the event carries. */
void ctl_show_event(const struct client_event *ev);

/* One line of JSON on stderr, with the same words as keys. */
void ctl_show_event_json(const struct client_event *ev);

#endif
