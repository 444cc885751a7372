/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_argv.h - a Windows command line taken apart, by the documented rules.
 *
 * Written after "Parsing C command-line arguments" and CommandLineToArgvW's
 * page alone, without a look at ctl/spec/escape.c.
 */
#ifndef WISP_TESTS_UTIL_ARGV_H
#define WISP_TESTS_UTIL_ARGV_H

/* As CommandLineToArgvW: a NULL-terminated array in one piece of memory, to be
 * freed. A line that is empty gives one empty argument. */
char **argv_parse(const char *line);

#endif
