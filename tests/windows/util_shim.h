/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_shim.h - the real shim, started as a daemon starts it, and called.
 *
 * WISP_SHIM names the program. The test's folder is the bundle.
 */
#ifndef WISP_TESTS_WINDOWS_UTIL_SHIM_H
#define WISP_TESTS_WINDOWS_UTIL_SHIM_H

#include <protobuf-c/protobuf-c.h>

#include "shim/messages.h"
#include "tests/windows/util_loop.h"
#include "ttrpc/client.h"

struct shim {
	struct event_base *base;
	struct exit_source *source;
	struct ttrpc_client *client;
	char id[64], address[256];
	char message[512]; /* of the last call that failed */
	int64_t pid;       /* of the process that serves */
	/* runs in shim_end(), while there still is a loop; or NULL */
	void (*after_shutdown)(void);
	const char *(*note)(void); /* what the test is about; or NULL */
};

/* Writes config.json: a host-process container that runs this program with
 * these words, and more JSON for the process ("" or ", ..."). */
void bundle_make(const char *const *words, const char *more);

/* Runs a command; its exit status, and what it printed: in out, *n bytes of
 * room before and of text after. */
uint32_t shim_run(struct shim *s, const char *verb, char *out, size_t *n);

/* It answers: on this connection, or on another one if this has broken. */
void shim_revive(struct shim *s);

/* Runs `start`, connects, asks for its pid. */
void shim_begin(struct shim *s, const char *id);

/* The parts of shim_begin() and shim_end(): before `start`, after it, until the
 * process has gone, and the rest. */
void shim_open(struct shim *s, const char *id);
void shim_meet(struct shim *s);
void shim_leave(struct shim *s);
void shim_close(struct shim *s);

/* A new connection instead of one that has broken. */
void shim_redial(struct shim *s);

/* Shutdown, and until the process has gone. */
void shim_end(struct shim *s);

/* Calls a method of the task service; fresh memory, NULL if it failed with
 * anything but OK, whose code is in *ret_code. */
ProtobufCMessage *shim_call(struct shim *s, const char *method,
	const ProtobufCMessage *rq, enum ttrpc_code *ret_code);

/* The same where the answer is of no interest. */
void shim_call_plain(struct shim *s, const char *method,
	const ProtobufCMessage *rq, enum ttrpc_code *ret_code);

/* The usual ones. They fail the test if the call fails. */
uint32_t shim_create(struct shim *s, const char *out);
uint32_t shim_start(struct shim *s, const char *exec_id);
uint32_t shim_wait(struct shim *s, const char *exec_id);
uint32_t shim_delete(struct shim *s, const char *exec_id);
enum ttrpc_code shim_kill(struct shim *s, const char *exec_id, uint32_t signal);

#endif
