/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_system.h - what a run stands on that differs by system: stress_linux.c
 * and the files beside it; ctl/windows/stress_*.c.
 */
#ifndef WISP_CTL_STRESS_SYSTEM_H
#define WISP_CTL_STRESS_SYSTEM_H

#include "ctl/stress/stress.h"

/* The exit status of a process that got SIGKILL, and what `delete` tells of one
 * whose shim had died before. */
extern const uint32_t stress_killed, stress_lost;

/* Whether a container that eats memory is killed and told of. */
extern const bool stress_has_oom;

/* For people: how memory is counted that may grow; what a process has open;
 * what is looked at, and what a run needs, in --help. */
extern const char *const stress_memory_name, *const stress_open_name;
extern const char *const stress_help_about, *const stress_help_runtime;
const char *stress_default_root(void);
/* How many bytes a root may have, NUL included. */
extern const size_t stress_root_max;
/* That memory is in part others', too: what is its own is told besides. */
extern const bool stress_memory_is_shared;

/* Whether this user can run it at all; first of all. */
int stress_system_check(const struct stress_options *o, struct err *e);

/* Finds and makes what containers need, besides the folders of a world. */
int stress_system_begin(struct stress_world *w, struct err *e);
/* Removes it. */
void stress_system_end(struct stress_world *w);

/* w->stopped, and the client interrupted, when somebody wants it to end. */
int stress_catch_stop(struct stress_world *w, struct err *e);
void stress_forget_stop(struct stress_world *w);

/* The name of the log of a shim that is started for this box. */
void stress_log_name(const struct stress_box *b, char *ret, size_t n);

/* The text of config.json; group is the anchor's id. */
int stress_config(const struct stress_box *b, const struct stress_box_spec *s,
	const char *group, char **ret, struct err *e);
/* The text of the `process` of an exec in it. */
int stress_process(const struct stress_box *b, enum stress_does does,
	unsigned n, char **ret, struct err *e);

/* Makes what a stream of the container is written to, and reads it. */
int stress_sink_open(struct stress_box *b, int i, struct err *e);
void stress_sink_close(struct stress_box *b, int i);

/* The end of a container and its shim, whatever is left of both. shim: the
 * connection that is there, consumed, or NULL. 0 if nothing is left. */
int stress_release(
	struct stress_box *b, struct client_shim *shim, struct err *e);

#endif
