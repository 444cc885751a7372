/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress.h - `wispctl stress`: containers by the dozen, and an account of what
 * stays behind.
 *
 * One shim lives all the time, with a container of its own (the anchor), and
 * serves most of the others, which name it as their group: what leaks in a
 * shim, leaks there. Others get a shim for themselves, whose end is looked at.
 *
 * All that can happen at once happens at once: each step of a scenario is
 * begun for all its containers and execs (actors), then waited for.
 *
 * stress.c has the command, stress_run.c the rounds, stress_scenario.c what
 * happens in them, stress_world.c and stress_box.c what they stand on, and
 * stress_system.h what is different on each system.
 */
#ifndef WISP_CTL_STRESS_H
#define WISP_CTL_STRESS_H

#include <limits.h>

#include "client/events.h"
#include "client/log.h"
#include "client/task.h"
#include "ctl/record.h"
#include "ctl/stress/stress_look.h"
#include "ctl/stress/stress_trend.h"
#include "ttrpc/list.h"

struct event;
struct stream;

#define STRESS_NAMESPACE "wisp-stress"
#define STRESS_AT_ONCE_MAX 100
#define STRESS_ACTORS_MAX (2 * STRESS_AT_ONCE_MAX + 4)
#define STRESS_SCENARIOS_MAX 16
#define STRESS_SHIMS 2
#define STRESS_STEP_MS 30000
#define STRESS_DIR_MAX 240

struct stress_world;
struct stress_scenario;

struct stress_options {
	bool help, json;
	const char *shim;    /* NULL: wisp's */
	const char *beside;  /* another, to compare with; NULL: none */
	const char *runtime; /* NULL: runc, else crun */
	const char *root;    /* NULL: /run/wisp */
	const char *chart;   /* NULL: none */
	unsigned at_once;    /* containers */
	unsigned rounds;     /* 0: as many as there is time for */
	uint64_t time_ms;    /* for all shims together; 0: no limit */
	uint32_t settle_ms;
	const struct stress_scenario *scenarios[STRESS_SCENARIOS_MAX];
	size_t n_scenarios;
};
int stress_options_parse(
	struct stress_options *ret, int argc, char **argv, struct err *e);
void stress_help(void);

/* A wrong result, and how often it came. */
struct stress_fault {
	const char *scenario, *what;
	char example[320]; /* of the first */
	unsigned count, round;
};
#define STRESS_FAULTS_MAX 32

/* What is told of one class in the end. */
struct stress_finding {
	enum stress_class class;
	struct stress_count count;
	unsigned since; /* the round; 0 is the warm-up */
	bool at_end;    /* it was there when the shim had ended */
	char examples[3][320];
};

struct stress_round {
	unsigned count[STRESS_N_CLASSES];
	unsigned fds, threads;
	double pss, own, rss; /* KiB */
};

struct stress_result {
	char shim[PATH_MAX], runtime[PATH_MAX];
	struct stress_round before, warmed, *rounds; /* warmed: round 0 */
	size_t n_rounds, size;
	unsigned containers, execs; /* how many there were */
	double seconds;
	struct stress_memory pss, own;
	bool memory_leaks;
	struct stress_finding findings[2 * STRESS_N_CLASSES];
	size_t n_findings;
	struct stress_fault faults[STRESS_FAULTS_MAX];
	size_t n_faults;
	bool interrupted;
};
void stress_result_clear(struct stress_result *x);
bool stress_result_is_clean(const struct stress_result *x);
/* Makes a row of what was seen. -ENOMEM. */
int stress_result_add_round(
	struct stress_result *x, const struct stress_look *l);
/* The same of the warm-up, round 0. */
void stress_result_warm(struct stress_result *x, const struct stress_look *l);
/* Fills findings and memory out of the rounds. What is on the host is compared
 * with what was there before the warm-up, the shim's own with after it. */
void stress_result_judge(struct stress_result *x,
	const struct stress_look *first, const struct stress_look *last);
/* What was still there in the end, when there should be nothing. */
void stress_result_judge_end(
	struct stress_result *x, const struct stress_look *end);

/* Runs it all with one shim. 0; -EINTR: as far as it got; or it failed, which
 * is not the same as that something was found. */
int stress_run(const struct stress_options *o, const char *shim,
	struct stress_result *ret, struct err *e);

/* stress_report.c, stress_json.c: on stdout. */
void stress_report(const struct stress_result *x, size_t n);
int stress_report_json(const struct stress_options *o,
	const struct stress_result *x, size_t n, struct err *e);
/* stress_chart.c */
int stress_chart_write(const char *path, const struct stress_result *x,
	size_t n, struct err *e);

/* stress_world.c */
struct stress_world {
	const struct stress_options *o; /* borrowed */
	struct stress_result *result;   /* borrowed */
	struct event_base *base;
	struct client *client;
	struct client_events *events; /* NULL: the daemon is lost */
	struct stress_stop *stop;     /* of the system's part */
	char dir[STRESS_DIR_MAX], tag[16], bundles[STRESS_DIR_MAX + 16],
		events_path[STRESS_DIR_MAX + 16], rootfs[PATH_MAX],
		runtime[PATH_MAX], runtime_root[STRESS_DIR_MAX + 16],
		runtime_state[STRESS_DIR_MAX + 48];
	bool stopped, cleaning, woken;
	int lock; /* of dir, or negative */
	unsigned n_ids, round;
	const char *scenario;
	struct list boxes, stuck; /* stuck: no shim lets go of them */
	struct stress_box *anchor;
	struct stress_items addresses;
	struct stress_look leavings; /* of this round */
};
int stress_world_init(struct stress_world *w, const struct stress_options *o,
	const char *shim, struct stress_result *result, struct err *e);
void stress_world_clear(struct stress_world *w);
/* From here on nothing is interrupted: cleaning up is not to be stopped. */
void stress_world_forget_stop(struct stress_world *w);
/* The daemon comes (again), or goes. */
int stress_world_listen(struct stress_world *w, struct err *e);
void stress_world_deafen(struct stress_world *w);
void stress_world_where(const struct stress_world *w, struct stress_where *ret);
/* Remembers a wrong result. what is a constant, the same for all its kind. */
void stress_fault(struct stress_world *w, const char *what, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

/* stress_sweep.c: what a shim has leaked must not stay on the host. */
void stress_sweep(const struct stress_where *w);
/* The same for runs in this folder that were killed, and the folders. */
void stress_sweep_all(const char *root);
/* Whoever a step can be taken with: the first member of a box or an exec. */
struct stress_actor {
	struct stress_world *world;
	bool open;      /* a call is under way */
	bool failed;    /* it takes no further steps */
	struct err err; /* of the last step */
};

struct stress_set {
	struct stress_actor *actors[STRESS_ACTORS_MAX];
	size_t n;
};

/* Begins the step for all that have not failed, and waits. 0 or -EINTR; err of
 * each tells how it went. */
int stress_each(struct stress_world *w, struct stress_set *set,
	int (*begin)(struct stress_actor *a));
/* The same; to fail is a fault called `what`. */
int stress_must(struct stress_world *w, struct stress_set *set,
	int (*begin)(struct stress_actor *a), const char *what);
/* Waits until it is true for all; that it is not in time is a fault. */
int stress_wait(struct stress_world *w, struct stress_set *set,
	bool (*is)(const struct stress_actor *a), uint32_t ms,
	const char *what);

/* After an interrupt: lets a step that is under way come to its end. A shim's
 * `start` that is killed, or a runtime, leaves what nobody can find. */
void stress_let_end(struct stress_actor *a);

/* What came out of a stream. */
struct stress_sink {
	int fd;                /* or */
	struct stream *stream; /* by system; both none: none, or it has ended */
	struct event *readable;
	uint64_t bytes, sum;
	bool ended;
};
uint64_t stress_sum(uint64_t sum, const void *data, size_t n);
#define STRESS_SUM_BEGIN 14695981039346656037ull

struct stress_box {
	struct stress_actor actor;
	struct list link;
	char id[40], cgroup[48];
	char bundle[STRESS_DIR_MAX + 64], out[2][STRESS_DIR_MAX + 64];
	struct ctl_record record;
	struct client_log *log;
	struct client_shim *shim;
	struct client_task *task;
	struct client_shim_info info;
	struct client_delete deletion;
	struct stress_sink sinks[2];
	struct list execs;
	bool own;     /* its shim serves nobody else */
	bool made;    /* Create was called */
	bool deleted; /* by Delete, or the shim's `delete` */
	bool lost;    /* the connection is */
	bool away;    /* we closed it */
	int64_t pid;  /* of init, when it is not to be asked any more */
	unsigned exits, ooms;
	uint32_t status;
};

/* What a container, or an exec, does. */
enum stress_does {
	STRESS_SLEEPS,  /* until it is killed */
	STRESS_EXITS,   /* with status n */
	STRESS_WRITES,  /* 1 to n, a line each, on stdout and on stderr */
	STRESS_EATS,    /* memory, without end */
	STRESS_MISSING, /* there is no such program */
};

struct stress_box_spec {
	enum stress_does does;
	unsigned n;
	uint64_t memory; /* 0: no limit */
	bool broken;     /* it has no root, or whatever cannot be made */
	bool piped;      /* stdout and stderr */
	bool own;        /* a shim of its own */
};
int stress_box_new(struct stress_world *w, const struct stress_box_spec *s,
	struct stress_box **ret, struct err *e);
/* Releases it, however far it got; looks at what is left in its bundle. */
void stress_box_free(struct stress_box *b);

/* Steps. */
int stress_start_shim(struct stress_actor *a);
int stress_ask_shim(struct stress_actor *a); /* its pid */
int stress_create(struct stress_actor *a);
int stress_start(struct stress_actor *a); /* of an exec, too: so these */
int stress_kill(struct stress_actor *a);
int stress_delete(struct stress_actor *a);
int stress_shutdown(struct stress_actor *a);
int stress_refresh(struct stress_actor *a);
int stress_reconnect(struct stress_actor *a);
int stress_run_delete(struct stress_actor *a);
void stress_disconnect(struct stress_box *b);

bool stress_has_exited(const struct stress_actor *a);
bool stress_is_lost(const struct stress_actor *a); /* or serves others */
bool stress_is_read(const struct stress_actor *a); /* output to the end */

struct stress_exec {
	struct stress_actor actor;
	struct list link;
	struct stress_box *box;
	struct client_process *process;
	char id[16];
	char *spec;
	unsigned exits;
	uint32_t status, expected;
};
/* n is what it exits with, too, if it does. */
int stress_exec_new(struct stress_box *b, enum stress_does does, unsigned n,
	struct stress_exec **ret, struct err *e);
void stress_exec_free(struct stress_exec *x);
int stress_exec_add(struct stress_actor *a);
int stress_exec_start(struct stress_actor *a);
int stress_exec_delete(struct stress_actor *a);
bool stress_exec_has_exited(const struct stress_actor *a);

/* stress_scenario.c */
struct stress_scenario {
	const char *name, *summary;
	int (*run)(struct stress_world *w);
};
/* By index; NULL at the end. */
const struct stress_scenario *stress_scenario_at(size_t i);

/* stress_progress.c: what is going on, on stderr. */
void stress_progress(
	const struct stress_world *w, double share, const char *what);
void stress_progress_end(void);

#endif
