/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal_name.h - signals as people write them.
 */
#ifndef WISP_CTL_SIGNAL_NAME_H
#define WISP_CTL_SIGNAL_NAME_H

#include <stdint.h>

/* "9", "KILL", "SIGKILL", "kill", "RTMIN+3", "RTMAX-1": see signal(7). The
 * numbers are the kernel's, of which a container may use all: RTMIN is 34, as
 * in the C library, RTMAX is 64. -EINVAL. */
int ctl_signal_number(const char *text, uint32_t *ret);

/* For messages: what can be given. */
extern const char *const ctl_signal_help;

#endif
