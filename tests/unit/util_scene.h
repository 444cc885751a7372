/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_scene.h - a container's stdio, between a client and a process.
 *
 * The test plays both. Time stands still but for scene_pass().
 */
#ifndef WISP_TESTS_UTIL_SCENE_H
#define WISP_TESTS_UTIL_SCENE_H

#include <event2/event.h>

#include "io/stdio.h"

struct scene {
	struct event_base *base;
	struct stdio *stdio;
	struct stdio_config config;
	int proc[3];   /* the process's descriptors */
	int client[3]; /* the client's ends of the FIFOs */
	unsigned drained, drained_again;
};

extern struct scene scene;

void scene_begin(void);
void scene_end(void);

/* FIFOs "in", "out" and "err", and the client's ends of them. Writing needs
 * the shim to be there: fifo(7), ENXIO. */
void scene_make_fifos(void);
void scene_open_client(void);
int scene_open_fifo(const char *path, int flags);

/* By scene.config. */
void scene_open_stdio(void);

/* The process gets its descriptors, as the runtime would give them. */
void scene_start(void);

/* All of that in one. */
void scene_open(void);

/* Both ends are non-blocking. Waits for something to read, and returns at most
 * 255 bytes of it. */
void scene_put(int fd, const char *text);
const char *scene_get(int fd);
bool scene_at_end(int fd);

/* For stdio_drain(): counts in scene.drained. */
void scene_drained(void *scene);

/* Lets time pass, until it is over or drained. Returns how much did. */
int64_t scene_pass(int64_t ms);

#endif
