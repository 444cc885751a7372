/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h - stand between a container's seccomp profile and its processes,
 * and tell what is denied.
 *
 * A container asks for it by an annotation of its config.json. `wispctl seccomp
 * prepare` then rewrites the profile in it (libseccomp is not linked here: its
 * tables would cost every shim memory): what would fail with an errno is handed
 * to us instead, and nothing else. We answer as the profile as it was says
 * (platform/seccomp.h), and tell (denials.h). An exec has the same filter, and
 * is answered likewise.
 *
 * config.json is the daemon's: it is kept as config.original.json, and put back
 * when the container is released.
 */
#ifndef WISP_SHIM_EXPLAIN_H
#define WISP_SHIM_EXPLAIN_H

#include "platform/err.h"

#define EXPLAIN_ANNOTATION "io.wisp.seccomp.explain"

struct event_base;
struct explain;
struct json_out;
struct reaper;

/* Everything is borrowed. */
struct explain_config {
	struct event_base *base;
	struct reaper *reaper;
	const char *id;
	const char *bundle;
	const char *runtime; /* the OCI runtime: filters differ a little */
};

/* r is 0 also if there is nothing to explain; the log says so. */
typedef void (*explain_cb)(int r, const struct err *e, void *arg);

/* Rewrites the profile; 10 s at the most. ready() runs from the loop, once. */
int explain_new(const struct explain_config *config, explain_cb ready,
	void *arg, struct explain **ret, struct err *e);

/* Ends the rewriting: ready() comes with -ECANCELED. Later it does nothing. */
void explain_cancel(struct explain *x);

/* An object for the dump; nothing if there is nothing to explain. */
void explain_put(const struct explain *x, struct json_out *o);

/* Tells what is untold, removes what was made. Calls that still wait fail with
 * ENOSYS. NULL is fine. */
void explain_free(struct explain *x);

/* What explain_free() would have done to a bundle, if its shim had lived. */
void explain_clean(const char *bundle);

#endif
