/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - `wispctl spec check`: what is wrong with a config.json, and where.
 *
 * An error is what a runtime refuses, or what the specification forbids (it
 * is named in the table of check_schema.c, or where the rule is checked); a
 * warning is what it takes and somebody will be sorry for. Everything is
 * reported, not only the first.
 */
#ifndef WISP_CTL_CHECK_H
#define WISP_CTL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/spec/doc.h"
#include "platform/err.h"

#define CHECK_FINDINGS_MAX 500

enum check_level { CHECK_WARNING, CHECK_ERROR };

struct check_finding {
	enum check_level level;
	size_t at; /* in the text */
	char *path;
	char *message; /* path included */
	char *hint;    /* NULL: none */
};

enum check_os { CHECK_ANY_OS, CHECK_LINUX, CHECK_WINDOWS };

struct check {
	struct doc doc;
	enum check_os os; /* by what rules; CHECK_ANY_OS: as the sections say */
	const char *bundle; /* absolute; NULL: look at no file of this host */
	struct check_finding *findings;
	size_t n, n_errors, n_left_out;
	bool no_memory;
};

/* Looks at the text, which must stay. Then c->findings are there, sorted by
 * place. -ENOMEM only: what is wrong with the text is in the findings. Set os
 * and bundle before; check_clear() after. */
int check_text(struct check *c, const char *text, size_t n);
void check_clear(struct check *c);

/* For the checks: a finding about a value; the message is "<path> <text>". */
void check_error(struct check *c, const struct doc_node *v, const char *fmt,
	...) ERR_PRINTF(3, 4);
void check_warn(struct check *c, const struct doc_node *v, const char *fmt, ...)
	ERR_PRINTF(3, 4);
/* About a member that is not there: "<path of v>.<key> <text>". */
void check_missing(struct check *c, const struct doc_node *v, const char *key,
	const char *fmt, ...) ERR_PRINTF(4, 5);
/* About a member's name. */
void check_warn_key(struct check *c, const struct doc_node *v, const char *fmt,
	...) ERR_PRINTF(3, 4);
/* names_nearest(), as long as anybody will see it: it takes time. */
const char *check_nearest(
	const struct check *c, const char *const *list, const char *name);
/* Whether one more finding is only counted. */
bool check_is_full(const struct check *c);
/* What to do about the last finding. */
void check_hint(struct check *c, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The parts, each for values of the right type only: others have been told. */
void check_schema(struct check *c);     /* check_schema.c */
void check_version(struct check *c);    /* check_process.c */
void check_process(struct check *c);    /* check_process.c */
void check_privileges(struct check *c); /* check_privileges.c */
void check_mounts(struct check *c);     /* check_mounts.c */
void check_root(struct check *c);       /* check_root.c */
void check_hooks(struct check *c);      /* check_root.c */
void check_linux(struct check *c);      /* check_linux.c */
void check_namespaces(struct check *c); /* check_namespaces.c */
void check_resources(struct check *c);  /* check_resources.c */
void check_seccomp(struct check *c);    /* check_seccomp.c */
void check_syscalls(struct check *c);   /* check_syscalls.c */
void check_windows(struct check *c);    /* check_windows.c */

/* Whether the spec asks for a namespace of that type, of its own or another's;
 * *path: the other's, or NULL. check_namespaces.c */
bool check_has_namespace(
	const struct check *c, const char *type, const char **path);

/* check_command.c: `wispctl spec check`, argv from "check" on. */
int check_command(int argc, char **argv);

/* check_show.c: on stdout. file: how messages call it. */
void check_show(const struct check *c, const char *file);
int check_show_json(const struct check *c, const char *file);

#endif
