/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.h - every shim of this host, and the containers of each.
 *
 * Every daemon runs a shim with its namespace and an id on the command line, in
 * the folder of a bundle, and leaves the shim's address there. So the process
 * table tells all shims; the bundles beside theirs tell which containers share
 * one (a pod's). Files are read by way of /proc, so a daemon in a chroot or
 * another mount namespace makes no difference. Nobody is asked, and what
 * vanishes meanwhile is left out.
 */
#ifndef WISP_CTL_SCAN_H
#define WISP_CTL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

#define SCAN_ID_MAX 128

/* What the command line of a shim tells. */
struct scan_words {
	char ns[SCAN_ID_MAX], id[SCAN_ID_MAX];
	char program[64]; /* without its folder */
	char daemon[512]; /* the socket of the daemon that started it, or "" */
};

struct scan_container {
	char id[SCAN_ID_MAX];
	char bundle[1024]; /* its folder, as the shim's process sees it */
	char via[512];     /* the same, as we can open it; "" if it is gone */
	bool made;         /* it has or had a process: init.pid is there */
	int64_t pid;       /* of its init while that runs, else 0 */
};

struct scan_shim {
	struct scan_words words;
	int64_t pid, parent;
	bool is_wisp;
	uint64_t age_ms;
	unsigned threads;
	char folder[64];   /* its working folder, as we can open it */
	char bundle[1024]; /* the same as it sees it */
	char address[512]; /* its socket; "" if its bundle does not tell */
	unsigned version;  /* of its API */
	/* Its own first, with via "" if that bundle is gone. */
	struct scan_container *containers;
	size_t n;
	uint64_t dev, ino; /* of the folder that its bundle is in */
	bool hidden;       /* we may not look into it: we are not its user */
	bool passing;      /* no shim: scan_shims() leaves it out */
};

struct scan {
	struct scan_shim *shims;
	size_t n;
};

/* words: each with a NUL behind it, n bytes in all, of which the last is NUL.
 * False: it is no shim that serves. */
bool scan_parse(const char *words, size_t n, struct scan_words *ret);

/* ns NULL: of all namespaces. -ENOMEM, or that /proc can't be read. */
int scan_shims(const char *ns, struct scan *ret, struct err *e);
void scan_clear(struct scan *s);

#endif
