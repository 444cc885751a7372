/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.h - get events to the daemon: in order, and until it has them.
 *
 * Events wait in a queue. The oldest is sent, and only when the daemon has
 * acknowledged it does the next one go. If the daemon is away, the queue is
 * kept and tried again, at growing intervals; while the queue is empty there
 * is no timer. The queue's memory is bounded: past that the oldest events that
 * may be missed are given up, counted and logged. An exit may not.
 *
 * They go by ttrpc to the address in TTRPC_ADDRESS (the Events service's
 * Forward), or, with no such address, by running the daemon's own binary with
 * `publish` for each one.
 */
#ifndef WISP_SHIM_PUBLISH_H
#define WISP_SHIM_PUBLISH_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct reaper;
struct publisher;
struct publisher_event;

struct publisher_config {
	const char *ns;            /* namespace */
	const char *ttrpc_address; /* NULL or "": use the binary */
	const char *binary;        /* NULL or "": events go nowhere then */
	const char *grpc_address;  /* for the binary */
};

/* More than this many bytes of events do not wait. */
#define PUBLISHER_BYTES_MAX (1024 * 1024)

/* Everything in config is borrowed for the publisher's life. NULL: no memory.
 */
struct publisher *publisher_new(struct event_base *base, struct reaper *reaper,
	const struct publisher_config *config);

/*
 * Room for an event of up to `size` packed bytes, so that publishing it later
 * can't fail for want of memory. It may never be evicted. part, if not NULL, is
 * what is known of the event already: packed now, in front of those `size`
 * bytes, and merged with the rest by whoever unpacks both (protobuf's encoding
 * guide, "Last One Wins").
 */
struct publisher_event *publisher_reserve(
	const ProtobufCMessage *part, size_t size);
void publisher_unreserve(struct publisher_event *ev);

/* Queues an event; topic and type_name ("containerd.events.TaskExit") are
 * static. If there is no memory the event is lost, and that is logged. */
void publisher_send(struct publisher *p, const char *topic,
	const char *type_name, const ProtobufCMessage *event);

/* The same, into room that was reserved, which is consumed. */
void publisher_send_reserved(struct publisher *p, struct publisher_event *room,
	const char *topic, const char *type_name,
	const ProtobufCMessage *event);

/* The daemon has shown a sign of life: try again at once. */
void publisher_poke(struct publisher *p);

/* True when the daemon has got everything. */
bool publisher_is_flushed(const struct publisher *p);

/* Runs cb from the loop each time that becomes true. */
void publisher_on_flushed(
	struct publisher *p, void (*cb)(void *arg), void *arg);

/* What waits, and what was lost. */
size_t publisher_waiting(const struct publisher *p);
size_t publisher_lost(const struct publisher *p);

/* For people who look. */
struct publisher_state {
	size_t waiting, bytes, lost;
	uint64_t oldest_ms;  /* how long the first one has waited */
	const char *topic;   /* the first one's; NULL: none waits */
	bool sending;        /* it is on its way */
	bool connected;      /* by ttrpc */
	unsigned refusals;   /* of the first one */
	const char *failure; /* why an event did not go last; NULL: none */
	uint64_t failed_ms;  /* how long ago that was */
};
void publisher_look(const struct publisher *p, struct publisher_state *ret);

void publisher_free(struct publisher *p);

#endif
