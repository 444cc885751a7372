/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - a container's environment, as options name it.
 */
#ifndef WISP_CTL_ENV_H
#define WISP_CTL_ENV_H

#include <stddef.h>

#include "platform/err.h"

/* Adds "NAME=VALUE", or for "NAME" alone our own value; what we do not have is
 * left out. *env is NULL before the first, and ends with NULL. */
int ctl_env_add(char ***env, size_t *n_env, const char *arg, struct err *e);

void ctl_env_clear(char **env, size_t n_env);

#endif
