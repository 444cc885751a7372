/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_trend.h - does it grow? The arithmetic of a leak, and nothing else.
 */
#ifndef WISP_CTL_STRESS_TREND_H
#define WISP_CTL_STRESS_TREND_H

#include <stdbool.h>
#include <stddef.h>

/* A straight line through y[0], y[1], ... by least squares. */
struct stress_line {
	double slope; /* per step */
	double error; /* the slope's standard error */
	double mean;  /* of y */
};
void stress_fit(const double *y, size_t n, struct stress_line *ret);

enum stress_verdict {
	STRESS_FLAT,
	STRESS_GROWS,
	STRESS_TOO_FEW, /* rounds to tell */
};

/* Memory goes up and down by itself, and takes a while to level off. */
struct stress_memory {
	enum stress_verdict verdict;
	size_t warm_up; /* rounds that were left out at the beginning */
	struct stress_line line;
};

/*
 * y is in KiB, a value for each round. The first quarter (2 rounds at least)
 * is left out. It grows if the slope of the rest is above three times its
 * standard error, comes to more than 32 KiB and 1 % in all, and has not let up
 * in the second half of it.
 */
void stress_judge_memory(const double *y, size_t n, struct stress_memory *ret);

/* What is counted must come back to what it was. */
struct stress_count {
	bool leaks;
	unsigned more;    /* than before, in the end; 0 if it is back */
	size_t since;     /* the index from which on it never came back */
	double per_round; /* from there on */
};

/*
 * y has what was counted after each round. strict: whatever is left is a leak;
 * otherwise it must have grown more than once, because a program may open
 * something once and for all when it is first needed.
 */
void stress_judge_count(const unsigned *y, size_t n, unsigned before,
	bool strict, struct stress_count *ret);

#endif
