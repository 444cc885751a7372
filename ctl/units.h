/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units.h - ages and sizes in few letters, for the cells of a table.
 */
#ifndef WISP_CTL_UNITS_H
#define WISP_CTL_UNITS_H

#include <stdint.h>

#define UNITS_MAX 24

/* "12s", "4m05s", "3h07m", "12d03h"; returns buf. */
const char *units_age(uint64_t ms, char buf[UNITS_MAX]);

/* "512B", "1.5K", "37M", "1.2G": 1K is 1024; returns buf. */
const char *units_size(uint64_t bytes, char buf[UNITS_MAX]);

#endif
