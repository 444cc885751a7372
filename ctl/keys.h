/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - the keys that leave a container to itself, found in what is typed.
 */
#ifndef WISP_CTL_KEYS_H
#define WISP_CTL_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

#define CTL_KEYS_MAX 16
#define CTL_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct ctl_keys {
	char keys[CTL_KEYS_MAX];
	size_t n;    /* 0: none, nothing is ever found */
	size_t held; /* of them have been typed, and not been passed on */
};

/* As docker's --detach-keys: "ctrl-p,ctrl-q", "a", "ctrl-[,x": single
 * characters, or ctrl- and a letter or one of @ [ \ ] ^ _, with commas between
 * them; "" is none. -EINVAL. */
int ctl_keys_parse(struct ctl_keys *ret, const char *text, struct err *e);

/* Copies what is to be passed on to out, which has room for n + CTL_KEYS_MAX
 * bytes. True when the last of the keys came: what follows it is dropped. */
bool ctl_keys_feed(
	struct ctl_keys *k, const char *in, size_t n, char *out, size_t *ret_n);

#endif
