/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_look.h - what there is of a shim, and on the host because of it, at
 * one moment: by platform/look.h, and by what else the system has to show, like
 * proc(5) and the cgroup file systems.
 */
#ifndef WISP_CTL_STRESS_LOOK_H
#define WISP_CTL_STRESS_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stress_class {
	/* in the shim's process */
	STRESS_FD_PIPE,
	STRESS_FD_FIFO,
	STRESS_FD_SOCKET,
	STRESS_FD_EVENTFD,
	STRESS_FD_INOTIFY,
	STRESS_FD_FILE,
	STRESS_FD_PROCESS,
	STRESS_FD_THREAD,
	STRESS_FD_JOB,
	STRESS_FD_OTHER, /* pidfds, epoll, timers, ... */
	STRESS_WATCHES,  /* of inotify(7) */
	STRESS_CHILDREN,
	STRESS_ZOMBIES,
	/* on the host */
	STRESS_PROCESSES,
	STRESS_MOUNTS,
	STRESS_CGROUPS,
	STRESS_SOCKETS,
	STRESS_FILES,    /* in bundle, state and the runtime's folder */
	STRESS_LEAVINGS, /* in the bundles of deleted containers, together */
	STRESS_N_CLASSES,
};

/* For people, and as a key in JSON. NULL: there is none on this system. */
const char *stress_class_title(enum stress_class c);
const char *stress_class_key(enum stress_class c);

/* What each of them is, so that a leak can be shown. */
struct stress_items {
	char **items;
	size_t n, size;
};
void stress_items_add(struct stress_items *x, const char *item);
bool stress_items_have(const struct stress_items *x, const char *item);
void stress_items_clear(struct stress_items *x);

struct stress_look {
	unsigned count[STRESS_N_CLASSES];
	struct stress_items items[STRESS_N_CLASSES];
	unsigned fds, threads;
	double pss, own, rss; /* KiB */
	bool gone;            /* there is no such shim process any more */
};
void stress_look_clear(struct stress_look *l);
/* Counts one; items beyond a few thousand are only counted. */
void stress_look_add(
	struct stress_look *l, enum stress_class c, const char *item);

/* Where to look. */
struct stress_where {
	int64_t shim;        /* its process; 0: none */
	const char *tag;     /* in the name of all that is ours */
	const char *dir;     /* all our folders */
	const char *rootfs;  /* not looked into */
	const char *bundle;  /* of the container that stays */
	const char *runtime; /* the OCI runtime's own state */
	const char *events;  /* our socket: its ends are ours */
	const struct stress_items *addresses; /* of all shims so far */
};

/* What is open, by system: its class, a word for its number, and what of
 * interest is in it. */
struct look_open;
enum stress_class stress_class_of(int64_t pid, const struct look_open *o);
extern const char *const stress_open_word;
void stress_look_into(
	struct stress_look *l, int64_t pid, int number, enum stress_class c);

/* Adds the shim's own; the host's, by system. */
void stress_look_shim(struct stress_look *l, const struct stress_where *w);
void stress_look_host(struct stress_look *l, const struct stress_where *w);

/* Adds every file below a folder. */
void stress_look_tree(
	struct stress_look *l, enum stress_class c, const char *dir);

#endif
