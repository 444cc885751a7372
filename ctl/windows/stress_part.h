/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_part.h - `wispctl stress-part TAG WHAT [N]`: what a container of a
 * run does. TAG is there to be found in the command line.
 */
#ifndef WISP_CTL_WINDOWS_STRESS_PART_H
#define WISP_CTL_WINDOWS_STRESS_PART_H

/* "sleep"; "exit N"; "write N", the numbers from 1 on, on stdout and stderr. */
int ctl_stress_part(int argc, char **argv);

#endif
