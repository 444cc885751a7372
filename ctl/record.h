/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - container.json: what it takes to find a container again, and to
 * clean up after it, when whoever ran it is gone.
 */
#ifndef WISP_CTL_RECORD_H
#define WISP_CTL_RECORD_H

#include "client/container.h"
#include "client/shim.h"
#include "ctl/place.h"

struct ctl_record {
	struct client_container container; /* strings: see ctl_record_read() */
	char address[512];  /* of the shim; "" before it has started */
	unsigned version;   /* of its API */
	const char *rootfs; /* a tree we made, to be removed; NULL: none */
	const char *cgroup; /* ours to remove; NULL: the bundle says where */
	/* A Create may be under way; not in the file, but so for all that is
	 * read from one. */
	bool creating;
	bool keep; /* bundle and rootfs stay when it has ended */
	/* A keeper (keep.h) has it, or is to be started again: it is not left
	 * over as long as its shim lives. */
	bool detached;
	bool remove; /* its keeper deletes it when it has ended */
	bool terminal, interactive;
	void *text; /* ctl_record_read()'s */
};

int ctl_record_write(
	const struct ctl_place *p, const struct ctl_record *r, struct err *e);

/* Strings point into memory that ctl_record_clear() frees. */
int ctl_record_read(
	const struct ctl_place *p, struct ctl_record *ret, struct err *e);
void ctl_record_clear(struct ctl_record *r);

#endif
