/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - run a container where no OCI runtime does it.
 *
 * Windows has two ways: a job object (host-process containers: the processes
 * see the host, and end together), and the host compute service (process
 * isolation: they have files, a registry and a network of their own). Which one
 * is chosen when a container is made; after that both are used alike. On Linux
 * there is none: -ENOSYS.
 *
 * Processes come out of here like those of process_spawn(): known by pid, and
 * their exits come to the exit_source.
 *
 * The service takes its time. What depends on it returns 0 when it is done, or
 * CONTAINER_LATER: then later->done() runs once, from the loop or inside
 * container_free() (-ECANCELED), unless the function itself failed. Nothing
 * that is passed in needs to outlive the call, but endpoints and console must
 * stay until it is done.
 */
#ifndef WISP_PLATFORM_CONTAINER_H
#define WISP_PLATFORM_CONTAINER_H

#include <stdbool.h>

#include "platform/console.h"
#include "platform/process.h"

struct container;
struct guest;
struct isolation;

#define CONTAINER_LATER 1

/* pid: of container_create(), _start() and _exec(), as *ret_pid. */
struct container_later {
	void (*done)(int r, int64_t pid, const struct err *e, void *arg);
	void *arg;
};

/* 0: no limit. Of those of the CPU one at most may be set. */
struct container_limits {
	uint64_t memory_bytes;  /* committed by all processes together */
	uint32_t cpu_count;     /* as much as so many have */
	uint32_t cpu_maximum;   /* in 1/100 percent of all that there are */
	uint32_t cpu_weight;    /* 1 to 10000, relative to others */
	uint64_t io_bandwidth;  /* bytes in a second, of each volume */
	uint64_t io_operations; /* in a second */
};

/* A folder or a file that its processes see at destination, too. */
struct container_mount {
	const char *source, *destination;
	bool read_only;
};

/* Everything is borrowed for the call. */
struct container_config {
	const char *id;
	/* A file that tells container_forget() what has been made outside of
	 * this process: accounts, links. It goes with the container. */
	const char *notes;
	const char *root; /* its files: a folder, or a volume; NULL: none */
	/* Where its processes are to see root, or NULL: C:\hpc where each
	 * container can have its own, else C:\hpc\<id> (with a location of
	 * its own: <location>\<id>). */
	const char *root_location;
	const struct container_mount *mounts;
	size_t n_mounts;
	const char *user;  /* its processes' account, or a local group; NULL */
	bool inherit_user; /* whatever user says, they run as this process */
	struct container_limits limits;
};

struct container_program {
	/* argv, endpoints; cwd, which is made if it is not there (NULL: root,
	 * or C:\ with isolation); envp comes on top of what its user has */
	struct process_spec process;
	const char *command_line; /* verbatim, instead of argv; NULL: none */
	struct console *console;  /* instead of the endpoints; NULL: none */
	/* of the container's; only with isolation. NULL: its default */
	const char *user;
	uint32_t width, height; /* of the console; 0: the usual */
	/* Instead of all but endpoints and console, for one more process in a
	 * virtual machine: it as JSON (config.md, "Process"). NULL: none */
	const char *json;
};

/* Without a process yet: one of a job, or, with isolation, of the host compute
 * service. -EEXIST: there is one of that name, or what is left of it has not
 * ended. -ENOSYS: what is asked for is not there. */
int container_new(const struct container_config *config, struct container **ret,
	struct err *e);
int container_new_isolated(struct event_base *base, const char *id,
	const struct container_limits *limits, const struct isolation *iso,
	struct container **ret, struct err *e);

/* A Linux container, in a virtual machine (guest.h). Limits can't be changed:
 * -ENOSYS. */
int container_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct container **ret, struct err *e);

/* Where its processes see root, without a '\' at the end: borrowed. NULL: it
 * has none, or a view of its own. */
const char *container_root(const struct container *c);

/* Makes the first process, of which not an instruction runs before
 * container_start(); cgroup_open() of its pid leads to the container. The pid
 * is 0 if there can't be a process before the start. */
int container_create(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e);

/* Of p, endpoints and console are used, if there was no process until now:
 * those that container_create() had. */
int container_start(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e);

/* One more process. */
int container_exec(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e);

/* Sends a signal (process_ref_signal()) to every process. -ESRCH: there is
 * none, else what the last one that refused it said. */
int container_signal(struct container *c, uint32_t signal);

/* 0 if there is such a signal, and the container has no process yet that could
 * get it: it will never need one. -EBUSY. */
int container_signal_early(struct container *c, uint32_t signal);

int container_limit(struct container *c, const struct container_limits *limits,
	const struct container_later *later, struct err *e);

/* Ends what is left in it; done when it has ended. */
int container_end(struct container *c, const struct container_later *later,
	struct err *e);

/* Ends what is left in it, without waiting, and undoes what was made for it.
 * NULL is fine. */
void container_free(struct container *c);

/* One that another process has made, or had: what its notes tell of. NULL
 * without notes. It can be ended, and freed: nothing else. Whoever has it finds
 * that it has ended (with 255, if it is a job; the host compute service's way
 * otherwise). Ending a job waits. */
int container_lost(struct event_base *base, const char *id, const char *notes,
	struct container **ret, struct err *e);

/* The same where the process that had it is gone: what its notes tell of is
 * undone. Without notes there is nothing to do. The first thing that can't be
 * undone is told; the others are undone all the same. */
int container_forget(const char *notes, struct err *e);

#endif
