/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolated_parts.h - what the files of isolated.h share.
 */
#ifndef WISP_PLATFORM_WINDOWS_ISOLATED_PARTS_H
#define WISP_PLATFORM_WINDOWS_ISOLATED_PARTS_H

#include "platform/windows/isolated.h"

#define ISOLATED_ID_MAX 128

struct event;
struct isolated_figures;
struct isolated_process;
struct step;

struct isolated {
	struct isolated *next;
	unsigned refs;
	struct event_base *base; /* borrowed */
	const struct hcs_api *api;
	char id[ISOLATED_ID_MAX];
	struct lcow_vm *vm;       /* NULL: it is a Windows container */
	wchar_t *system_document; /* until there is a system */
	wchar_t *init_document;   /* until there is a first process */
	HCS_SYSTEM system;        /* NULL: none yet, or closed */
	struct hcs_watch *watch;
	struct container_limits limits;
	bool started, exited, closed;
	bool stopping, terminated; /* isolated_kill_round() */
	uint64_t stopping_since;   /* GetTickCount64() */
	struct event *grace; /* after the system's end, for its processes */
	int64_t init;        /* its pid; 0: none yet */
	struct isolated_process *processes;
	struct step *steps;
	struct isolated_figures *figures; /* NULL: nobody has asked */
};

/* Something that the service has been asked for, and somebody who waits. */
struct step {
	struct step *next;
	struct isolated *i; /* borrowed: its own */
	struct hcs_call *call;
	struct event *timer;
	struct container_later later;
	process_told told; /* or NULL; likewise */
	void *told_arg;
	struct isolated_process *process; /* that is being made; owned */
	struct container_program program; /* its endpoints and console */
	struct container_limits limits;   /* that are to be */
	/* when the call has been answered */
	void (*go_on)(struct step *s, struct hcs_answer *a);
	/* when the machine is there */
	int (*then)(struct step *s, struct err *e);
};

/* isolated.c: -ESRCH and the error; what follows from a system's end. */
int isolated_missing(const struct isolated *i, struct err *e);
void isolated_ended(struct isolated *i);

/* isolated_step.c. NULL and the error. */
struct step *step_new(
	struct isolated *i, const struct container_later *later, struct err *e);

/* Asks: makes the call whose answer go_on() gets. process: hcs.h. Then
 * step_asked() with what the function returned, which frees the step unless it
 * returns 0. */
int step_ask(struct step *s, bool process, const char *verb,
	uint32_t timeout_ms,
	void (*go_on)(struct step *s, struct hcs_answer *a), struct err *e);
int step_asked(struct step *s, HRESULT hr, struct err *e);

/* The end: frees it, then tells whoever waits. */
void step_done(struct step *s, int r, int64_t pid, const struct err *e);
void step_free(struct step *s);

/* isolated_process.c */
int isolated_spawn(
	struct step *s, const wchar_t *document, bool init, struct err *e);
void isolated_process_free(struct isolated_process *p);
/* Tells the exits of all that have none yet. */
void isolated_processes_lost(struct isolated *i);
int isolated_process_signal_each(struct isolated *i, uint32_t signal);
bool isolated_knows_signal(const struct isolated *i, uint32_t signal);

/* isolated_guest.c: what a Linux container has before and after its system */
int isolated_process_document(const struct isolated *i,
	const struct container_program *p, wchar_t **ret, struct err *e);
int isolated_machine_up(struct step *s,
	int (*go_on)(struct step *s, struct err *e), struct err *e);
/* -ESRCH: there is none, or none any more. */
int isolated_machine_down(struct step *s, struct err *e);

/* isolated_group.c */
void isolated_figures_free(struct isolated_figures *f);

#endif
